// Ranges of sequence numbers.
#include "delivery/stream.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "codec/fields.h"

namespace wherry::delivery {
namespace {

// What a database's integer can hold: so adding to a stored number does not overflow.
constexpr uint64_t kStoredMax = INT64_MAX;

}  // namespace

Bytes Stream::to_bytes() const {
  Bytes out;
  out.reserve(beyond.size() * 16);
  for (const Range& range : beyond) {
    codec::append_le(out, range.from);
    codec::append_le(out, range.to);
  }
  return out;
}

Result<Stream> Stream::from_bytes(uint64_t next, ByteView beyond) {
  const Error damaged = fail(WHERRY_E_CORRUPT, "a stored stream is damaged");
  Stream stream;
  stream.next = next;
  if (next == 0 || next > kStoredMax || beyond.size() % 16 != 0) return damaged;
  uint64_t above = next;
  codec::FieldReader in(beyond);
  while (!in.done()) {
    const Range range{in.number<uint64_t>(), in.number<uint64_t>()};
    if (range.from <= above || range.to < range.from || range.to > kStoredMax) {
      return damaged;
    }
    above = range.to + 1;
    stream.beyond.push_back(range);
  }
  return stream;
}

Arrival classify(const Stream& stream, uint64_t seq) {
  if (seq < stream.next) return Arrival::kDuplicate;
  if (seq == stream.next) return Arrival::kNext;
  if (seq - stream.next >= limits::kReceiveAhead) return Arrival::kTooFar;
  for (const Range& range : stream.beyond) {
    if (seq >= range.from && seq <= range.to) return Arrival::kDuplicate;
  }
  return Arrival::kEarly;
}

void admit(Stream& stream, uint64_t seq) {
  std::vector<Range>& ranges = stream.beyond;
  if (seq == stream.next) {
    ++stream.next;
    if (!ranges.empty() && ranges.front().from == stream.next) {
      stream.next = ranges.front().to + 1;
      ranges.erase(ranges.begin());
    }
    return;
  }
  auto after = std::find_if(ranges.begin(), ranges.end(),
                            [seq](const Range& range) { return range.from > seq; });
  const bool joins_before = after != ranges.begin() && std::prev(after)->to + 1 == seq;
  const bool joins_after = after != ranges.end() && seq + 1 == after->from;
  if (joins_before && joins_after) {
    std::prev(after)->to = after->to;
    ranges.erase(after);
  } else if (joins_before) {
    std::prev(after)->to = seq;
  } else if (joins_after) {
    after->from = seq;
  } else {
    ranges.insert(after, {seq, seq});
  }
}

Acked acknowledgement(const Stream& stream) {
  Acked acked{stream.next, stream.beyond};
  if (!stream.beyond.empty() && mutant(Mutant::kGapAcknowledged)) {
    return {stream.beyond.back().to + 1, {}};
  }
  if (acked.ranges.size() > limits::kAckRanges) acked.ranges.resize(limits::kAckRanges);
  return acked;
}

bool covers(const Acked& acked, uint64_t seq) {
  return covers_all(acked, seq, seq);
}

bool covers_all(const Acked& acked, uint64_t first, uint64_t last) {
  if (last < acked.next) return true;
  first = std::max(first, acked.next);
  for (const Range& range : acked.ranges) {
    if (first >= range.from && first <= range.to) {
      if (last <= range.to) return true;
      return false;
    }
  }
  return false;
}

uint64_t highest(const Acked& acked) {
  return acked.ranges.empty() ? acked.next - 1 : acked.ranges.back().to;
}

}  // namespace wherry::delivery
