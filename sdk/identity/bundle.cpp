// Prekeys and bundles:
//   bundle = CBOR {1: version, 2: device list, 3: device id[16], 4: prekey id u32, 5: SPK[32],
//                  6: PQ[1184], 7: expires, 8: sig[64] by DK over CBOR {1…7}}
//   sealed = nonce[24] ‖ XChaCha20-Poly1305(u16 length ‖ bundle ‖ zeros)
#include "identity/bundle.h"

#include <algorithm>
#include <cassert>

#include "base/limits.h"
#include "codec/cbor.h"
#include "codec/fields.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

namespace wherry::identity {
namespace {

constexpr uint64_t kVersion = 1;
constexpr uint8_t kStoredVersion = 1;
constexpr std::string_view kLabel = "prekey";
constexpr size_t kNonceSize = sizeof(crypto::Nonce);
constexpr size_t kPlainSize = limits::kBundleSize - kNonceSize - crypto::kAeadOverhead;
constexpr size_t kLengthSize = 2;
constexpr size_t kPrekeySize = 1 + 4 + 8 + 32 + 64;

Error malformed() {
  return refuse(WHERRY_REASON_MALFORMED, "This is not a bundle of prekeys.");
}
Error forged() {
  return refuse(WHERRY_REASON_FORGED, "The bundle is not by this person.");
}

// The map's pairs 1 to 7, without its head.
void write_pairs(codec::CborWriter& out, const Bundle& bundle) {
  out.key(1).uint(kVersion);
  out.key(2).bytes(bundle.list.bytes());
  out.key(3).bytes(bundle.device.id());
  out.key(4).uint(bundle.prekey_id);
  out.key(5).bytes(bundle.agreement.view());
  out.key(6).bytes(bundle.kem.view());
  out.key(7).uint(static_cast<uint64_t>(bundle.expires_s));
}

// What `sig` is over.
Bytes signed_part(const Bundle& bundle) {
  codec::CborWriter out(limits::kBundleSize);
  out.map(7);
  write_pairs(out, bundle);
  return out.take();
}

struct Fields {
  Bundle bundle;
  ByteView list;
  Id128 device_id{};
  crypto::Signature signature;
};

Result<Fields> read_fields(ByteView cbor) {
  codec::CborReader in(cbor);
  Fields out;
  unsigned seen = 0;
  for (codec::CborMap map = in.map(); map.next();) {
    if (map.key() >= 1 && map.key() <= 8) seen |= 1u << map.key();
    switch (map.key()) {
      case 1: {
        const uint64_t version = in.uint();
        if (!in.failed() && version != kVersion) {
          return refuse(WHERRY_REASON_VERSION, "The bundle is of a newer version.");
        }
        break;
      }
      case 2:
        out.list = in.bytes(limits::kBundleSize);
        break;
      case 3:
        out.device_id = in.fixed<16>();
        break;
      case 4:
        out.bundle.prekey_id = static_cast<uint32_t>(in.uint(UINT32_MAX));
        break;
      case 5:
        out.bundle.agreement = AgreementKey(in.fixed<32>());
        break;
      case 6:
        out.bundle.kem = KemKey(in.fixed<KemKey::kSize>());
        break;
      case 7:
        out.bundle.expires_s = static_cast<int64_t>(in.uint(INT64_MAX));
        break;
      case 8:
        out.signature = crypto::Signature(in.fixed<64>());
        break;
      default:
        in.skip();
    }
  }
  if (!in.done() || seen != 0b111111110) return malformed();
  return out;
}

crypto::Nonce nonce_of(ByteView sealed) {
  return to_array<kNonceSize>(sealed);
}

}  // namespace

Prekey Prekey::make(uint32_t id, int64_t expires_s, Random& random) {
  Prekey prekey;
  prekey.id = id;
  prekey.agreement = crypto::AgreementPair::make(random);
  random.fill(prekey.kem_seed.data(), prekey.kem_seed.size());
  prekey.expires_s = expires_s;
  return prekey;
}

Prekey Prekey::clone() const {
  return {id, agreement.clone(), kem_seed.clone(), expires_s};
}

SecretBytes Prekey::to_bytes() const {
  Bytes out;
  out.reserve(kPrekeySize);
  out.push_back(kStoredVersion);
  codec::append_le(out, id);
  codec::append_le(out, static_cast<uint64_t>(expires_s));
  append(out, agreement.secret.view());
  append(out, kem_seed.view());
  return SecretBytes(std::move(out));
}

Result<Prekey> Prekey::from_bytes(ByteView stored) {
  codec::FieldReader in(stored);
  const auto version = in.number<uint8_t>();
  Prekey prekey;
  prekey.id = in.number<uint32_t>();
  prekey.expires_s = static_cast<int64_t>(in.number<uint64_t>());
  const ByteView agreement = in.take(32);
  const ByteView kem_seed = in.take(64);
  if (!in.done() || version != kStoredVersion) {
    return fail(WHERRY_E_CORRUPT, "The stored prekey is damaged.");
  }
  prekey.agreement = crypto::AgreementPair::from_secret(agreement);
  prekey.kem_seed = Secret<64>(kem_seed);
  return prekey;
}

Result<Bytes> Bundle::make(const Device& device, const DeviceList& list, const Prekey& prekey) {
  Bundle bundle;
  bundle.list = list;
  bundle.device = device.public_part();
  bundle.prekey_id = prekey.id;
  bundle.agreement = prekey.agreement.public_key;
  bundle.kem = crypto::KemPair::from_seed(prekey.kem_seed).public_key;
  bundle.expires_s = prekey.expires_s;

  codec::CborWriter out(limits::kBundleSize);
  out.map(8);
  write_pairs(out, bundle);
  out.key(8).bytes(device.signing.sign(kLabel, signed_part(bundle)).view());
  if (out.view().size() > kPlainSize - kLengthSize) {
    return fail(WHERRY_E_TOO_LARGE, "There are too many devices for a bundle.");
  }
  return out.take();
}

Result<Bundle> Bundle::parse(ByteView cbor, const VerifyKey& identity) {
  Result<Fields> fields = read_fields(cbor);
  if (!fields) return fields.error();
  Bundle bundle = std::move(fields->bundle);
  Result<DeviceList> list = DeviceList::parse(fields->list);
  if (!list) return list.error();
  bundle.list = list.take();
  if (bundle.list.identity() != identity) return forged();
  const DevicePublic* device = bundle.list.find(fields->device_id);
  if (device == nullptr) return forged();
  bundle.device = *device;
  if (!crypto::verify(device->signing, fields->signature, kLabel, signed_part(bundle))) {
    return forged();
  }
  return bundle;
}

Bytes32 bundle_locator(const Secret<32>& fetch_secret) {
  return crypto::hash<32>(fetch_secret.view(), "bundle/locator");
}

Bytes seal_bundle(const Secret<32>& fetch_secret, ByteView cbor, Random& random) {
  assert(cbor.size() <= kPlainSize - kLengthSize);
  Bytes plain;
  plain.reserve(kPlainSize);
  codec::append_le(plain, static_cast<uint16_t>(cbor.size()));
  append(plain, cbor);
  plain.resize(kPlainSize);

  const auto nonce = random.array<kNonceSize>();
  Bytes out(limits::kBundleSize);
  std::copy(nonce.begin(), nonce.end(), out.begin());
  const Secret<32> key = crypto::derive_key(fetch_secret.view(), "bundle/key");
  crypto::aead_seal_into(out.data() + kNonceSize, key.view(), nonce, bundle_locator(fetch_secret),
                         plain);
  return out;
}

Result<Bytes> open_bundle(const Secret<32>& fetch_secret, ByteView sealed) {
  if (sealed.size() != limits::kBundleSize) return malformed();
  const Secret<32> key = crypto::derive_key(fetch_secret.view(), "bundle/key");
  const std::optional<Bytes> plain = crypto::aead_open(
      key.view(), nonce_of(sealed), bundle_locator(fetch_secret), sealed.subspan(kNonceSize));
  if (!plain) return forged();
  codec::FieldReader in(*plain);
  const ByteView cbor = in.take(in.number<uint16_t>());
  if (in.failed()) return malformed();
  return Bytes(cbor.begin(), cbor.end());
}

}  // namespace wherry::identity
