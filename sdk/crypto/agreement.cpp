// X25519 by libsodium.
#include "crypto/agreement.h"

#include <sodium/crypto_scalarmult_curve25519.h>

namespace wherry::crypto {

AgreementPair AgreementPair::make(Random& random) {
  Secret<32> secret;
  random.fill(secret.data(), secret.size());
  return from_secret(secret.view());
}

AgreementPair AgreementPair::from_secret(ByteView secret32) {
  AgreementPair pair;
  pair.secret = Secret<32>(secret32);
  crypto_scalarmult_curve25519_base(pair.public_key.bytes.data(), pair.secret.data());
  return pair;
}

std::optional<Secret<32>> agree(const Secret<32>& secret, const AgreementKey& theirs) {
  Secret<32> shared;
  // Fails exactly when the result is all zero.
  if (crypto_scalarmult_curve25519(shared.data(), secret.data(), theirs.bytes.data()) != 0) {
    return std::nullopt;
  }
  return shared;
}

}  // namespace wherry::crypto
