// ML-KEM-768 by libsodium.
#include "crypto/kem.h"

#include <sodium/crypto_kem_mlkem768.h>

namespace wherry::crypto {

static_assert(KemKey::kSize == crypto_kem_mlkem768_PUBLICKEYBYTES);
static_assert(KemCiphertext::kSize == crypto_kem_mlkem768_CIPHERTEXTBYTES);

KemPair KemPair::from_seed(const Secret<64>& seed) {
  KemPair pair;
  crypto_kem_mlkem768_seed_keypair(pair.public_key.bytes.data(), pair.secret.data(), seed.data());
  return pair;
}

std::optional<Encapsulated> encapsulate(const KemKey& theirs, Random& random) {
  Secret<32> message;
  random.fill(message.data(), message.size());
  return encapsulate_with(theirs, message);
}

std::optional<Encapsulated> encapsulate_with(const KemKey& theirs, const Secret<32>& message) {
  Encapsulated out;
  if (crypto_kem_mlkem768_enc_deterministic(out.ciphertext.bytes.data(), out.shared.data(),
                                            theirs.bytes.data(), message.data()) != 0) {
    return std::nullopt;
  }
  return out;
}

std::optional<Secret<32>> decapsulate(const KemPair& mine, const KemCiphertext& ciphertext) {
  Secret<32> shared;
  if (crypto_kem_mlkem768_dec(shared.data(), ciphertext.bytes.data(), mine.secret.data()) != 0) {
    return std::nullopt;
  }
  return shared;
}

}  // namespace wherry::crypto
