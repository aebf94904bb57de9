// Keys of a person and of a device.
#include "identity/identity.h"

#include "codec/fields.h"
#include "crypto/hash.h"

namespace wherry::identity {
namespace {

constexpr uint8_t kStoredVersion = 1;
constexpr size_t kIdentitySize = 1 + 32;
constexpr size_t kDeviceSize = 1 + 32 + 32;

Error damaged(const char* what) {
  return fail(WHERRY_E_CORRUPT, std::string("The stored ") + what + " is damaged.");
}

}  // namespace

Id128 DevicePublic::id() const {
  return crypto::hash<16>({}, "device", {signing.view(), agreement.view()});
}

Identity Identity::make(Random& random) {
  return {crypto::SigningPair::make(random)};
}

SecretBytes Identity::to_bytes() const {
  Bytes out;
  out.reserve(kIdentitySize);
  out.push_back(kStoredVersion);
  append(out, keys.seed().view());
  return SecretBytes(std::move(out));
}

Result<Identity> Identity::from_bytes(ByteView stored) {
  if (stored.size() != kIdentitySize || stored[0] != kStoredVersion) return damaged("identity");
  return Identity{crypto::SigningPair::from_seed(stored.subspan(1))};
}

Device Device::make(Random& random) {
  crypto::SigningPair signing = crypto::SigningPair::make(random);
  return {std::move(signing), crypto::AgreementPair::make(random)};
}

SecretBytes Device::to_bytes() const {
  Bytes out;
  out.reserve(kDeviceSize);
  out.push_back(kStoredVersion);
  append(out, signing.seed().view());
  append(out, agreement.secret.view());
  return SecretBytes(std::move(out));
}

Result<Device> Device::from_bytes(ByteView stored) {
  codec::FieldReader in(stored);
  const auto version = in.number<uint8_t>();
  const ByteView signing = in.take(32);
  const ByteView agreement = in.take(32);
  if (!in.done() || version != kStoredVersion) return damaged("device");
  return Device{crypto::SigningPair::from_seed(signing),
                crypto::AgreementPair::from_secret(agreement)};
}

}  // namespace wherry::identity
