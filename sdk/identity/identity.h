// The keys of a person and of a device (PROTOCOL §2).
#ifndef WHERRY_IDENTITY_IDENTITY_H
#define WHERRY_IDENTITY_IDENTITY_H

#include "base/env.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/agreement.h"
#include "crypto/signing.h"

namespace wherry::identity {

using crypto::AgreementKey;
using crypto::VerifyKey;

// What everybody may know of a device.
struct DevicePublic {
  VerifyKey signing;       // DK
  AgreementKey agreement;  // DA

  // The device id: H("", "device" ‖ DK ‖ DA, 16).
  Id128 id() const;
  bool operator==(const DevicePublic&) const = default;
};

// A person: signs cards and device lists, and nothing else.
struct Identity {
  crypto::SigningPair keys;  // IK

  static Identity make(Random& random);
  const VerifyKey& public_key() const { return keys.public_key(); }

  // For the store: version u8 = 1 ‖ seed[32].
  SecretBytes to_bytes() const;
  static Result<Identity> from_bytes(ByteView stored);
};

// A device: signs its prekeys, and takes part in handshakes.
struct Device {
  crypto::SigningPair signing;      // DK
  crypto::AgreementPair agreement;  // DA

  static Device make(Random& random);
  DevicePublic public_part() const { return {signing.public_key(), agreement.public_key}; }
  Id128 id() const { return public_part().id(); }

  // For the store: version u8 = 1 ‖ seed of DK[32] ‖ secret of DA[32].
  SecretBytes to_bytes() const;
  static Result<Device> from_bytes(ByteView stored);
};

}  // namespace wherry::identity

#endif  // WHERRY_IDENTITY_IDENTITY_H
