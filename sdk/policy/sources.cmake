target_sources(wherry_sdk PRIVATE ${CMAKE_CURRENT_LIST_DIR}/permits.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/reveals.cpp)
