target_sources(wherry_sdk PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/base64url.cpp
  ${CMAKE_CURRENT_LIST_DIR}/cbor.cpp
  ${CMAKE_CURRENT_LIST_DIR}/utf8.cpp)
