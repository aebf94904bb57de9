// What goes over a link between two devices, inside what encrypts it. Where one frame ends and the
// next one begins is the transport's.
//
//   envelopes  1, then for each: number (u32), size (u16), bytes     dialler → listener
//              (at most 256)
//   taken      2, then ranges: first (u32), last (u32)               listener → dialler
//   stored     3, likewise: durable there                            listener → dialler
//   refused    4                                                     listener → dialler
//   hello      5, then a token of the transport's, if it has one     dialler → listener
//   ping       6, where a transport has no heartbeat of its own      dialler → listener
//   pong       7                                                     listener → dialler
//   ask        8, then a bundle's locator (32)                       dialler → listener
//   bundle     9, then the locator, and the bundle; empty: it is     listener → dialler
//              not there
//
// A dialler sends at once, hello if there is nothing else: the listener learns by the first frame
// whose connection it is, and closes one that stays silent. Integers are big-endian. Numbers rise
// from 1 within a link, so that both ends can name an envelope. Those of which none was ever sent
// end the link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace wherry::transports::links {

inline constexpr std::size_t kFrameBytes = std::size_t{64} * 1024;  // of envelopes in one frame
inline constexpr std::size_t kFrameBytesMax = std::size_t{128} * 1024;
inline constexpr std::size_t kFrameEnvelopesMax = 256;
inline constexpr std::size_t kRangesMax = 1024;  // of numbers in one frame

enum class FrameKind : std::uint8_t {
  kEnvelopes = 1,
  kTaken = 2,
  kStored = 3,
  kRefused = 4,
  kHello = 5,
  kPing = 6,
  kPong = 7,
  kAsk = 8,
  kBundle = 9
};

using Bytes = std::vector<std::uint8_t>;

struct NumberedEnvelope {
  std::uint32_t number = 0;
  std::span<const std::uint8_t> bytes;
};

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;

  bool operator==(const Range&) const = default;
};

// What kind it is; nothing of the rest is checked. None: no frame.
[[nodiscard]] std::optional<FrameKind> kind_of(std::span<const std::uint8_t> frame);

// Puts an envelope (1 to WHERRY_ENVELOPE_SIZE_MAX bytes) at the end of a frame, which is empty at
// first.
void append(Bytes& frame, std::uint32_t number, std::span<const std::uint8_t> envelope);

// At least one, at most kFrameEnvelopesMax, with rising numbers from 1. They point into the frame.
// None: it is malformed.
[[nodiscard]] std::optional<std::vector<NumberedEnvelope>> parse_envelopes(
    std::span<const std::uint8_t> frame);

// A frame of `kind` with these numbers, as ranges where they follow each other; sorts them. At most
// kRangesMax ranges: the rest stays in `numbers`.
[[nodiscard]] Bytes pack_numbers(FrameKind kind, std::vector<std::uint32_t>& numbers);

// Rising ranges that do not touch. None: it is malformed.
[[nodiscard]] std::optional<std::vector<Range>> parse_numbers(std::span<const std::uint8_t> frame);

}  // namespace wherry::transports::links
