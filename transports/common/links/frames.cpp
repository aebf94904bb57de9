// Frames as bytes.
#include "frames.h"

#include <algorithm>

#include "include/wherry/transport.h"

namespace wherry::transports::links {
namespace {

constexpr std::size_t kEnvelopeHead = 6;
constexpr std::size_t kRangeSize = 8;

void put(Bytes& out, std::uint32_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

std::uint32_t get(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8U | byte;
  return value;
}

}  // namespace

std::optional<FrameKind> kind_of(std::span<const std::uint8_t> frame) {
  if (frame.empty() || frame[0] < 1 || frame[0] > 9) return std::nullopt;
  return static_cast<FrameKind>(frame[0]);
}

void append(Bytes& frame, std::uint32_t number, std::span<const std::uint8_t> envelope) {
  if (frame.empty()) frame.push_back(static_cast<std::uint8_t>(FrameKind::kEnvelopes));
  put(frame, number, 4);
  put(frame, static_cast<std::uint32_t>(envelope.size()), 2);
  frame.insert(frame.end(), envelope.begin(), envelope.end());
}

std::optional<std::vector<NumberedEnvelope>> parse_envelopes(std::span<const std::uint8_t> frame) {
  std::vector<NumberedEnvelope> envelopes;
  std::uint32_t last = 0;
  auto rest = frame.subspan(1);
  while (rest.size() >= kEnvelopeHead) {
    const std::uint32_t number = get(rest.first(4));
    const std::size_t size = get(rest.subspan(4, 2));
    rest = rest.subspan(kEnvelopeHead);
    const bool sound = envelopes.size() < kFrameEnvelopesMax && number > last && size > 0 &&
                       size <= WHERRY_ENVELOPE_SIZE_MAX && size <= rest.size();
    if (!sound) return std::nullopt;
    envelopes.push_back({number, rest.first(size)});
    rest = rest.subspan(size);
    last = number;
  }
  if (!rest.empty() || envelopes.empty()) return std::nullopt;
  return envelopes;
}

Bytes pack_numbers(FrameKind kind, std::vector<std::uint32_t>& numbers) {
  std::ranges::sort(numbers);
  Bytes frame{static_cast<std::uint8_t>(kind)};
  std::size_t used = 0;
  for (std::size_t ranges = 0; used < numbers.size() && ranges < kRangesMax; ++ranges) {
    const std::uint32_t first = numbers[used];
    std::uint32_t last = first;
    while (++used < numbers.size() && numbers[used] <= last + 1) last = numbers[used];
    put(frame, first, 4);
    put(frame, last, 4);
  }
  numbers.erase(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(used));
  return frame;
}

std::optional<std::vector<Range>> parse_numbers(std::span<const std::uint8_t> frame) {
  const auto body = frame.subspan(1);
  if (body.empty() || body.size() % kRangeSize != 0 || body.size() > kRangesMax * kRangeSize) {
    return std::nullopt;
  }
  std::vector<Range> ranges;
  for (std::size_t at = 0; at < body.size(); at += kRangeSize) {
    const Range range{get(body.subspan(at, 4)), get(body.subspan(at + 4, 4))};
    const bool follows = ranges.empty() || range.first > ranges.back().last;
    if (range.first == 0 || range.last < range.first || !follows) return std::nullopt;
    ranges.push_back(range);
  }
  return ranges;
}

}  // namespace wherry::transports::links
