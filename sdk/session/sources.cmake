target_sources(wherry_sdk PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/chain.cpp
  ${CMAKE_CURRENT_LIST_DIR}/envelope.cpp
  ${CMAKE_CURRENT_LIST_DIR}/handshake.cpp
  ${CMAKE_CURRENT_LIST_DIR}/open.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ratchet.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ratchet_bytes.cpp
  ${CMAKE_CURRENT_LIST_DIR}/seal.cpp
  ${CMAKE_CURRENT_LIST_DIR}/secrets.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tag_index.cpp)
