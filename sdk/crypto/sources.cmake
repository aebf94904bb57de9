target_sources(wherry_sdk PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/aead.cpp
  ${CMAKE_CURRENT_LIST_DIR}/agreement.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hash.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hkdf.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kem.cpp
  ${CMAKE_CURRENT_LIST_DIR}/password.cpp
  ${CMAKE_CURRENT_LIST_DIR}/signing.cpp
  ${CMAKE_CURRENT_LIST_DIR}/system.cpp)
