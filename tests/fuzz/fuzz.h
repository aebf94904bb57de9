// What fuzz targets share.
#ifndef WHERRY_TESTS_FUZZ_FUZZ_H
#define WHERRY_TESTS_FUZZ_FUZZ_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// What must hold whatever comes in. Unlike assert() it is there in every build.
inline void must(bool condition) {
  if (!condition) std::abort();
}

#endif  // WHERRY_TESTS_FUZZ_FUZZ_H
