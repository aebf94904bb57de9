// The devices of a person, signed by the identity (PROTOCOL §2).
#ifndef WHERRY_IDENTITY_DEVICE_LIST_H
#define WHERRY_IDENTITY_DEVICE_LIST_H

#include <vector>

#include "identity/identity.h"

namespace wherry::identity {

class DeviceList {
 public:
  // 1 to limits::kDevicesMax devices.
  static DeviceList make(const Identity& identity, uint64_t generation,
                         std::vector<DevicePublic> devices);
  // Reads `sig[64] ‖ CBOR` and checks the signature by the identity that it names. Refusals:
  // MALFORMED, VERSION, FORGED.
  static Result<DeviceList> parse(ByteView bytes);

  const VerifyKey& identity() const { return identity_; }
  uint64_t generation() const { return generation_; }
  const std::vector<DevicePublic>& devices() const { return devices_; }
  const DevicePublic* find(const Id128& device_id) const;
  // `sig[64] ‖ CBOR`: what is sent and stored.
  const Bytes& bytes() const { return bytes_; }

 private:
  VerifyKey identity_;
  uint64_t generation_ = 0;
  std::vector<DevicePublic> devices_;
  Bytes bytes_;
};

// What a list says beside the one that is known of the same identity.
enum class ListChange {
  kSame,
  kNewer,     // take it
  kOlder,     // keep the known one
  kConflict,  // an equal generation with other contents, or another identity: refuse it
};
ListChange compare(const DeviceList& known, const DeviceList& offered);

}  // namespace wherry::identity

#endif  // WHERRY_IDENTITY_DEVICE_LIST_H
