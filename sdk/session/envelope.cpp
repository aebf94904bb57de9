// Heads and buckets:
//   head = version[1] = 1 ‖ flags[1] = 0 ‖ reserved[2] = 0 ‖ DH[32] ‖ PN u32 ‖ N u32
//          ‖ received u64 ‖ floor u64 ‖ room[64] = 0
#include "session/envelope.h"

#include "base/limits.h"
#include "codec/fields.h"

namespace wherry::session {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kKeyAt = 4;
constexpr size_t kPreviousAt = kKeyAt + 32;
constexpr size_t kNumberAt = kPreviousAt + 4;
constexpr size_t kReceivedAt = kNumberAt + 4;
constexpr size_t kFloorAt = kReceivedAt + 8;
constexpr size_t kRoomAt = kFloorAt + 8;
static_assert(kRoomAt + 64 == kHeadSize);

}  // namespace

std::optional<size_t> least_bucket(size_t size) {
  for (size_t bucket : limits::kBuckets) {
    if (size <= bucket) return bucket;
  }
  return std::nullopt;
}

size_t largest_bucket(size_t size) {
  size_t largest = limits::kBuckets.front();
  for (size_t bucket : limits::kBuckets) {
    if (bucket <= size) largest = bucket;
  }
  return largest;
}

std::array<uint8_t, kHeadSize> Head::encode() const {
  std::array<uint8_t, kHeadSize> out{};
  out[0] = kVersion;
  std::memcpy(&out[kKeyAt], ratchet_key.bytes.data(), ratchet_key.bytes.size());
  codec::store_le(&out[kPreviousAt], previous_length);
  codec::store_le(&out[kNumberAt], n);
  codec::store_le(&out[kReceivedAt], received);
  codec::store_le(&out[kFloorAt], floor);
  return out;
}

std::optional<Head> Head::decode(const std::array<uint8_t, kHeadSize>& bytes) {
  if (bytes[0] != kVersion) return std::nullopt;
  Head head;
  head.ratchet_key = crypto::AgreementKey::from(ByteView(bytes).subspan(kKeyAt, 32));
  head.previous_length = codec::load_le<uint32_t>(&bytes[kPreviousAt]);
  head.n = codec::load_le<uint32_t>(&bytes[kNumberAt]);
  head.received = codec::load_le<uint64_t>(&bytes[kReceivedAt]);
  head.floor = codec::load_le<uint64_t>(&bytes[kFloorAt]);
  return head;
}

}  // namespace wherry::session
