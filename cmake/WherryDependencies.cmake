# Finds what Wherry is built from, and only what the chosen options need.
#
# Targets of our own, so that the rest of the build need not know where a thing came from:
#   wherry_dep::sodium  wherry_dep::sqlite3mc  wherry_dep::cbor  wherry_dep::grpc  wherry_dep::zmq
# and those of the packages themselves: spdlog::spdlog, fmt::fmt, CLI11::CLI11,
# nlohmann_json::nlohmann_json, GTest::gtest, GTest::gtest_main, benchmark::benchmark,
# OpenSSL::SSL, OpenSSL::Crypto, protobuf::libprotobuf, gRPC::grpc++.
# Programs: WHERRY_PROTOC, WHERRY_GRPC_CPP_PLUGIN.
include_guard(GLOBAL)
find_package(PkgConfig REQUIRED)

set(WHERRY_DEPS_DIR "" CACHE PATH "Prefix of cmake/third_party/build.sh (default: WHERRY_DEPS, or build/deps)")
if(WHERRY_DEPS_DIR)
  set(_wherry_deps "${WHERRY_DEPS_DIR}")
elseif(DEFINED ENV{WHERRY_DEPS})
  set(_wherry_deps "$ENV{WHERRY_DEPS}")
else()
  set(_wherry_deps "${CMAKE_CURRENT_LIST_DIR}/../build/deps")
endif()

# One message for everything that is missing, always with the way out.
function(wherry_missing what)
  message(FATAL_ERROR "${what} was not found. Run ./dev setup: it installs and builds all that Wherry needs.")
endfunction()

# wherry_require(<package> <target> <what>): a CMake package that must define the target.
macro(wherry_require package target what)
  find_package(${package} QUIET ${ARGN})
  if(NOT TARGET ${target})
    wherry_missing("${what}")
  endif()
endmacro()

# libsodium: an installed one that has ML-KEM and X-Wing, else the one that third_party built.
pkg_check_modules(WHERRY_SODIUM QUIET IMPORTED_TARGET GLOBAL "libsodium>=1.0.22")
if(WHERRY_SODIUM_FOUND)
  add_library(wherry_dep::sodium ALIAS PkgConfig::WHERRY_SODIUM)
else()
  find_library(WHERRY_SODIUM_LIBRARY libsodium.a PATHS "${_wherry_deps}/lib" NO_DEFAULT_PATH)
  if(NOT WHERRY_SODIUM_LIBRARY)
    wherry_missing("libsodium 1.0.22 or newer")
  endif()
  add_library(wherry_dep::sodium STATIC IMPORTED GLOBAL)
  set_target_properties(wherry_dep::sodium PROPERTIES
    IMPORTED_LOCATION "${WHERRY_SODIUM_LIBRARY}"
    INTERFACE_COMPILE_DEFINITIONS SODIUM_STATIC
    INTERFACE_INCLUDE_DIRECTORIES "${_wherry_deps}/include")
endif()

# SQLite3 Multiple Ciphers: third_party's, or one given by CMAKE_PREFIX_PATH.
find_library(WHERRY_SQLITE3MC_LIBRARY sqlite3mc HINTS "${_wherry_deps}/lib")
find_path(WHERRY_SQLITE3MC_INCLUDE_DIR sqlite3.h
  HINTS "${_wherry_deps}/include/sqlite3mc" PATH_SUFFIXES sqlite3mc NO_SYSTEM_ENVIRONMENT_PATH NO_CMAKE_SYSTEM_PATH)
if(NOT WHERRY_SQLITE3MC_LIBRARY OR NOT WHERRY_SQLITE3MC_INCLUDE_DIR)
  wherry_missing("SQLite3 Multiple Ciphers")
endif()
find_package(Threads REQUIRED)
add_library(wherry_dep::sqlite3mc UNKNOWN IMPORTED GLOBAL)
set_target_properties(wherry_dep::sqlite3mc PROPERTIES
  IMPORTED_LOCATION "${WHERRY_SQLITE3MC_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${WHERRY_SQLITE3MC_INCLUDE_DIR}"
  INTERFACE_LINK_LIBRARIES "Threads::Threads;m")

# libcbor has a pkg-config file but no CMake package before 0.10.
pkg_check_modules(WHERRY_CBOR QUIET IMPORTED_TARGET GLOBAL "libcbor>=0.8")
if(NOT WHERRY_CBOR_FOUND)
  wherry_missing("libcbor 0.8 or newer")
endif()
add_library(wherry_dep::cbor ALIAS PkgConfig::WHERRY_CBOR)

if(WHERRY_TRANSPORT_CENTRALIZED OR WHERRY_BUILD_RELAY)
  wherry_require(OpenSSL OpenSSL::SSL "OpenSSL")
  wherry_require(Protobuf protobuf::libprotobuf "Protobuf")
  wherry_require(gRPC gRPC::grpc++ "gRPC for C++" CONFIG)
  find_program(WHERRY_PROTOC protoc)
  find_program(WHERRY_GRPC_CPP_PLUGIN grpc_cpp_plugin)
  if(NOT WHERRY_PROTOC OR NOT WHERRY_GRPC_CPP_PLUGIN)
    wherry_missing("protoc with gRPC's C++ plug-in")
  endif()
  add_library(wherry_dep::grpc INTERFACE IMPORTED GLOBAL)
  set_target_properties(wherry_dep::grpc PROPERTIES
    INTERFACE_LINK_LIBRARIES "gRPC::grpc++;protobuf::libprotobuf")
endif()

if(WHERRY_TRANSPORT_P2P)
  pkg_check_modules(WHERRY_ZMQ QUIET IMPORTED_TARGET GLOBAL "libzmq>=4.3.4")
  find_path(WHERRY_CPPZMQ_INCLUDE_DIR zmq_addon.hpp)
  if(NOT WHERRY_ZMQ_FOUND OR NOT WHERRY_CPPZMQ_INCLUDE_DIR)
    wherry_missing("ZeroMQ 4.3.4 or newer, with cppzmq")
  endif()
  add_library(wherry_dep::zmq ALIAS PkgConfig::WHERRY_ZMQ)
endif()

if(WHERRY_BUILD_RELAY)
  wherry_require(spdlog spdlog::spdlog "spdlog")
endif()
if(WHERRY_BUILD_RELAY OR WHERRY_BUILD_SAMPLES)
  wherry_require(CLI11 CLI11::CLI11 "CLI11")
endif()
wherry_require(nlohmann_json nlohmann_json::nlohmann_json "nlohmann-json")
if(WHERRY_BUILD_TESTS)
  wherry_require(GTest GTest::gtest_main "GoogleTest")
endif()
if(WHERRY_BUILD_BENCH)
  wherry_require(benchmark benchmark::benchmark "Google Benchmark")
endif()
