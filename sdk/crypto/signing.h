// Ed25519 (RFC 8032). What is signed always begins with a label that says what it is.
#ifndef WHERRY_CRYPTO_SIGNING_H
#define WHERRY_CRYPTO_SIGNING_H

#include <string_view>

#include "base/env.h"
#include "base/secret.h"
#include "crypto/keys.h"

namespace wherry::crypto {

class SigningPair {
 public:
  static SigningPair make(Random& random);
  static SigningPair from_seed(ByteView seed32);

  // Signs "wherry/1/" ‖ label ‖ data.
  Signature sign(std::string_view label, ByteView data) const;

  const VerifyKey& public_key() const { return public_key_; }
  // The 32 bytes that from_seed() takes.
  Secret<32> seed() const;
  SigningPair clone() const;

 private:
  Secret<64> secret_;  // seed ‖ public key, as the library wants it
  VerifyKey public_key_;
};

// Checks a signature over "wherry/1/" ‖ label ‖ data.
bool verify(const VerifyKey& key, const Signature& signature, std::string_view label,
            ByteView data);

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_SIGNING_H
