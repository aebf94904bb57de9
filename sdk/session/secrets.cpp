// The key derivation of PQXDH (Signal, revision 3, §3.3) with HKDF-SHA-256 (RFC 5869).
#include "session/secrets.h"

#include "crypto/hash.h"
#include "crypto/hkdf.h"

namespace wherry::session {
namespace {

constexpr std::array<uint8_t, 32> kSalt{};

// Keeps the input apart from that of a signature over the same curve (PQXDH §2.2, `F`).
constexpr std::array<uint8_t, 32> make_prefix() {
  std::array<uint8_t, 32> prefix{};
  prefix.fill(0xff);
  return prefix;
}
constexpr std::array<uint8_t, 32> kPrefix = make_prefix();

}  // namespace

Secret<32> identity_secret(const Secret<32>& dh2, const Secret<32>& dh3, const Secret<32>& kem) {
  return crypto::hkdf<32>(kSalt, {kPrefix, dh2.view(), dh3.view(), kem.view()},
                          "wherry/1/identity");
}

Secret<96> session_secrets(const Secret<32>& dh1, const Secret<32>& dh2, const Secret<32>& dh3,
                           const Secret<32>& kem) {
  return crypto::hkdf<96>(kSalt, {kPrefix, dh1.view(), dh2.view(), dh3.view(), kem.view()},
                          "wherry/1/PQXDH_CURVE25519_SHA-256_ML-KEM-768");
}

Bytes32 Transcript::hash(const crypto::KemKey& kem, const crypto::KemCiphertext& ciphertext) const {
  return crypto::hash<32>(
      {}, "ad",
      {initiator_identity.view(), responder_identity.view(), initiator.signing.view(),
       initiator.agreement.view(), responder.signing.view(), responder.agreement.view(),
       ephemeral.view(), prekey.view(), crypto::plain_hash<32>(kem.view()), ciphertext.view()});
}

}  // namespace wherry::session
