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

// What replaces a proven endpoint is believed; that makes Ann's machine no tool to knock at as many
// doors as somebody can name.
TEST_F(HostileSwitching, PlacesThatReplaceOneAnotherAreDialledSeldom) {
  announce({place(1), here()});
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    contact.ways.prove(place(1));  // she was there, and answered
    turn.pump(contact);
  });
  world.run_for(kMinute_ms);
  std::set<std::string> doors;
  world.on_sent_to = [&](int who, const std::string& endpoint, ByteView) {
    if (who == ann && endpoint.starts_with("fkd1:000")) doors.insert(endpoint);
  };
  const uint64_t before = more->counts().sent + more->counts().connects;
  uint64_t n = 0;
  for (int i = 0; i < 1'000; ++i) {
    std::vector<message::Endpoint> list;
    for (size_t k = 0; k < limits::kEndpointsMax; ++k) list.push_back(nowhere("fake-direct", ++n));
    announce(list);
    world.run_for(300);
  }
  // Ten minutes.
  EXPECT_LE(doors.size(), static_cast<size_t>(limits::kProbesPerHour)) << "envelopes to so many";
  // Beside them, to the one in use, what each of her sets is acknowledged with.
  EXPECT_LE(more->counts().sent + more->counts().connects - before,
            1'000u + 2u * limits::kProbesPerHour + 20u);
  world.on_sent_to = nullptr;
  announce({here()});
}

// Where nothing else is left, an answer goes to what never answered itself. Not as often as
// somebody asks.
TEST_F(HostileSwitching, AnswersToWhoNeverAnsweredAreFew) {
  message::Payload forbids = telling({place(1)});
  forbids.endpoints->permits =
      policy::to_list(all_but(WHERRY_OBSERVER_FAR_OPERATOR, WHERRY_FACT_OTHER_IP));
  mallory.send(forbids);
  world.run_for(kMinute_ms);
  const size_t before = there.received_count();
  message::Payload payload;
  for (int i = 0; i < 600; ++i) {
    payload.probe.emplace();
    mallory.random.fill(payload.probe->data(), payload.probe->size());
    mallory.send(payload);
    world.run_for(500);
  }
  EXPECT_LE(there.received_count() - before, static_cast<size_t>(limits::kProbesPerHour));
  announce({here()});
  expect_reached("there again");
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

// What was said of a stream that ended may be late: what was said since counts.
class HostileLeave : public HostileSwitching, public testing::WithParamInterface<bool> {};
TEST_P(HostileLeave, LeaveThatWasTakenBeforeAResetDoesNotHoldAnInboxOpen) {
  const std::string old = mallory.victim_endpoint();
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    EXPECT_TRUE(engine::set_route(turn, contact.conversation.id, "fake-direct"));
  });
  world.run_for(2'000);
  mallory.listen();
  ASSERT_EQ(inboxes(), 3u);
  uint64_t told = 0;
  at_ann([&](engine::Turn&, engine::Contact& contact) { told = contact.announced->generation; });
  // In the session of before: one message, and leave behind it; both are slow.
  message::Payload late = mallory.say("late");
  late.records.clear();
  late.moved = message::Moved{told, mallory.record("x").incarnation, 2};
  const Bytes slow = mallory.seal(message::encode(late));
  mallory.begin_stream();
  message::Payload anew = mallory.say("anew");
  anew.follows = mallory.session().hash;
  anew.moved = message::Moved{told, anew.records.front().incarnation, 2};
  ASSERT_TRUE(mallory.offer());
  const message::ResetOffer offer = *mallory.offer();
  mallory.deliver_to(
      old, mallory.greeting(*identity::Bundle::parse(offer.bundle, mallory.their_card().identity),
                            Secret<32>(ByteView(offer.fetch)), message::encode(anew)));
  world.run_for(1'000);
  if (GetParam()) mallory.deliver_to(old, slow);
  world.run_for(1'000);
  mallory.deliver_to(old, mallory.seal(message::encode(mallory.say("all there is"))));
  world.run_for(kHour_ms);
  EXPECT_EQ(inboxes(), 2u);
  talks = false;
}

INSTANTIATE_TEST_SUITE_P(OrThatIsLate, HostileLeave, testing::Bool());

}  // namespace
}  // namespace wherry::test
