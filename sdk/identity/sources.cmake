target_sources(wherry_sdk PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/bundle.cpp
  ${CMAKE_CURRENT_LIST_DIR}/card.cpp
  ${CMAKE_CURRENT_LIST_DIR}/device_list.cpp
  ${CMAKE_CURRENT_LIST_DIR}/identity.cpp)
