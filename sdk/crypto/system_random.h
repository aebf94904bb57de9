// The operating system's randomness, for the real Env.
#ifndef WHERRY_CRYPTO_SYSTEM_RANDOM_H
#define WHERRY_CRYPTO_SYSTEM_RANDOM_H

#include "base/env.h"

namespace wherry::crypto {

// Thread-safe.
class SystemRandom : public Random {
 public:
  void fill(uint8_t* out, size_t size) override;
};

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_SYSTEM_RANDOM_H
