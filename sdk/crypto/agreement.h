// X25519 (RFC 7748).
#ifndef WHERRY_CRYPTO_AGREEMENT_H
#define WHERRY_CRYPTO_AGREEMENT_H

#include <optional>

#include "base/env.h"
#include "base/secret.h"
#include "crypto/keys.h"

namespace wherry::crypto {

struct AgreementPair {
  Secret<32> secret;
  AgreementKey public_key;

  static AgreementPair make(Random& random);
  static AgreementPair from_secret(ByteView secret32);
  AgreementPair clone() const { return {secret.clone(), public_key}; }
};

// Empty when the result is all zero: the other's key is of small order, and is refused.
std::optional<Secret<32>> agree(const Secret<32>& secret, const AgreementKey& theirs);

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_AGREEMENT_H
