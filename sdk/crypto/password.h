// Argon2id (RFC 9106): a key from a passphrase.
#ifndef WHERRY_CRYPTO_PASSWORD_H
#define WHERRY_CRYPTO_PASSWORD_H

#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace wherry::crypto {

struct PasswordCost {
  uint32_t ops;         // passes over the memory, at least 1
  uint32_t memory_kib;  // at least 8
};

// About 0.1 s and 64 MiB.
inline constexpr PasswordCost kPasswordCostInteractive = {2, 64 * 1024};
// The least that works: for tests alone.
inline constexpr PasswordCost kPasswordCostMin = {1, 8};
// What a stored header may ask for: more is taken as damage.
inline constexpr PasswordCost kPasswordCostMax = {16, 4 * 1024 * 1024};

// E_MEMORY when the machine has not enough; E_CORRUPT when the cost is out of bounds.
Result<Secret<32>> key_from_password(std::string_view passphrase,
                                     const std::array<uint8_t, 16>& salt, PasswordCost cost);

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_PASSWORD_H
