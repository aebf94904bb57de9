// Envelopes of a true session with sizes, heads and numbers that break a rule (PROTOCOL §5). They
// are dropped, and the state stays usable.
#include "attack.h"
#include "base/limits.h"

namespace wherry::test {
namespace {

using session::Head;

class HostileHeader : public Attack {
 protected:
  HostileHeader() { meet(); }

  // Sends one that must not be taken; the liar's own state is as before then.
  void expect_refused(const char* what, const Forgery& forgery) {
    SCOPED_TRACE(what);
    const session::Ratchet before = mallory.session().ratchet.clone();
    const Texts heard = from_mallory();
    const message::Payload payload = mallory.say("forged");
    mallory.send(payload, forgery);
    world.run_for(100);
    EXPECT_EQ(from_mallory(), heard);
    mallory.session().ratchet = before.clone();
    // The same words, true this time: the number was not used up.
    mallory.send(payload);
    world.run_for(100);
    EXPECT_EQ(from_mallory().size(), heard.size() + 1);
    EXPECT_EQ(security_events(WHERRY_REASON_ROLLBACK_SUSPECTED), 0);
  }
};

TEST_F(HostileHeader, AnEnvelopeIsExactlyABucket) {
  for (size_t size : {511u, 513u, 1023u, 2048u, 4097u, 45055u}) {
    expect_refused(std::to_string(size).c_str(), {.size = size});
  }
  for (size_t size : {1u, 16u, 163u}) mallory.deliver(mallory.random.bytes(size));
}

TEST_F(HostileHeader, APayloadIsNoLongerThanItsBody) {
  expect_refused("length", {.plain = [](Bytes& plain) { plain[0] = plain[1] = 0xff; }});
  expect_refused("one too many", {.plain = [](Bytes& plain) {
                   const size_t size = plain.size() - 1;
                   plain[0] = static_cast<uint8_t>(size);
                   plain[1] = static_cast<uint8_t>(size >> 8);
                 }});
}

TEST_F(HostileHeader, AnUnknownVersionIsDropped) {
  expect_refused("2", {.head_bytes = [](Bytes& head) { head[0] = 2; }});
  expect_refused("0", {.head_bytes = [](Bytes& head) { head[0] = 0; }});
}

TEST_F(HostileHeader, FlagsReservedAndRoomAreIgnored) {
  mallory.send(mallory.say("of a later version"), {.head_bytes = [](Bytes& head) {
                 head[1] = head[2] = head[3] = 0xff;
                 std::fill(head.begin() + 60, head.end(), 0xff);
               }});
  world.run_for(100);
  EXPECT_EQ(from_mallory().back(), "of a later version");
}

TEST_F(HostileHeader, AFloorIsNotAboveItsNumber) {
  expect_refused("one", {.head = [](Head& head) { head.floor += 1; }});
  expect_refused("all", {.head = [](Head& head) { head.floor = UINT64_MAX; }});
}

TEST_F(HostileHeader, AFloorThatFallsIsIgnored) {
  expect_heard("one");
  expect_heard("two");
  const uint64_t rows = number("SELECT count(*) FROM ratchet_key");
  mallory.send(mallory.say("three"), {.head = [](Head& head) { head.floor = 0; }});
  world.run_for(100);
  EXPECT_EQ(from_mallory().back(), "three");
  EXPECT_LE(number("SELECT count(*) FROM ratchet_key"), rows + 1);
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    const session::Ratchet& ratchet = turn.profile.session(contact.sessions.back())->ratchet;
    EXPECT_EQ(ratchet.peer_floor + 2, ratchet.next_receive_g());
  });
}

TEST_F(HostileHeader, TheNumberIsTheTags) {
  expect_refused("higher", {.head = [](Head& head) { head.n += 1; }});
  expect_refused("highest", {.head = [](Head& head) { head.n = UINT32_MAX; }});
  expect_refused("tag", {.tag_n = 12});
}

TEST_F(HostileHeader, ASideTurnsOnceForEachAnswer) {
  expect_heard("one");
  mallory.send(mallory.say("two"));
  world.run_for(20);
  const session::Ratchet before = mallory.session().ratchet.clone();
  for (int i = 0; i < 3; ++i) {
    mallory.turn(mallory.session().ratchet);
    mallory.send(mallory.say("unanswered"));
    world.run_for(20);
  }
  EXPECT_EQ(from_mallory().back(), "two");
  mallory.session().ratchet = before.clone();
  mallory.begin_stream();
}

