// Ranges of what came, against a set of numbers as the model.
#include "delivery/stream.h"

#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"
#include "seeded_random.h"

namespace wherry::delivery {
namespace {

uint64_t lowest_missing(const std::set<uint64_t>& stored) {
  uint64_t next = 1;
  while (stored.contains(next)) ++next;
  return next;
}

void expect_invariants(const Stream& stream) {
  uint64_t above = stream.next;
  for (const Range& range : stream.beyond) {
    EXPECT_GT(range.from, above);  // does not touch what is before
    EXPECT_GE(range.to, range.from);
    above = range.to + 1;
  }
}

TEST(Stream, StoredRangesThatCanNotBeAreDamage) {
  const auto stored = [](const std::vector<Range>& ranges) {
    return Stream::from_bytes(5, Stream{5, ranges}.to_bytes());
  };
  EXPECT_TRUE(stored({{7, 7}, {9, 20}}));
  for (const std::vector<Range>& ranges : std::vector<std::vector<Range>>{
           {{4, 9}},            // below next
           {{5, 9}},            // touches it
           {{8, 7}},            // ends before it begins
           {{7, 9}, {10, 12}},  // touch each other
           {{9, 9}, {7, 7}},    // fall
           {{7, UINT64_MAX}},   // nothing may follow
       }) {
    const auto damaged = stored(ranges);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().status, WHERRY_E_CORRUPT);
  }
  EXPECT_FALSE(Stream::from_bytes(0, {}));
  EXPECT_TRUE(Stream::from_bytes(INT64_MAX, {}));
  EXPECT_FALSE(Stream::from_bytes(uint64_t{INT64_MAX} + 1, {}));
}

TEST(Stream, IsWhatASetOfNumbersIs) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    test::SeededRandom random(seed);
    Stream stream;
    std::set<uint64_t> stored;
    for (int i = 0; i < 400; ++i) {
      const uint64_t seq = std::max<uint64_t>(1, stream.next + random.below(600) - 40);
      const Arrival arrival = classify(stream, seq);
      if (seq >= stream.next + limits::kReceiveAhead) {
        EXPECT_EQ(arrival, Arrival::kTooFar);
        continue;
      }
      EXPECT_EQ(arrival == Arrival::kDuplicate, stored.contains(seq));
      EXPECT_EQ(arrival == Arrival::kNext, seq == lowest_missing(stored));
      if (arrival == Arrival::kDuplicate) continue;
      admit(stream, seq);
      stored.insert(seq);
      expect_invariants(stream);
      EXPECT_EQ(stream.next, lowest_missing(stored));
    }
    const Result<Stream> again = Stream::from_bytes(stream.next, stream.to_bytes());
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, stream);

    const Acked acked = acknowledgement(stream);
    EXPECT_LE(acked.ranges.size(), limits::kAckRanges);
    for (uint64_t seq = 1; seq <= highest(acked) + 5; ++seq) {
      EXPECT_EQ(covers(acked, seq), seq <= highest(acked) && stored.contains(seq)) << seq;
    }
    for (int i = 0; i < 200; ++i) {
      const uint64_t first = 1 + random.below(highest(acked) + 3);
      const uint64_t last = first + random.below(6);
      bool all = true;
      for (uint64_t seq = first; seq <= last; ++seq) all = all && covers(acked, seq);
      EXPECT_EQ(covers_all(acked, first, last), all) << first << ".." << last;
    }
  }
}

TEST(Stream, KeepsNoMoreThanItsLimitAhead) {
  const Stream stream;
  EXPECT_EQ(classify(stream, 0), Arrival::kDuplicate);
  EXPECT_EQ(classify(stream, 1), Arrival::kNext);
  EXPECT_EQ(classify(stream, limits::kReceiveAhead), Arrival::kEarly);
  EXPECT_EQ(classify(stream, limits::kReceiveAhead + 1), Arrival::kTooFar);
  EXPECT_EQ(classify(stream, UINT64_MAX), Arrival::kTooFar);
}

TEST(Stream, AnEmptyAcknowledgementCoversNothing) {
  const Acked acked = acknowledgement(Stream());
  EXPECT_EQ(highest(acked), 0u);
  EXPECT_FALSE(covers(acked, 1));
}

TEST(Stream, StoredBytesMustBePairs) {
  EXPECT_TRUE(Stream::from_bytes(1, {}));
  EXPECT_EQ(Stream::from_bytes(1, Bytes(15)).error().status, WHERRY_E_CORRUPT);
}

}  // namespace
}  // namespace wherry::delivery
