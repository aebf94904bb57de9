// What a handshake derives from its shared secrets, and what it binds (PROTOCOL §4.1).
#ifndef WHERRY_SESSION_SECRETS_H
#define WHERRY_SESSION_SECRETS_H

#include "crypto/kem.h"
#include "identity/identity.h"

namespace wherry::session {

// ID: seals who the initiator is.
Secret<32> identity_secret(const Secret<32>& dh2, const Secret<32>& dh3, const Secret<32>& kem);

// SK = root[32] ‖ HK_i[32] ‖ NHK_r[32].
Secret<96> session_secrets(const Secret<32>& dh1, const Secret<32>& dh2, const Secret<32>& dh3,
                           const Secret<32>& kem);

// All public values of a handshake. Its hash is AD.
struct Transcript {
  crypto::VerifyKey initiator_identity;
  crypto::VerifyKey responder_identity;
  identity::DevicePublic initiator;
  identity::DevicePublic responder;
  crypto::AgreementKey ephemeral;
  crypto::AgreementKey prekey;

  Bytes32 hash(const crypto::KemKey& kem, const crypto::KemCiphertext& ciphertext) const;
};

}  // namespace wherry::session

#endif  // WHERRY_SESSION_SECRETS_H
