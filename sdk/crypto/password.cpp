// Argon2id by libsodium.
#include "crypto/password.h"

#include <sodium/crypto_pwhash_argon2id.h>

namespace wherry::crypto {

Result<Secret<32>> key_from_password(std::string_view passphrase,
                                     const std::array<uint8_t, 16>& salt, PasswordCost cost) {
  if (cost.ops < kPasswordCostMin.ops || cost.ops > kPasswordCostMax.ops ||
      cost.memory_kib < kPasswordCostMin.memory_kib ||
      cost.memory_kib > kPasswordCostMax.memory_kib) {
    return fail(WHERRY_E_CORRUPT, "The cost of the passphrase's key is out of bounds.");
  }
  if (passphrase.size() > crypto_pwhash_argon2id_PASSWD_MAX) {
    return fail(WHERRY_E_TOO_LARGE, "The passphrase is too long.");
  }
  Secret<32> key;
  if (crypto_pwhash_argon2id(key.data(), key.size(), passphrase.data(), passphrase.size(),
                             salt.data(), cost.ops, size_t{cost.memory_kib} * 1024,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return fail(WHERRY_E_MEMORY, "There is not enough memory to derive the key.");
  }
  return key;
}

}  // namespace wherry::crypto
