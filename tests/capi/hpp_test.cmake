# wherry.hpp over the loopback transport, whose header is put where an installation has it.
set(hpp_include "${CMAKE_CURRENT_BINARY_DIR}/include")
configure_file("${PROJECT_SOURCE_DIR}/transports/loopback/loopback.h"
               "${hpp_include}/wherry/transports/loopback.h" COPYONLY)
add_executable(capi_hpp_test hpp_test.cpp)
target_include_directories(capi_hpp_test PRIVATE "${hpp_include}")
target_link_libraries(capi_hpp_test PRIVATE
  wherry_build_flags wherry wherry_loopback GTest::gtest_main)
gtest_discover_tests(capi_hpp_test TEST_PREFIX "capi." PROPERTIES TIMEOUT 60)

# It promises C++17, and needs no other header before it.
add_library(capi_hpp_17 OBJECT hpp_17.cpp)
set_target_properties(capi_hpp_17 PROPERTIES CXX_STANDARD 17)
target_link_libraries(capi_hpp_17 PRIVATE wherry_build_flags wherry)
