// What of libsodium touches the system: its start, randomness; and comparison.
#include <sodium/core.h>
#include <sodium/randombytes.h>
#include <sodium/utils.h>

#include "crypto/compare.h"
#include "crypto/init.h"
#include "crypto/system_random.h"

namespace wherry::crypto {

bool init() {
  return sodium_init() >= 0;
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void SystemRandom::fill(uint8_t* out, size_t size) {
  randombytes_buf(out, size);
}

}  // namespace wherry::crypto
