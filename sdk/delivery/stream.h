// What has come of one author's stream: a value that only grows (PROTOCOL §6, sequence and
// acknowledgement).
#ifndef WHERRY_DELIVERY_STREAM_H
#define WHERRY_DELIVERY_STREAM_H

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace wherry::delivery {

// Sequence numbers from..to, both included.
struct Range {
  uint64_t from = 0;
  uint64_t to = 0;
  bool operator==(const Range&) const = default;
};

// Invariant: ranges rise, do not touch each other, and lie above `next`.
struct Stream {
  uint64_t next = 1;  // the lowest number that is not stored
  std::vector<Range> beyond;

  bool operator==(const Stream&) const = default;
  Bytes to_bytes() const;  // of `beyond`: pairs of u64
  static Result<Stream> from_bytes(uint64_t next, ByteView beyond);
};

enum class Arrival {
  kNext,       // give it to the app, then what `early` holds from the new `next` on
  kEarly,      // store it until its turn
  kDuplicate,  // acknowledge it again
  kTooFar,     // beyond what is stored; its sender will send it again
};

Arrival classify(const Stream& stream, uint64_t seq);

// Marks a number as stored, which classify() called kNext or kEarly. With kNext, `next` moves
// beyond everything that is now contiguous.
void admit(Stream& stream, uint64_t seq);

// An acknowledgement: `next` and the ranges beyond it that it names.
struct Acked {
  uint64_t next = 1;
  std::vector<Range> ranges;
};

Acked acknowledgement(const Stream& stream);

bool covers(const Acked& acked, uint64_t seq);
bool covers_all(const Acked& acked, uint64_t first, uint64_t last);
// The highest number that is known to be stored; what is not covered below it is a gap.
uint64_t highest(const Acked& acked);

}  // namespace wherry::delivery

#endif  // WHERRY_DELIVERY_STREAM_H