TEST_F(HostileHeader, AKeyOfSmallOrderIsRefused) {
  write("so that Mallory may turn");
  world.run_for(1'000);
  mallory.listen();
  ASSERT_TRUE(mallory.session().ratchet.turn_due);
  expect_refused("zero", {.head = [](Head& head) { head.ratchet_key = {}; }});
}

TEST_F(HostileHeader, AtMostTwoThousandNumbersAreSkippedAtOnce) {
  const session::Ratchet before = mallory.session().ratchet.clone();
  mallory.skip(limits::kSkipMax + 1);
  const message::Payload payload = mallory.say("skips");
  mallory.send(payload);
  mallory.send(payload, {.head = [](Head& head) { head.floor = 0; }});
  world.run_for(1'000);
  EXPECT_EQ(from_mallory(), Texts{"hello"});
  EXPECT_LE(number("SELECT count(*) FROM ratchet_key"), 20u);
  mallory.session().ratchet = before.clone();
  mallory.skip(limits::kSkipMax);
  world.run_for(1'000);
  mallory.send(payload);  // by trial: it is far beyond the tags
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "skips");
}

TEST_F(HostileHeader, AtMostTwoThousandKeysAreKept) {
  const auto floor = [](uint64_t value) {
    return Forgery{.head = [value](Head& head) { head.floor = value; }};
  };
  const uint64_t first = mallory.session().ratchet.next_g();
  for (int i = 0; i < 8; ++i) {
    mallory.skip(300);
    mallory.send(mallory.say("kept"), floor(first));
    world.run_for(1'100);
    EXPECT_LE(number("SELECT max(n) FROM (SELECT count(*) n FROM ratchet_key GROUP BY session)"),
              limits::kKeysKeptMax);
  }
  EXPECT_EQ(from_mallory().size(), 1u + limits::kKeysKeptMax / 301);
  mallory.begin_stream();
}

TEST_F(HostileHeader, HeadersAreTriedSixtyFourTimesASecond) {
  mallory.skip(2 * limits::kTagsAhead);
  const Bytes far = mallory.seal(message::encode(mallory.say("far ahead")));
  world.run_for(1'000 - world.now_ms() % 1'000);
  for (int i = 0; i < limits::kHeaderTrialsPerSecond; ++i) {
    mallory.deliver(mallory.random.bytes(512));
  }
  mallory.deliver(far);
  world.run_for(500);
  EXPECT_EQ(from_mallory(), Texts{"hello"});
  world.run_for(600);
  mallory.deliver(far);
  world.run_for(100);
  EXPECT_EQ(from_mallory().back(), "far ahead");
}

TEST_F(HostileHeader, AnInboxIsItsContactsAlone) {
  std::string of_bob;
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    for (const auto& [id, inbox] : turn.profile.inboxes) {
      if (inbox.kind == store::InboxKind::kContact && inbox.owner != contact.row.id) {
        of_bob = inbox.endpoint;
      }
    }
  });
  const Bytes envelope = mallory.seal(message::encode(mallory.say("by Bob's door")));
  mallory.deliver_to(of_bob, envelope);
  world.run_for(1'000);
  EXPECT_EQ(from_mallory(), Texts{"hello"});
  mallory.deliver(envelope);
  world.run_for(100);
  EXPECT_EQ(from_mallory().back(), "by Bob's door");
}

TEST_F(HostileHeader, ADuplicateIsAcknowledgedAgainAndNoMore) {
  const Bytes once = mallory.seal(message::encode(mallory.say("once")));
  mallory.deliver(once);
  world.run_for(1'000);
  const size_t answered = mallory.arrived();
  for (int i = 0; i < 200; ++i) mallory.deliver(once);
  world.run_for(1'000);
  EXPECT_EQ(from_mallory(), (Texts{"hello", "once"}));
  EXPECT_GE(mallory.arrived(), answered + 1);
  EXPECT_LE(mallory.arrived(), answered + 5);
}

TEST_F(HostileHeader, BelowTheFloorNothingIsTaken) {
  const Bytes late = mallory.seal(message::encode(mallory.say("late")));
  mallory.begin_stream();
  expect_heard("the floor passes");
  mallory.deliver(late);
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "the floor passes");
}

}  // namespace
}  // namespace wherry::test
