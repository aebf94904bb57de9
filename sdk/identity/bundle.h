// Prekeys, and the bundles that publish them (PROTOCOL §3).
#ifndef WHERRY_IDENTITY_BUNDLE_H
#define WHERRY_IDENTITY_BUNDLE_H

#include "crypto/kem.h"
#include "identity/device_list.h"
#include "identity/identity.h"

namespace wherry::identity {

using crypto::KemKey;

// The secret halves of one bundle's prekeys.
struct Prekey {
  uint32_t id = 0;
  crypto::AgreementPair agreement;  // SPK
  Secret<64> kem_seed;              // of PQ
  int64_t expires_s = 0;

  static Prekey make(uint32_t id, int64_t expires_s, Random& random);
  Prekey clone() const;

  // For the store: version u8 = 1 ‖ id u32 ‖ expires i64 ‖ SPK secret[32] ‖ seed of PQ[64].
  SecretBytes to_bytes() const;
  static Result<Prekey> from_bytes(ByteView stored);
};

// What a peer learns from a bundle.
struct Bundle {
  DeviceList list;
  DevicePublic device;
  uint32_t prekey_id = 0;
  AgreementKey agreement;  // SPK
  KemKey kem;              // PQ
  int64_t expires_s = 0;

  // The signed CBOR, as it stands in payload key 4 and, sealed, at a transport. E_TOO_LARGE when
  // the device list leaves no room for it in a sealed bundle.
  static Result<Bytes> make(const Device& device, const DeviceList& list, const Prekey& prekey);

  // Reads and checks it: the list is signed by `identity`, the device is in it and has signed the
  // prekeys. Expiry is the caller's. Refusals: MALFORMED, VERSION, FORGED.
  static Result<Bundle> parse(ByteView cbor, const VerifyKey& identity);

  bool expired(int64_t now_s) const { return now_s > expires_s; }
};

// Where the bundle of a card lies: H(F, "bundle/locator", 32).
Bytes32 bundle_locator(const Secret<32>& fetch_secret);

// Exactly limits::kBundleSize bytes.
Bytes seal_bundle(const Secret<32>& fetch_secret, ByteView cbor, Random& random);

// Refusals: MALFORMED, FORGED.
Result<Bytes> open_bundle(const Secret<32>& fetch_secret, ByteView sealed);

}  // namespace wherry::identity

#endif  // WHERRY_IDENTITY_BUNDLE_H
