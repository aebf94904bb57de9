// ML-KEM-768 (FIPS 203).
#ifndef WHERRY_CRYPTO_KEM_H
#define WHERRY_CRYPTO_KEM_H

#include <optional>

#include "base/env.h"
#include "base/secret.h"
#include "crypto/keys.h"

namespace wherry::crypto {

struct KemPair {
  Secret<2400> secret;
  KemKey public_key;

  // From the 64 bytes `d ‖ z` of FIPS 203 §7.1; they are what is kept, being the smallest form.
  static KemPair from_seed(const Secret<64>& seed);
};

struct Encapsulated {
  KemCiphertext ciphertext;
  Secret<32> shared;
};

// Empty when the key does not pass the check of FIPS 203 §7.2.
std::optional<Encapsulated> encapsulate(const KemKey& theirs, Random& random);
// With the 32 bytes `m` of FIPS 203 §6.2 given.
std::optional<Encapsulated> encapsulate_with(const KemKey& theirs, const Secret<32>& message);

// A ciphertext that was not made for this key gives an unrelated secret (implicit rejection). Empty
// only when the library finds the pair damaged.
std::optional<Secret<32>> decapsulate(const KemPair& mine, const KemCiphertext& ciphertext);

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_KEM_H
