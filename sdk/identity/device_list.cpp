// Device lists:
//   list = sig[64] ‖ CBOR {1: version, 2: IK[32], 3: generation, 4: [[DK[32], DA[32]], …]}
#include "identity/device_list.h"

#include <cassert>

#include "base/limits.h"
#include "codec/cbor.h"

namespace wherry::identity {
namespace {

constexpr uint64_t kVersion = 1;
constexpr std::string_view kLabel = "devices";
constexpr size_t kSignatureSize = crypto::Signature::kSize;

Error malformed() {
  return refuse(WHERRY_REASON_MALFORMED, "This is not a device list.");
}

void read_devices(codec::CborReader& in, std::vector<DevicePublic>& devices) {
  const size_t count = in.array(limits::kDevicesMax);
  for (size_t i = 0; i < count && !in.failed(); ++i) {
    if (in.array() != 2) in.fail();
    DevicePublic device;
    device.signing = VerifyKey(in.fixed<32>());
    device.agreement = AgreementKey(in.fixed<32>());
    for (const DevicePublic& other : devices) {
      if (other == device) in.fail();
    }
    devices.push_back(device);
  }
}

}  // namespace

DeviceList DeviceList::make(const Identity& identity, uint64_t generation,
                            std::vector<DevicePublic> devices) {
  assert(!devices.empty() && devices.size() <= limits::kDevicesMax);
  codec::CborWriter out;
  out.map(4).key(1).uint(kVersion);
  out.key(2).bytes(identity.public_key().view());
  out.key(3).uint(generation);
  out.key(4).array(devices.size());
  for (const DevicePublic& device : devices) {
    out.array(2).bytes(device.signing.view()).bytes(device.agreement.view());
  }

  DeviceList list;
  list.identity_ = identity.public_key();
  list.generation_ = generation;
  list.devices_ = std::move(devices);
  const crypto::Signature signature = identity.keys.sign(kLabel, out.view());
  append(list.bytes_, signature.view());
  append(list.bytes_, out.view());
  return list;
}

Result<DeviceList> DeviceList::parse(ByteView bytes) {
  if (bytes.size() <= kSignatureSize) return malformed();
  const ByteView signed_part = bytes.subspan(kSignatureSize);
  codec::CborReader in(signed_part);
  DeviceList list;
  uint64_t version = 0;
  bool has_identity = false;
  bool has_generation = false;
  for (codec::CborMap map = in.map(); map.next();) {
    switch (map.key()) {
      case 1:
        version = in.uint();
        if (!in.failed() && version != kVersion) {
          return refuse(WHERRY_REASON_VERSION, "The device list is of a newer version.");
        }
        break;
      case 2:
        list.identity_ = VerifyKey(in.fixed<32>());
        has_identity = true;
        break;
      case 3:
        list.generation_ = in.uint();
        has_generation = true;
        break;
      case 4:
        read_devices(in, list.devices_);
        break;
      default:
        in.skip();
    }
  }
  if (!in.done() || version == 0 || !has_identity || !has_generation || list.devices_.empty()) {
    return malformed();
  }
  const auto signature = crypto::Signature::from(bytes.first(kSignatureSize));
  if (!crypto::verify(list.identity_, signature, kLabel, signed_part)) {
    return refuse(WHERRY_REASON_FORGED, "The signature of the device list does not fit.");
  }
  list.bytes_.assign(bytes.begin(), bytes.end());
  return list;
}

const DevicePublic* DeviceList::find(const Id128& device_id) const {
  for (const DevicePublic& device : devices_) {
    if (device.id() == device_id) return &device;
  }
  return nullptr;
}

ListChange compare(const DeviceList& known, const DeviceList& offered) {
  if (known.identity() != offered.identity()) return ListChange::kConflict;
  if (offered.generation() > known.generation()) return ListChange::kNewer;
  if (offered.generation() < known.generation()) return ListChange::kOlder;
  // The CBOR is deterministic, so equal contents are equal bytes; signatures may differ.
  const ByteView known_contents = ByteView(known.bytes()).subspan(kSignatureSize);
  const ByteView offered_contents = ByteView(offered.bytes()).subspan(kSignatureSize);
  return equal(known_contents, offered_contents) ? ListChange::kSame : ListChange::kConflict;
}

}  // namespace wherry::identity
