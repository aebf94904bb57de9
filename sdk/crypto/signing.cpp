// Ed25519 by libsodium, whose verification refuses keys of small order and non-canonical values.
#include "crypto/signing.h"

#include <sodium/crypto_sign_ed25519.h>

namespace wherry::crypto {
namespace {

Bytes labelled(std::string_view label, ByteView data) {
  constexpr std::string_view kLabelPrefix = "wherry/1/";
  Bytes out;
  out.reserve(kLabelPrefix.size() + label.size() + data.size());
  append(out, as_bytes(kLabelPrefix));
  append(out, as_bytes(label));
  append(out, data);
  return out;
}

}  // namespace

SigningPair SigningPair::make(Random& random) {
  Secret<32> seed;
  random.fill(seed.data(), seed.size());
  return from_seed(seed.view());
}

SigningPair SigningPair::from_seed(ByteView seed32) {
  SigningPair pair;
  crypto_sign_ed25519_seed_keypair(pair.public_key_.bytes.data(), pair.secret_.data(),
                                   seed32.data());
  return pair;
}

Signature SigningPair::sign(std::string_view label, ByteView data) const {
  const Bytes message = labelled(label, data);
  Signature signature;
  crypto_sign_ed25519_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                               secret_.data());
  return signature;
}

Secret<32> SigningPair::seed() const {
  return Secret<32>(secret_.view().first(32));
}

SigningPair SigningPair::clone() const {
  SigningPair pair;
  pair.secret_ = secret_.clone();
  pair.public_key_ = public_key_;
  return pair;
}

bool verify(const VerifyKey& key, const Signature& signature, std::string_view label,
            ByteView data) {
  const Bytes message = labelled(label, data);
  return crypto_sign_ed25519_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                             key.bytes.data()) == 0;
}

}  // namespace wherry::crypto
