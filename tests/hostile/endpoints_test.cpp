// Endpoints that lead nowhere, elsewhere, or change without end (PROTOCOL §6, §7).
#include "attack.h"
#include "base/limits.h"
#include "codec/cbor.h"

namespace wherry::test {
namespace {

class HostileEndpoints : public Attack {
 protected:
  HostileEndpoints() { meet(); }

  std::string transport() { return mallory.card().transport; }
  void announce(const std::vector<message::Endpoint>& list, uint64_t generation) {
    message::Payload payload;
    payload.endpoints = message::Endpoints{generation, list, {}};
    mallory.send(payload);
    world.run_for(500);
    mallory.listen();
  }
  // As it would be told by whoever keeps to the rules, from now on.
  void announce_true(uint64_t generation) {
    announce({{transport(), mallory.own_endpoint()}}, generation);
  }
  uint64_t generation() {
    uint64_t value = 0;
    at_ann([&](engine::Turn&, engine::Contact& contact) { value = contact.theirs->generation; });
    return value;
  }
  void expect_reached(const std::string& text) {
    write(text);
    world.run_for(2'000);
    ASSERT_FALSE(mallory.texts().empty());
    EXPECT_EQ(mallory.texts().back(), text);
  }
  // Well-formed, and nobody's.
  static std::string nowhere(char digit) {
    return "fks1:" + std::string(32, digit) + "/" + std::string(32, digit);
  }
};

TEST_F(HostileEndpoints, AnOlderOrEqualGenerationIsIgnored) {
  announce_true(10);
  announce({{transport(), nowhere('1')}}, 10);
  announce({{transport(), nowhere('2')}}, 9);
  announce({{transport(), nowhere('3')}}, 0);
  EXPECT_EQ(generation(), 10u);
  expect_reached("still");
}

// However often they change their mind, and whatever they forbid.
TEST_F(HostileEndpoints, PermitsOfAContactHoldBackWhatIsSentAndNoMore) {
  const plugin::Instance* before = nullptr;
  at_ann([&](engine::Turn& turn, engine::Contact&) {
    before = turn.runtime.networks.begin()->second->instance.get();
  });
  for (uint64_t i = 0; i < 40; ++i) {
    message::Payload payload;
    payload.endpoints =
        message::Endpoints{10 + i, {{transport(), mallory.own_endpoint()}}, std::nullopt};
    if (i % 2 == 0) payload.endpoints->permits.emplace();  // nothing to anybody
    mallory.send(payload);
    world.run_for(100);
  }
  write("while they permit everything");
  world.run_for(2'000);
  message::Payload forbids;
  forbids.endpoints =
      message::Endpoints{100, {{transport(), mallory.own_endpoint()}}, std::vector<uint32_t>{1}};
  mallory.send(forbids);
  world.run_for(1'000);
  write("while they do not");
  const size_t arrived = mallory.arrived();
  world.run_for(kHour);
  EXPECT_EQ(mallory.arrived(), arrived);
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    EXPECT_EQ(turn.runtime.networks.begin()->second->instance.get(), before);
    EXPECT_EQ(contact.conversation.waiting, WHERRY_REASON_PERMITS);
  });
  announce_true(101);
  world.run_for(10'000);
  EXPECT_EQ(mallory.texts().back(), "while they do not");
}

TEST_F(HostileEndpoints, AnEmptyListIsIgnored) {
  announce({}, 10);
  EXPECT_EQ(generation(), 1u);
  expect_reached("still");
}

TEST_F(HostileEndpoints, WhatIsNoListOfEndpointsIsDropped) {
  const std::vector<message::Endpoint> nine(limits::kEndpointsMax + 1,
                                            {transport(), mallory.own_endpoint()});
  announce(nine, 10);
  announce({{transport(), ""}}, 11);
  announce({{"", mallory.own_endpoint()}}, 12);
  announce({{transport(), "with space"}}, 13);
  announce({{transport(), std::string("nul\0", 4)}}, 14);
  announce({{transport(), "\x1b[2J"}}, 15);
  announce({{transport(), std::string(limits::kEndpointTextMax + 1, 'x')}}, 16);
  announce({{std::string(limits::kTransportNameMax + 1, 'x'), "x"}}, 17);
  announce({{transport(), mallory.own_endpoint()}}, uint64_t{1} << 63);
  EXPECT_EQ(generation(), 1u);
  expect_reached("still");
}

TEST_F(HostileEndpoints, PlacesThatAreNoneMakeMessagesWait) {
  // What can not be used at all is no reason to leave.
  announce({{"nowhere", "x"}}, 2);
  expect_reached("goes on");
  announce({{transport(), "no endpoint of this network"}}, 3);
  announce({{transport(), "no-endpoint-of-this-network"}}, 4);
  expect_reached("and on");
  // What replaces an endpoint on its network is believed.
  announce({{transport(), nowhere('1')}}, 5);
  write("waits");
  world.run_for(1'000);
  EXPECT_EQ(waiting(), WHERRY_REASON_NOT_FOUND);
  announce_true(6);
  world.run_for(2 * limits::kResealEvery_ms);
  EXPECT_EQ(mallory.texts(), (Texts{"goes on", "and on", "waits"}));
}

TEST_F(HostileEndpoints, ATokenThatIsWrongIsTriedOnce) {
  std::string wrong = mallory.own_endpoint();
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  announce({{transport(), wrong}}, 2);
  const uint64_t before = envelopes();
  write("waits");
  world.run_for(kHour);
  EXPECT_LE(envelopes() - before, 10u);
  announce_true(3);
  world.run_for(2'000);
  EXPECT_EQ(mallory.texts(), Texts{"waits"});
}

TEST_F(HostileEndpoints, OnesOwnInboxIsNoLoop) {
  const std::string own = mallory.victim_endpoint();
  announce({{transport(), own}}, 2);
  const uint64_t before = envelopes();
  write("to myself");
  world.run_for(kHour);
  EXPECT_LE(envelopes() - before, 40u);
  EXPECT_EQ(history(), (Texts{"hello", "to myself"}));
  talks = false;  // Ann has begun anew, and to herself
}

TEST_F(HostileEndpoints, AThirdPersonsInboxTakesNothingFromThem) {
  const std::string of_bob = identity::Card::parse(world.card(bob))->endpoint;
  const Texts before = world.received(bob, ann);
  announce({{transport(), of_bob}}, 2);
  for (int i = 0; i < 20; ++i) write("to Bob's door " + std::to_string(i));
  world.run_for(kMinute);
  EXPECT_EQ(world.received(bob, ann), before);
  EXPECT_EQ(store::contacts(world.database(bob), 0, 10).size(), 1u);
  announce_true(3);
  world.run_for(2'000);
  EXPECT_EQ(mallory.texts().size(), 20u);
}

// World notes equal bytes at two endpoints, and a nonce that is used twice.
TEST_F(HostileEndpoints, ThatChangeWithoutEndAreSealedForEachAnew) {
  for (int i = 0; i < 10; ++i) write("a" + std::to_string(i));
  for (uint64_t i = 2; i < 100; ++i) {
    announce({{transport(), nowhere(static_cast<char>('0' + i % 10))}}, i);
  }
  announce_true(100);
  world.run_for(2 * limits::kResealEvery_ms);
  EXPECT_EQ(mallory.texts(), numbered("a", 10));
  EXPECT_EQ(number("SELECT count(*) FROM inbox WHERE kind=2"), 2u);
}

// A few bytes of Mallory's are not enough to have megabytes sent to somebody, again and again.
TEST_F(HostileEndpoints, ThatChangeQuicklyHaveAWindowSealedAnewSeldom) {
  for (int i = 0; i < 200; ++i) write(std::string(4'000, 'x') + std::to_string(i));
  world.run_for(2'000);
  const uint64_t before = envelopes();
  const int64_t began = world.now_ms();
  uint64_t generation = 2;
  for (char digit : std::string("123456789abcdef")) {
    announce({{transport(), nowhere(digit)}}, generation++);
  }
  const auto times = static_cast<uint64_t>((world.now_ms() - began) / limits::kResealEvery_ms + 1);
  EXPECT_LE(envelopes() - before, times * 200 + 100);
  announce_true(100);
  world.run_for(2 * limits::kResealEvery_ms);
  EXPECT_EQ(mallory.texts().size(), 200u);
}

TEST_F(HostileEndpoints, EightOfThemAreTriedInTheirOrder) {
  std::vector<message::Endpoint> eight;
  for (char digit = '1'; digit < '8'; ++digit) eight.push_back({"nowhere", nowhere(digit)});
  eight.push_back({transport(), mallory.own_endpoint()});
  announce(eight, 2);
  expect_reached("at the last");
  const std::vector<message::Endpoint> same(limits::kEndpointsMax,
                                            {transport(), mallory.own_endpoint()});
  announce(same, 3);
  expect_reached("once");
  at_ann([](engine::Turn&, engine::Contact& contact) { EXPECT_EQ(contact.paths.size(), 1u); });
}

}  // namespace
}  // namespace wherry::test
