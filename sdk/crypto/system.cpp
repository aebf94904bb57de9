// What of libsodium touches the system: its start, and randomness.
#include <sodium/core.h>
#include <sodium/randombytes.h>

#include "crypto/init.h"
#include "crypto/system_random.h"

namespace wherry::crypto {

bool init() {
  return sodium_init() >= 0;
}

void SystemRandom::fill(uint8_t* out, size_t size) {
  randombytes_buf(out, size);
}

}  // namespace wherry::crypto
