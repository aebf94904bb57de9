// The form and sizes of envelopes (PROTOCOL §5.1, §5.2):
//
//   envelope = tag[16] ‖ salt[8] ‖ header[140] ‖ body
//   header   = sealed head[124]
//   body     = sealed (u16 length ‖ payload ‖ zeros)
#ifndef WHERRY_SESSION_ENVELOPE_H
#define WHERRY_SESSION_ENVELOPE_H

#include <optional>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/keys.h"

namespace wherry::session {

// By it the receiver finds session, chain and number of an envelope without a trial.
using Tag = std::array<uint8_t, 16>;

inline constexpr size_t kTagSize = 16;
inline constexpr size_t kSaltSize = 8;
inline constexpr size_t kHeadSize = 124;
inline constexpr size_t kHeaderAt = kTagSize + kSaltSize;
inline constexpr size_t kBodyAt = kHeaderAt + kHeadSize + crypto::kAeadOverhead;
inline constexpr size_t kLengthSize = 2;
// What an envelope has around its payload, bytes.
inline constexpr size_t kEnvelopeOverhead = kBodyAt + kLengthSize + crypto::kAeadOverhead;

// The least bucket that holds `size` bytes; none beyond the largest.
std::optional<size_t> least_bucket(size_t size);
// The largest bucket of at most `size` bytes; the least of all for less than that.
size_t largest_bucket(size_t size);

// The largest payload for an envelope of this size, bytes.
constexpr size_t payload_room(size_t envelope_size) {
  return envelope_size < kEnvelopeOverhead ? 0 : envelope_size - kEnvelopeOverhead;
}

// The caller has checked that there are 16 bytes.
inline Tag tag_of(ByteView envelope) {
  return to_array<kTagSize>(envelope);
}

// What a header says, in the clear.
struct Head {
  crypto::AgreementKey ratchet_key;  // DH
  uint32_t previous_length = 0;      // PN
  uint32_t n = 0;                    // N
  uint64_t received = 0;
  uint64_t floor = 0;

  std::array<uint8_t, kHeadSize> encode() const;
  // Empty for an unknown version.
  static std::optional<Head> decode(const std::array<uint8_t, kHeadSize>& bytes);
};

}  // namespace wherry::session

#endif  // WHERRY_SESSION_ENVELOPE_H
