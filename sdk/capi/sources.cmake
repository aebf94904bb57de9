# The C ABI: the shared library `wherry` with everything else hidden in it.
set(WHERRY_CAPI_MADE "${CMAKE_CURRENT_BINARY_DIR}/made")
file(GLOB WHERRY_DESCRIPTION CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/description/*.py")
add_custom_command(
  OUTPUT "${WHERRY_CAPI_MADE}/schema_texts.cpp"
  COMMAND "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/cmake/describe.py" --texts
          "${WHERRY_CAPI_MADE}"
  COMMAND "${CMAKE_COMMAND}" -E touch "${WHERRY_CAPI_MADE}/schema_texts.cpp"
  DEPENDS "${PROJECT_SOURCE_DIR}/cmake/describe.py" ${WHERRY_DESCRIPTION}
          "${CMAKE_CURRENT_LIST_DIR}/schema.toml"
  COMMENT "Making the texts of the schema"
  VERBATIM)

add_library(wherry SHARED
  ${CMAKE_CURRENT_LIST_DIR}/convert.cpp
  ${CMAKE_CURRENT_LIST_DIR}/event.cpp
  ${CMAKE_CURRENT_LIST_DIR}/guard.cpp
  ${CMAKE_CURRENT_LIST_DIR}/handles.cpp
  ${CMAKE_CURRENT_LIST_DIR}/json.cpp
  ${CMAKE_CURRENT_LIST_DIR}/messages.cpp
  ${CMAKE_CURRENT_LIST_DIR}/page.cpp
  ${CMAKE_CURRENT_LIST_DIR}/people.cpp
  ${CMAKE_CURRENT_LIST_DIR}/permits.cpp
  ${CMAKE_CURRENT_LIST_DIR}/profile.cpp
  ${CMAKE_CURRENT_LIST_DIR}/route.cpp
  ${CMAKE_CURRENT_LIST_DIR}/transports.cpp
  "${WHERRY_CAPI_MADE}/schema_texts.cpp")
set_target_properties(wherry PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_compile_definitions(wherry PRIVATE WHERRY_VERSION_TEXT="${PROJECT_VERSION}")
target_link_libraries(wherry
  PUBLIC wherry_headers
  PRIVATE wherry_build_flags wherry_sdk nlohmann_json::nlohmann_json)
wherry_hide_static(wherry)
