// Floods within what a contact, a stranger or a carrier may do (PROTOCOL §1, §2, §4.4, §8): Ann
// keeps no more than her limits, and Bob is heard in between.
#include "attack.h"
#include "base/limits.h"

namespace wherry::test {
namespace {

class HostileFlood : public Attack {
 protected:
  HostileFlood() { meet(); }
};

TEST_F(HostileFlood, ThousandsOfIncarnations) {
  for (int i = 0; i < 3'000; ++i) {
    mallory.begin_stream();
    message::Payload payload = mallory.say("i" + std::to_string(i));
    for (int j = 0; j < 3; ++j) {
      mallory.begin_stream();
      message::Record early = mallory.record("early");
      early.seq = 9;
      payload.records.push_back(early);
    }
    mallory.send(payload);
    if (i % 200 == 0) world.run_for(300);
  }
  expect_bob_is_heard();
  EXPECT_EQ(from_mallory().size(), 3'001u);
  EXPECT_LE(number("SELECT count(*) FROM early"), limits::kStreamsPerContact);
  mallory.begin_stream();
}

TEST_F(HostileFlood, ThousandsOfEnvelopesThatDoNotOpen) {
  const uint64_t turns = world.turns(ann);
  for (int i = 0; i < 3'000; ++i) {
    mallory.deliver(mallory.random.bytes(limits::kBuckets[static_cast<size_t>(i) % 2]));
  }
  expect_bob_is_heard();
  EXPECT_EQ(from_mallory(), Texts{"hello"});
  EXPECT_LE(world.turns(ann) - turns, 4'000u);
}

// Each voids what was sealed for her: she gets a dozen an hour, and then is heard again.
TEST_F(HostileFlood, HandshakesWithoutEnd) {
  const auto greet = [&](const std::string& text) {
    mallory.begin_stream();
    mallory.greet(mallory.say(text));
    world.run_for(1'000);
  };
  for (int i = 0; i < 50; ++i) greet("g" + std::to_string(i));
  EXPECT_LE(from_mallory().size(), 1u + limits::kHandshakesPerHour);
  expect_bob_is_heard();
  world.run_for(kHour);
  greet("an hour later");
  EXPECT_EQ(from_mallory().back(), "an hour later");
}

TEST_F(HostileFlood, ThousandsOfMessages) {
  Texts said{"hello"};
  for (int i = 0; i < 3'000; ++i) {
    said.push_back("m" + std::to_string(i));
    mallory.send(mallory.say(said.back()));
  }
  expect_bob_is_heard();
  world.run_for(2'000);
  EXPECT_EQ(from_mallory(), said);
}

TEST_F(HostileFlood, FromAnInboxThatIsNotRead) {
  world.suspend(ann, true);
  for (int i = 0; i < 900; ++i) mallory.send(mallory.say("m" + std::to_string(i)));
  world.run_for(kMinute);
  world.suspend(ann, false);
  expect_bob_is_heard();
  world.run_for(kMinute);
  EXPECT_EQ(from_mallory().size(), 901u);
}

TEST_F(HostileFlood, HandshakesByTheCardForHours) {
  for (int i = 0; i < 30; ++i) write("a" + std::to_string(i));
  Texts said{"hello"};
  for (int i = 0; i < 60; ++i) {
    mallory.begin_stream();
    said.push_back("h" + std::to_string(i));
    mallory.greet(mallory.say(said.back()));
    world.run_for(100);
    mallory.listen();
    if (i % 10 == 9) world.run_for(kHour);
  }
  EXPECT_EQ(from_mallory(), said);
  EXPECT_EQ(mallory.texts(), numbered("a", 30));
  expect_bob_is_heard();
}

TEST_F(HostileFlood, SkippedKeysAreErasedByTheFloor) {
  for (int i = 0; i < 20; ++i) {
    const uint64_t floor = mallory.session().ratchet.next_g();
    mallory.skip(1'500);
    mallory.send(mallory.say("far"),
                 {.head = [floor](session::Head& head) { head.floor = floor; }});
    world.run_for(1'100);
  }
  EXPECT_LE(number("SELECT count(*) FROM ratchet_key"), limits::kKeysKeptMax);
  EXPECT_EQ(from_mallory().size(), 21u);
  expect_bob_is_heard();
}

class HostileStrangers : public Attack {
 protected:
  // Somebody new begins, at the same place.
  void knock() {
    mallory.identity = identity::Identity::make(mallory.random);
    mallory.device = identity::Device::make(mallory.random);
    mallory.list = identity::DeviceList::make(mallory.identity, 1, {mallory.device.public_part()});
    mallory.begin_stream();
    mallory.greet(mallory.say("knock"));
    world.run_for(20);
  }
  uint64_t requests() const { return number("SELECT count(*) FROM contact") - 1; }
};

TEST_F(HostileStrangers, AHundredWaitAndOthersAreNotKept) {
  mallory.take_card(world.card(ann));
  for (size_t i = 0; i < limits::kRequestsMax; ++i) knock();
  EXPECT_EQ(requests(), limits::kRequestsMax);
  const std::vector<uint64_t> before = kept();
  for (int i = 0; i < 100; ++i) knock();
  EXPECT_EQ(kept(), before);
  expect_bob_is_heard();
  // Whoever is accepted makes room for one.
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) {
    return engine::accept_contact(turn, turn.profile.contacts.rbegin()->first, std::nullopt);
  }));
  knock();
  knock();
  EXPECT_EQ(requests(), limits::kRequestsMax + 1);
}

}  // namespace
}  // namespace wherry::test
