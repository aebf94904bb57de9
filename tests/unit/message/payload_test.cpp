// Payloads: what is written is read again; every limit and every rule of the format is checked.
#include "message/payload.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "codec/cbor.h"
#include "seeded_random.h"

namespace wherry::message {
namespace {

using codec::CborWriter;

Record record(uint64_t seq, size_t size) {
  Record made;
  made.seq = seq;
  made.incarnation = UINT64_MAX;
  made.id = {1, 2, 3};
  made.clock = 9;
  made.sent_ms = 1'800'000'000'000;
  made.content = WHERRY_CONTENT_TEXT;
  made.body = Bytes(size, 'x');
  return made;
}

Payload full() {
  Payload payload;
  payload.records = {record(1, 0), record(2, 300), record(3, limits::kBodySizeMax)};
  payload.records[1].conversation = Id128{4};
  payload.records[1].device = Id128{5};
  payload.records[0].content = kVoid;
  payload.acks = {{7, 3, {{5, 5}, {7, 9}}, {}, {}},
                  {8, 1, {}, Id128{1}, {}},
                  {9, 1, {}, {}, Id128{2}},
                  {10, 1, {}, Id128{1}, Id128{2}}};
  payload.endpoints = Endpoints{3, {{"tor", "abc:1"}, {"centralized", "wr1:x"}}, {{1, 2, 3}}};
  payload.reset = ResetOffer{Bytes(1500, 7), Bytes32{6}};
  payload.reseal = true;
  payload.follows = Bytes32{9};
  payload.probe = Id128{10};
  payload.answers = {Id128{11}, Id128{12}};
  payload.moved = Moved{3, UINT64_MAX, 99};
  payload.endpoints->chosen = true;
  return payload;
}

int32_t refusal(const CborWriter& out) {
  const Result<Payload> read = decode_payload(out.view());
  return read ? static_cast<int32_t>(WHERRY_REASON_NONE) : read.error().reason;
}

TEST(Payload, IsReadAsItWasWritten) {
  const Payload written = full();
  const Bytes bytes = encode(written);
  const Result<Payload> read = decode_payload(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->records, written.records);
  EXPECT_EQ(read->acks, written.acks);
  EXPECT_EQ(read->endpoints, written.endpoints);
  EXPECT_EQ(read->reset->bundle, written.reset->bundle);
  EXPECT_EQ(read->reset->fetch, written.reset->fetch);
  EXPECT_TRUE(read->reseal);
  EXPECT_EQ(read->follows, written.follows);
  EXPECT_EQ(read->probe, written.probe);
  EXPECT_EQ(read->answers, written.answers);
  EXPECT_EQ(read->moved, written.moved);
  EXPECT_EQ(encode(*read), bytes);
}

TEST(Payload, MayBeEmpty) {
  const Result<Payload> read = decode_payload(encode(Payload()));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->records.empty() && read->acks.empty() && !read->endpoints && !read->reset &&
              !read->reseal && !read->follows && !read->probe && read->answers.empty() &&
              !read->moved);
}

TEST(Payload, ARecordAddsNoMoreThanItsOverhead) {
  for (size_t size : {0u, 23u, 24u, 255u, 256u, 32768u}) {
    Record largest = record(INT64_MAX, size);
    largest.clock = INT64_MAX;
    largest.sent_ms = INT64_MAX;
    largest.content = INT32_MAX;
    EXPECT_LE(encode(largest).size(), size + kRecordOverhead);
  }
}

TEST(Payload, EveryCutIsRefused) {
  Payload payload = full();
  payload.records.pop_back();
  const Bytes bytes = encode(payload);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_payload(ByteView(bytes).first(size))) << size;
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_payload(longer));
}

TEST(Payload, DamageIsRefusedOrReadAsSomethingThatIsWrittenTheSame) {
  Payload payload = full();
  payload.records.pop_back();
  const Bytes bytes = encode(payload);
  test::SeededRandom random(1);
  for (int i = 0; i < 20'000; ++i) {
    Bytes damaged = bytes;
    damaged[random.below(damaged.size())] ^= static_cast<uint8_t>(1u << random.below(8));
    const Result<Payload> read = decode_payload(damaged);
    EXPECT_TRUE(!read || decode_payload(encode(*read)));
  }
}

TEST(Payload, UnknownMembersAreIgnored) {
  CborWriter out;
  out.map(2).key(5).boolean(true).key(99).array(1).text("later");
  const Result<Payload> read = decode_payload(out.view());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->reseal);
}

