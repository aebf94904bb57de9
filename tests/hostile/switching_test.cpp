// A contact who lies while a conversation changes networks: what is proven, what is dialled, what
// is kept of it (PROTOCOL §6, §7.2).
#include <algorithm>

#include "attack.h"
#include "base/limits.h"
#include "policy/permits.h"
#include "tests/support/reveals.h"

namespace wherry::test {
namespace {

constexpr int64_t kMinute_ms = 60'000;
constexpr int64_t kHour_ms = 60 * kMinute_ms;

class HostileSwitching : public Attack {
 protected:
  HostileSwitching() : there(*more->plugin(), more->clock(), more->settings("mallory")) {
    meet();
    first_ = mallory.victim_endpoint();
    EXPECT_EQ(there.create(), WHERRY_TRANSPORT_OK);
    EXPECT_TRUE(there.start_and_wait(1'000));
    for (uint8_t i = 1; i <= limits::kEndpointsMax; ++i) {
      EXPECT_EQ(there.open_inbox(i, Bytes(32, i)), WHERRY_TRANSPORT_OK);
    }
    world.run_for(100);
  }

  message::Endpoint here() { return {mallory.card().transport, mallory.own_endpoint()}; }
  // Places of hers on the other network.
  message::Endpoint place(uint64_t inbox) { return {"fake-direct", *there.endpoint(inbox)}; }
  std::vector<message::Endpoint> all_places() {
    std::vector<message::Endpoint> list;
    for (uint64_t i = 1; i <= limits::kEndpointsMax; ++i) list.push_back(place(i));
    return list;
  }
  // Well-formed, of the network, and nobody's.
  static message::Endpoint nowhere(const std::string& transport, uint64_t n) {
    std::string hex = std::to_string(n);
    hex.insert(0, 32 - hex.size(), '0');
    return {transport, (transport == "fake-direct" ? "fkd1:" : "fks1:") + hex + "/" + hex};
  }
  message::Payload telling(std::vector<message::Endpoint> list, bool chosen = false) {
    message::Payload payload;
    payload.endpoints = message::Endpoints{++generation_, std::move(list), {}, chosen};
    return payload;
  }
  // To the inbox that both know from the first day.
  void say(const message::Payload& payload) {
    mallory.deliver_to(first_, mallory.seal(message::encode(payload)));
  }
  void announce(std::vector<message::Endpoint> list, bool chosen = false) {
    say(telling(std::move(list), chosen));
    world.run_for(300);
    mallory.listen();
  }
  void expect_reached(const std::string& text) {
    write(text);
    world.run_for(2 * limits::kResealEvery_ms);
    const Texts texts = mallory.texts();
    ASSERT_FALSE(texts.empty());
    EXPECT_EQ(texts.back(), text);
  }
  uint64_t inboxes() const { return number("SELECT count(*) FROM inbox WHERE kind=2"); }

  TransportHost there;
  std::string first_;
  uint64_t generation_ = 100;
};

// Eight answers, and with them a set in which nothing of what was asked is named any more: what is
// written of it has to be read again, or the profile never opens.
TEST_F(HostileSwitching, AnswersThatComeWithAnotherSetLeaveTheProfileReadable) {
  announce(all_places());
  world.run_for(kMinute_ms);
  std::vector<Id128> asked;
  at_ann([&](engine::Turn&, engine::Contact& contact) {
    for (const engine::PathEntry& path : contact.paths) {
      if (path.probe.waits()) asked.push_back(path.probe.id);
    }
  });
  ASSERT_EQ(asked.size(), limits::kEndpointsMax);
  ASSERT_GE(there.received_count(), limits::kEndpointsMax);
  std::vector<message::Endpoint> others;
  for (char digit = '1'; digit <= '8'; ++digit) {
    others.push_back({here().transport, std::string("no-endpoint-") + digit});
  }
  mallory.send(telling(others));
  message::Payload answers;
  answers.answers = asked;
  mallory.send(answers);
  world.run_for(kMinute_ms);
  at_ann([&](engine::Turn&, engine::Contact& contact) {
    EXPECT_LE(contact.ways.proven.size(), limits::kEndpointsMax + 1);
    EXPECT_TRUE(routing::Ways::from_bytes(contact.row.ways));
  });
  world.crash(ann);
  ASSERT_TRUE(world.open(ann));
  world.run_for(kMinute_ms);
  announce({here()});
  expect_reached("still here");
}

// She permits and forbids in turn: a window is not sent with each time.
TEST_F(HostileSwitching, PermitsThatFlipCostAWindowSeldom) {
  for (int i = 0; i < 200; ++i) write(std::string(4'000, 'x') + std::to_string(i));
  world.run_for(2'000);
  const uint64_t before = envelopes();
  const int64_t began = world.now_ms();
  for (int i = 0; i < 60; ++i) {
    message::Payload payload = telling({here()});
    if (i % 2 == 0) payload.endpoints->permits.emplace();
    mallory.send(payload);
    world.run_for(300);
  }
  const auto times = static_cast<uint64_t>((world.now_ms() - began) / limits::kResealEvery_ms + 1);
  EXPECT_LE(envelopes() - before, times * 200 + 200);
  world.run_for(2 * limits::kResealEvery_ms);
  EXPECT_EQ(mallory.texts().size(), 200u);
  expect_reached("and on");
}

// A person on auto follows what was chosen. Who chooses something else each time has inboxes opened
// and left, and no more than one for each network.
TEST_F(HostileSwitching, WhoChoosesAnewEachTimeIsFollowedAtNoCost) {
  world.run_for(kMinute_ms);
  const uint64_t before = envelopes();
  for (int i = 0; i < 500; ++i) {
    say(telling({i % 2 == 0 ? nowhere("fake-direct", 1) : here()}, true));
    world.run_for(i % 7 == 0 ? 1 : 100);
    mallory.listen();
  }
  world.run_for(10'000);
  EXPECT_LE(inboxes(), 3u);
  EXPECT_LE(envelopes() - before, 1'500u + limits::kProbesPerHour);
  announce({here()}, true);
  world.run_for(kHour_ms);
  expect_reached("there again");
}

// A move into the future is no move: nobody but she is hurt by a number that can not rise.
TEST_F(HostileSwitching, TheLastGenerationIsTheLast) {
  generation_ = INT64_MAX - 1;
  announce({here()});
  generation_ = 200;
  announce({nowhere("fake-stored", 1)});
  expect_reached("still there");
  message::Payload payload;
  payload.moved = message::Moved{1, UINT64_MAX, INT64_MAX};
  mallory.send(payload);
  world.run_for(1'000);
  world.crash(ann);
  ASSERT_TRUE(world.open(ann));
  world.run_for(10'000);
  expect_reached("and after a restart");
}

}  // namespace
}  // namespace wherry::test
