// Payloads that break a rule (PROTOCOL §6, §8): formats, sequence, clock, contents.
#include "attack.h"
#include "base/limits.h"
#include "codec/cbor.h"

namespace wherry::test {
namespace {

using codec::CborWriter;

class HostilePayload : public Attack {
 protected:
  HostilePayload() { meet(); }

  void send(const message::Record& record) {
    message::Payload payload;
    payload.records.push_back(record);
    mallory.send(payload);
  }
  // Ann's app is told nothing of it, and of the next one everything.
  void expect_dropped(const std::string& what, ByteView payload) {
    SCOPED_TRACE(what);
    const size_t before = from_mallory().size();
    mallory.send(payload);
    world.run_for(300);
    EXPECT_EQ(from_mallory().size(), before);
    expect_heard("after " + what);
  }
  // What Ann says of Mallory's newest stream.
  message::Ack last_ack() {
    message::Ack last;
    for (const message::Payload& payload : mallory.heard()) {
      for (const message::Ack& ack : payload.acks) last = ack;
    }
    return last;
  }
};

TEST_F(HostilePayload, WhatIsNotDeterministicCborIsDropped) {
  const Bytes text = message::encode(mallory.record("never shown"));
  const auto with = [&](std::initializer_list<uint8_t> before,
                        std::initializer_list<uint8_t> after) {
    Bytes all(before);
    append(all, text);
    all.insert(all.end(), after);
    return all;
  };
  mallory.begin_stream();
  expect_dropped("nothing", {});
  expect_dropped("a number", Bytes{0x01});
  expect_dropped("an array", with({0x81}, {}));
  expect_dropped("trailing bytes", with({0xa1, 0x01, 0x81}, {0x00}));
  expect_dropped("cut off", with({0xa2, 0x01, 0x81}, {}));
  expect_dropped("a length that is not the shortest", with({0xb8, 0x01, 0x01, 0x81}, {}));
  expect_dropped("a key that is not the shortest", with({0xa1, 0x18, 0x01, 0x81}, {}));
  expect_dropped("indefinite", with({0xbf, 0x01, 0x81}, {0xff}));
  expect_dropped("a duplicate key", with({0xa2, 0x01, 0x81}, {0x01, 0x80}));
  expect_dropped("falling keys", with({0xa2, 0x05, 0xf5, 0x01, 0x81}, {}));
  expect_dropped("a float", with({0xa2, 0x01, 0x81}, {0x18, 0x63, 0xf9, 0x00, 0x00}));
  expect_dropped("a tag", with({0xa2, 0x01, 0x81}, {0x18, 0x63, 0xc1, 0x00}));
  expect_dropped("undefined", with({0xa2, 0x01, 0x81}, {0x18, 0x63, 0xf7}));
  expect_dropped("nine levels", with({0xa2, 0x01, 0x81}, {0x18, 0x63, 0x81, 0x81, 0x81, 0x81, 0x81,
                                                          0x81, 0x81, 0x81, 0x00}));
  expect_dropped("ten thousand messages", Bytes{0xa1, 0x01, 0x99, 0x27, 0x10});
  expect_dropped("four billion messages", Bytes{0xa1, 0x01, 0x9a, 0xff, 0xff, 0xff, 0xff});
}

TEST_F(HostilePayload, AnythingAtAllIsSurvived) {
  for (int i = 0; i < 300; ++i) {
    Bytes payload = message::encode(mallory.say("damaged"));
    payload[mallory.random.below(payload.size())] = static_cast<uint8_t>(mallory.random.below(256));
    mallory.send(i % 3 == 0 ? mallory.random.bytes(mallory.random.below(300)) : payload);
    if (i % 20 == 0) world.run_for(20);
  }
  world.run_for(1'000);
  mallory.begin_stream();
}

TEST_F(HostilePayload, UnknownKeysAreIgnored) {
  CborWriter out;
  out.map(2).key(1).array(1).raw(message::encode(mallory.record("known"))).key(99).array(2);
  out.text("of a later").map(1).key(1).text("version");
  mallory.send(out.view());
  world.run_for(300);
  EXPECT_EQ(from_mallory().back(), "known");
}

TEST_F(HostilePayload, MembersOfOtherSizesOrTypesAreDropped) {
  const auto record = [&](uint64_t seq, const std::function<void(CborWriter&)>& rest) {
    CborWriter out;
    out.map(1).key(1).array(1).map(6).key(1).uint(seq).key(2).uint(1);
    rest(out);
    return out.take();
  };
  const auto id = [](CborWriter& out, size_t size) { out.key(3).bytes(Bytes(size)); };
  expect_dropped("number 0", record(0, [&](CborWriter& out) {
                   id(out, 16);
                   out.key(4).uint(1).key(5).uint(1).key(6).uint(1);
                 }));
  expect_dropped("a short id", record(1, [&](CborWriter& out) {
                   id(out, 15);
                   out.key(4).uint(1).key(5).uint(1).key(6).uint(1);
                 }));
  expect_dropped("a clock beyond all", record(1, [&](CborWriter& out) {
                   id(out, 16);
                   out.key(4).uint(UINT64_MAX).key(5).uint(1).key(6).uint(1);
                 }));
  expect_dropped("a time beyond all", record(1, [&](CborWriter& out) {
                   id(out, 16);
                   out.key(4).uint(1).key(5).uint(UINT64_MAX).key(6).uint(1);
                 }));
  expect_dropped("a content beyond all", record(1, [&](CborWriter& out) {
                   id(out, 16);
                   out.key(4).uint(1).key(5).uint(1).key(6).uint(uint64_t{1} << 31);
                 }));
  message::Payload large = mallory.say("");
  large.records[0].body.resize(limits::kBodySizeMax + 1);
  mallory.begin_stream();
  expect_dropped("a body beyond the limit", message::encode(large));
}

TEST_F(HostilePayload, ANumberIsTakenOnce) {
  message::Record first = mallory.record("first");
  send(first);
  message::Record other = first;
  other.id[0] ^= 1;
  other.body = {'x'};
  for (int i = 0; i < 5; ++i) send(other);
  world.run_for(500);
  EXPECT_EQ(from_mallory(), (Texts{"hello", "first"}));
  EXPECT_EQ(history(), (Texts{"hello", "first"}));
}

TEST_F(HostilePayload, AnIdIsTakenOnce) {
  message::Record first = mallory.record("first");
  send(first);
  for (int i = 0; i < 5; ++i) {
    message::Record again = mallory.record("again");
    again.id = first.id;
    send(again);
  }
  mallory.begin_stream();
  message::Record anew = mallory.record("in another incarnation");
  anew.id = first.id;
  send(anew);
  world.run_for(500);
  EXPECT_EQ(from_mallory(), (Texts{"hello", "first"}));
  EXPECT_EQ(last_ack().next, 2u);
}

TEST_F(HostilePayload, AnIdOfAnnsOwnTakesNothingFromHer) {
  write("mine");
  world.run_for(500);
  message::Record stolen = mallory.record("stolen");
  for (const message::Payload& payload : mallory.heard()) {
    for (const message::Record& record : payload.records) stolen.id = record.id;
  }
  send(stolen);
  write("mine too");
  world.run_for(500);
  EXPECT_EQ(history(), (Texts{"hello", "mine", "mine too"}));
  EXPECT_EQ(mallory.texts(), (Texts{"mine", "mine too"}));
}

TEST_F(HostilePayload, NumbersFarAheadAreNotStored) {
  message::Record far = mallory.record("far");
  const uint64_t next = far.seq;
  for (uint64_t ahead : {limits::kReceiveAhead, limits::kReceiveAhead * 100, uint64_t{1} << 62}) {
    far.seq = next + ahead;
    send(far);
  }
  far.seq = INT64_MAX;
  send(far);
  world.run_for(500);
  EXPECT_EQ(number("SELECT count(*) FROM early"), 0u);
  EXPECT_TRUE(last_ack().ranges.empty());
  mallory.begin_stream();
}

TEST_F(HostilePayload, WhatIsEarlyWaitsForItsTurn) {
  std::vector<message::Record> records;
  for (uint64_t i = 0; i < limits::kReceiveAhead; ++i) {
    records.push_back(mallory.record("m" + std::to_string(i)));
  }
  // Every second one, backwards; then the others, without the first.
  for (size_t i = records.size() - 2; i > 0; i -= 2) send(records[i]);
  for (size_t i = records.size() - 1; i > 1; i -= 2) send(records[i]);
  world.run_for(2'000);
  EXPECT_EQ(from_mallory(), Texts{"hello"});
  EXPECT_EQ(number("SELECT count(*) FROM early"), limits::kReceiveAhead - 2);
  EXPECT_LE(last_ack().ranges.size(), limits::kAckRanges);
  send(records[0]);
  send(records[1]);
  world.run_for(2'000);
  Texts all{"hello"};
  for (const message::Record& record : records) all.emplace_back(as_text(record.body));
  EXPECT_EQ(from_mallory(), all);
  EXPECT_EQ(number("SELECT count(*) FROM early"), 0u);
}

TEST_F(HostilePayload, AVoidIsNeverShown) {
  CborWriter out;
  const message::Record record = mallory.record("");
  out.map(1).key(1).array(1).map(7).key(1).uint(record.seq).key(2).uint(record.incarnation);
  out.key(3).bytes(record.id).key(4).uint(1).key(5).uint(1).key(6).uint(0);
  out.key(7).bytes(as_bytes("a void with a body"));
  mallory.send(out.view());
  world.run_for(500);
  EXPECT_EQ(from_mallory(), Texts{"hello"});
  EXPECT_EQ(last_ack().next, record.seq + 1);
}

TEST_F(HostilePayload, AnOtherContentIsKeptAndOtherTextIsBytes) {
  message::Record unknown = mallory.record("what is this?");
  unknown.content = INT32_MAX;
  send(unknown);
  message::Record broken = mallory.record("\xff\xfe");
  send(broken);
  world.run_for(500);
  EXPECT_EQ(from_mallory(), (Texts{"hello", "what is this?", "\xff\xfe"}));
  EXPECT_EQ(number("SELECT count(*) FROM message WHERE content=2147483647"), 1u);
  EXPECT_EQ(number("SELECT count(*) FROM message WHERE content=2"), 1u);
}

TEST_F(HostilePayload, AClockFromTheFuturePushesNothing) {
  message::Record future = mallory.record("from the future");
  future.clock = INT64_MAX;
  future.sent_ms = INT64_MAX;
  send(future);
  world.run_for(500);
  write("now");
  world.run_for(500);
  message::Record past = mallory.record("from the past");
  past.clock = 0;
  past.sent_ms = 0;
  send(past);
  world.run_for(500);
  write("later");
  world.run_for(500);
  // Next after what its author said before, at the same time as Ann's; the past it is not.
  const Texts all = history();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(Texts(all.begin(), all.begin() + 2), (Texts{"hello", "from the future"}));
  EXPECT_EQ(all.back(), "later");
  EXPECT_LE(number("SELECT max(clock) FROM conversation"), 5u);
}

TEST_F(HostilePayload, VoidsMoveAClockNoFurtherThanTheyAre) {
  for (int i = 0; i < 100; ++i) {
    message::Record none = mallory.record("");
    none.content = message::kVoid;
    none.clock = INT64_MAX;
    send(none);
  }
  world.run_for(2'000);
  EXPECT_LE(number("SELECT max(clock) FROM conversation"), 101u);
}

// Their sender keeps them: they are not acknowledged.
TEST_F(HostilePayload, GroupsAndOtherDevicesAreNotBuilt) {
  const std::vector<uint64_t> before = kept();
  const size_t answers = mallory.heard().size();
  message::Record group = mallory.record("to a group");
  group.conversation = Id128{1};
  send(group);
  message::Record passed_on = mallory.record("of another device");
  passed_on.device = Id128{2};
  send(passed_on);
  world.run_for(1'000);
  EXPECT_EQ(kept()[3], before[3]);
  EXPECT_EQ(kept()[5], before[5]);
  EXPECT_EQ(from_mallory(), Texts{"hello"});
  for (size_t i = answers; i < mallory.heard().size(); ++i) {
    EXPECT_TRUE(mallory.heard()[i].acks.empty());
  }
  mallory.begin_stream();
  message::Record own = mallory.record("of this device");
  own.device = mallory.device.id();
  send(own);
  world.run_for(500);
  EXPECT_EQ(from_mallory().back(), "of this device");
}

}  // namespace
}  // namespace wherry::test