TEST(Payload, ABodyOfMoreThanTheLimitIsRefused) {
  Payload payload;
  payload.records = {record(1, limits::kBodySizeMax + 1)};
  EXPECT_EQ(decode_payload(encode(payload)).error().reason, WHERRY_REASON_MALFORMED);
}

TEST(Payload, SequenceNumbersBeginAtOne) {
  Payload payload;
  payload.records = {record(0, 1)};
  EXPECT_FALSE(decode_payload(encode(payload)));
  payload.records = {record(UINT64_MAX, 1)};  // would be negative in the store
  EXPECT_FALSE(decode_payload(encode(payload)));
}

TEST(Payload, AcknowledgementsRiseAndDoNotTouch) {
  const auto refused = [](uint64_t next, std::vector<AckRange> ranges) {
    Payload payload;
    payload.acks = {{1, next, std::move(ranges), {}, {}}};
    return !decode_payload(encode(payload));
  };
  EXPECT_FALSE(refused(1, {}));
  EXPECT_FALSE(refused(3, {{5, 9}, {11, 11}}));
  EXPECT_TRUE(refused(0, {}));
  EXPECT_TRUE(refused(3, {{3, 4}}));           // its beginning is not missing
  EXPECT_TRUE(refused(3, {{5, 4}}));           // falls
  EXPECT_TRUE(refused(3, {{5, 6}, {7, 8}}));   // touch
  EXPECT_TRUE(refused(3, {{9, 10}, {5, 6}}));  // fall
  EXPECT_TRUE(refused(3, {{5, UINT64_MAX}}));
  std::vector<AckRange> ranges;
  for (uint64_t i = 0; i < limits::kAckRanges; ++i) ranges.push_back({10 + 2 * i, 10 + 2 * i});
  EXPECT_FALSE(refused(1, ranges));
  ranges.push_back({1000, 1000});
  EXPECT_TRUE(refused(1, ranges));
}

TEST(Payload, AnOddNumberOfEndsIsRefused) {
  CborWriter out;
  out.map(1).key(2).array(1).array(3).uint(1).uint(1).array(1).uint(5);
  EXPECT_EQ(refusal(out), WHERRY_REASON_MALFORMED);
}

TEST(Endpoints, AreAtMostEightOfPrintableText) {
  const auto refused = [](const std::vector<Endpoint>& list) {
    return !Endpoints::from_bytes(Endpoints{1, list, {}}.to_bytes());
  };
  EXPECT_FALSE(refused({}));
  EXPECT_FALSE(refused(std::vector<Endpoint>(limits::kEndpointsMax, {"a", "b"})));
  EXPECT_TRUE(refused(std::vector<Endpoint>(limits::kEndpointsMax + 1, {"a", "b"})));
  EXPECT_TRUE(refused({{"", "b"}}));
  EXPECT_TRUE(refused({{"a", ""}}));
  EXPECT_TRUE(refused({{"a", "with space"}}));
  EXPECT_TRUE(refused({{"a", std::string("nul\0inside", 10)}}));
  EXPECT_TRUE(refused({{"a", "\xc3\xa9"}}));
  EXPECT_FALSE(refused(
      {{std::string(limits::kTransportNameMax, 'a'), std::string(limits::kEndpointTextMax, 'b')}}));
  EXPECT_TRUE(refused({{std::string(limits::kTransportNameMax + 1, 'a'), "b"}}));
  EXPECT_TRUE(refused({{"a", std::string(limits::kEndpointTextMax + 1, 'b')}}));
}

TEST(Endpoints, PermitsAreAtMostOneForEachObserver) {
  Endpoints endpoints{1, {}, std::vector<uint32_t>(WHERRY_OBSERVER_ROOM, UINT32_MAX)};
  EXPECT_TRUE(Endpoints::from_bytes(endpoints.to_bytes()));
  endpoints.permits->push_back(1);
  EXPECT_FALSE(Endpoints::from_bytes(endpoints.to_bytes()));
}

TEST(ResetOffer, HasABundleAndASecretOfTheirSizes) {
  CborWriter large;
  large.map(1).key(4).array(2).bytes(Bytes(limits::kBundleSize + 1)).bytes(Bytes(32));
  EXPECT_EQ(refusal(large), WHERRY_REASON_MALFORMED);
  CborWriter brief;
  brief.map(1).key(4).array(2).bytes(Bytes(10)).bytes(Bytes(31));
  EXPECT_EQ(refusal(brief), WHERRY_REASON_MALFORMED);
  CborWriter alone;
  alone.map(1).key(4).array(1).bytes(Bytes(10));
  EXPECT_EQ(refusal(alone), WHERRY_REASON_MALFORMED);
}

}  // namespace
}  // namespace wherry::message
