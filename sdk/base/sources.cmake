target_sources(wherry_sdk PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/bytes.cpp
  ${CMAKE_CURRENT_LIST_DIR}/system_clock.cpp)
