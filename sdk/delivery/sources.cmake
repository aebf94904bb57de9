target_sources(wherry_sdk PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/quota.cpp
  ${CMAKE_CURRENT_LIST_DIR}/retry.cpp
  ${CMAKE_CURRENT_LIST_DIR}/stream.cpp)
