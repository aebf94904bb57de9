# How Wherry's own code is compiled and linked: the flags, the sanitizers, and what a module hides.
#
#   wherry_build_flags            interface target that every target of ours links privately
#   wherry_compile_fast()         what this folder has from here on is not optimised with sanitizers
#   wherry_hide_static(<target> [<prefix>...])
#                                 a shared library or plug-in exports only symbols with these
#                                 prefixes (default: wherry_) and nothing of its static libraries
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(WHERRY_WERROR "Warnings are errors" OFF)
set(WHERRY_SANITIZE "" CACHE STRING "Sanitizers: empty, address,undefined, thread, or fuzzer[,address]")

add_library(wherry_build_flags INTERFACE)
target_compile_options(wherry_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wundef
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast>
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  $<$<BOOL:${WHERRY_WERROR}>:-Werror>
  -fstack-protector-strong)
if(NOT WHERRY_SANITIZE)
  target_compile_definitions(wherry_build_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(wherry_build_flags INTERFACE -Wl,-z,relro,-z,now)

# Sanitizers apply to everything in the tree, tests and samples too, so they are set for the folder
# that includes this file. "fuzzer" alone would add a main(): libraries get fuzzer-no-link, and a
# fuzz target links wherry_fuzzer.
if(WHERRY_SANITIZE)
  string(REPLACE "fuzzer" "fuzzer-no-link" _wherry_sanitize "${WHERRY_SANITIZE}")
  add_compile_options(-fsanitize=${_wherry_sanitize} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${_wherry_sanitize})
  if(WHERRY_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
if(WHERRY_SANITIZE MATCHES "fuzzer")
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "WHERRY_SANITIZE=${WHERRY_SANITIZE} needs Clang: use the preset 'fuzz'.")
  endif()
  add_library(wherry_fuzzer INTERFACE)
  target_link_options(wherry_fuzzer INTERFACE -fsanitize=fuzzer)
endif()

# GCC 12 warns wrongly about restrict, array bounds and initialisation inside its own library once
# sanitizers, -O2 or -O3 inline it; the same code is checked by clang-tidy and by Clang's warnings.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(wherry_build_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict> -Wno-maybe-uninitialized -Wno-stringop-overflow)
endif()

find_program(WHERRY_CCACHE ccache)
if(WHERRY_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${WHERRY_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${WHERRY_CCACHE}")
endif()
find_program(WHERRY_MOLD mold)
if(WHERRY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# What only reads a command line, or asks and compares: with sanitizers, to optimise it takes longer
# than it ever saves.
function(wherry_compile_fast)
  if(WHERRY_SANITIZE AND NOT WHERRY_SANITIZE MATCHES "fuzzer")
    add_compile_options(-O0)
  endif()
endfunction()

function(wherry_hide_static target)
  set(prefixes ${ARGN})
  if(NOT prefixes)
    set(prefixes wherry_)
  endif()
  set(globals "")
  foreach(prefix IN LISTS prefixes)
    string(APPEND globals " ${prefix}*;")
  endforeach()
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}.map")
  file(CONFIGURE OUTPUT "${script}" CONTENT "{\n  global:@globals@\n  local: *;\n};\n" @ONLY)
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL "-Wl,--version-script=${script}")
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${script}")
endfunction()
