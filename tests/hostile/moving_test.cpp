// Moves that are no moves: endpoints that never answer, that flap, that are not the mover's; leave
// that is taken of what was never told (PROTOCOL §7.2).
#include <algorithm>

#include "attack.h"
#include "base/limits.h"

namespace wherry::test {
namespace {

constexpr int64_t kMinute_ms = 60'000;
constexpr int64_t kHour_ms = 60 * kMinute_ms;

class HostileMoving : public Attack {
 protected:
  HostileMoving() { meet(); }

  message::Endpoint here() { return {mallory.card().transport, mallory.own_endpoint()}; }
  // Well-formed, of another network, and nobody's.
  static message::Endpoint nowhere(char digit) {
    return {"fake-direct", "fkd1:" + std::string(32, digit) + "/" + std::string(32, digit)};
  }
  void announce(const std::vector<message::Endpoint>& list) {
    message::Payload payload;
    payload.endpoints = message::Endpoints{++generation_, list, {}, false};
    mallory.send(payload);
    world.run_for(300);
    mallory.listen();
  }
  void expect_reached(const std::string& text) {
    write(text);
    world.run_for(2'000);
    const Texts texts = mallory.texts();
    ASSERT_FALSE(texts.empty());
    EXPECT_EQ(texts.back(), text);
  }
  std::vector<Id128> answers() {
    std::vector<Id128> all;
    for (const message::Payload& payload : mallory.heard()) {
      all.insert(all.end(), payload.answers.begin(), payload.answers.end());
    }
    return all;
  }
  // The generation of what Ann told last.
  uint64_t generation_told() {
    uint64_t value = 0;
    at_ann([&](engine::Turn&, engine::Contact& contact) { value = contact.announced->generation; });
    return value;
  }
  uint64_t inboxes() const { return number("SELECT count(*) FROM inbox WHERE kind=2"); }
  Id128 probe() {
    Id128 bytes{};
    mallory.random.fill(bytes.data(), bytes.size());
    return bytes;
  }

  uint64_t generation_ = 100;
};

TEST_F(HostileMoving, AnEndpointThatNeverAnswersIsNotUsed) {
  announce({nowhere('1')});
  const uint64_t before = more->counts().sent;
  expect_reached("still here");
  world.run_for(10 * kHour_ms);
  expect_reached("and here");
  // Probes, and not many of them.
  EXPECT_GT(more->counts().sent, before);
  EXPECT_LE(more->counts().sent - before, 10u * limits::kProbesPerHour);
  int32_t state = 0;
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    state = engine::route_of(turn, contact.row.conversation)->sending_state;
  });
  EXPECT_EQ(state, WHERRY_ROUTE_STATE_PROBING);
}

TEST_F(HostileMoving, FlappingCostsLittle) {
  world.run_for(kMinute_ms);
  const uint64_t before = envelopes();
  for (int i = 0; i < 1'000; ++i) {
    announce({nowhere(static_cast<char>('0' + i % 10))});
    announce({here()});
  }
  // 600 s: acknowledgements, and the probes of an hour.
  EXPECT_LE(envelopes() - before, 2'000u + limits::kProbesPerHour + 100u);
  expect_reached("there again");
}

TEST_F(HostileMoving, AProbeIsAnsweredAndAThousandAreNotKept) {
  const Id128 asked = probe();
  message::Payload payload;
  payload.probe = asked;
  mallory.send(payload);
  world.run_for(100);
  EXPECT_EQ(answers(), std::vector<Id128>{asked});
  for (int i = 0; i < 1'000; ++i) {
    payload.probe = probe();
    mallory.send(payload);
  }
  world.run_for(1'000);
  size_t kept = SIZE_MAX;
  at_ann([&](engine::Turn&, engine::Contact& contact) { kept = contact.answers.size(); });
  EXPECT_EQ(kept, 0u);
  EXPECT_LE(answers().size(), 1'001u);
}

TEST_F(HostileMoving, AnAnswerThatWasNotAskedForProvesNothing) {
  announce({nowhere('1')});
  message::Payload payload;
  for (size_t i = 0; i < limits::kAnswersMax; ++i) payload.answers.push_back(probe());
  payload.answers.back() = Id128{};  // what no probe waits for
  mallory.send(payload);
  world.run_for(1'000);
  bool proven = true;
  at_ann(
      [&](engine::Turn&, engine::Contact& contact) { proven = contact.ways.knows(nowhere('1')); });
  EXPECT_FALSE(proven);
  expect_reached("still here");
}

TEST_F(HostileMoving, MoreAnswersThanEightTakeTheirPayloadWithThem) {
  message::Payload payload = mallory.say("not shown");
  for (size_t i = 0; i <= limits::kAnswersMax; ++i) payload.answers.push_back(probe());
  mallory.send(payload);
  world.run_for(1'000);
  for (const std::string& text : from_mallory()) EXPECT_NE(text, "not shown");
  mallory.begin_stream();
}

TEST_F(HostileMoving, LeaveOfWhatWasNeverToldClosesNothing) {
  const uint64_t before = inboxes();
  message::Payload payload;
  for (const uint64_t generation : {uint64_t{0}, uint64_t{1}, uint64_t{99}, uint64_t{INT64_MAX}}) {
    payload.moved = message::Moved{generation, mallory.victim_incarnation(), 0};
    mallory.send(payload);
    payload.moved = message::Moved{generation, 0, 0};
    mallory.send(payload);
  }
  world.run_for(1'000);
  EXPECT_EQ(inboxes(), before);
  expect_reached("still there");
  expect_heard("and here");
}

// Ann moves, and Mallory takes leave of the old inbox before her last message has come. She goes on
// there: she is not on the other network.
class HostileLeaver : public HostileMoving {
 protected:
  message::Moved leave_early() {
    old_ = mallory.victim_endpoint();
    EXPECT_TRUE(world.run(ann, [&](engine::Turn& turn) {
      return engine::set_route(turn, turn.profile.contact(contact())->row.conversation,
                               "fake-direct");
    }));
    world.run_for(2'000);
    EXPECT_EQ(inboxes(), 3u);  // Bob's, and two for Mallory
    mallory.listen();
    message::Payload payload = mallory.say("one");
    payload.moved = message::Moved{generation_told(), payload.records.front().incarnation,
                                   payload.records.front().seq + 1};
    say(payload);
    return *payload.moved;
  }
  void say(const message::Payload& payload) {
    mallory.deliver_to(old_, mallory.seal(message::encode(payload)));
    world.run_for(1'000);
  }

 private:
  std::string old_;
};

TEST_F(HostileLeaver, LeaveBeforeEverythingCameClosesNothing) {
  leave_early();
  world.run_for(kHour_ms);
  EXPECT_EQ(inboxes(), 3u);
  say(mallory.say("two"));
  EXPECT_EQ(from_mallory(), (Texts{"hello", "one", "two"}));
  EXPECT_EQ(inboxes(), 2u);
  talks = false;  // she has left
}

// A copy of what she said before comes late.
TEST_F(HostileLeaver, AnOlderLeaveTakesNoNewerOneBack) {
  message::Payload older;
  older.moved = leave_early();
  --older.moved->generation;
  say(older);
  EXPECT_EQ(inboxes(), 3u);
  say(mallory.say("two"));
  EXPECT_EQ(inboxes(), 2u);
  talks = false;  // she has left
}

// Ann's machine is no tool to knock at strangers' doors: what is not proven is dialled as seldom as
// it is asked (PROTOCOL 7.2: 36 an hour and contact, whatever they announce).
TEST_F(HostileMoving, WhereNobodyIsIsDialledSeldom) {
  FakeFaults away;
  away.partition = true;
  more->set_faults("ann", "", away);
  std::vector<message::Endpoint> list;
  for (char digit = '1'; digit < '8'; ++digit) list.push_back(nowhere(digit));
  list.push_back(here());
  announce(list);
  const uint64_t before = more->counts().sent + more->counts().connects;
  world.run_for(10 * kHour_ms);
  const uint64_t dials = more->counts().sent + more->counts().connects - before;
  EXPECT_GT(dials, 0u);
  EXPECT_LE(dials, 10u * limits::kProbesPerHour);
}

// One door of seven is open, and Mallory keeps Ann talking there: the others are left in peace.
TEST_F(HostileMoving, AnOpenDoorMakesTheOthersBeKnockedAtNoMore) {
  TransportHost there(*more->plugin(), more->clock(), more->settings("mallory"));
  ASSERT_EQ(there.create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(there.start_and_wait(1'000));
  ASSERT_EQ(there.open_inbox(1, Bytes(32, 7)), WHERRY_TRANSPORT_OK);
  world.run_for(100);
  ASSERT_TRUE(there.endpoint(1));
  FakeFaults away;
  away.partition = true;
  more->set_faults("ann", "", away);
  std::vector<message::Endpoint> list{{"fake-direct", *there.endpoint(1)}};
  for (char digit = '1'; digit < '8'; ++digit) list.push_back(nowhere(digit));
  announce(list);
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    contact.ways.prove(list.front());  // it was asked, and could answer
    turn.pump(contact);
  });
  world.run_for(kMinute_ms);
  const uint64_t before = more->counts().connects;
  const std::size_t heard = there.received_count();
  message::Payload payload;
  for (int i = 0; i < 600; ++i) {
    payload.probe = probe();
    mallory.send(payload);
    world.run_for(500);
  }
  EXPECT_GT(there.received_count(), heard + 500);  // Ann goes on by the open one
  EXPECT_LE(more->counts().connects - before, 5u * 7u + limits::kProbesPerHour);  // 5 min
  talks = false;
}

// A network that is not in the route is not dialled, whatever waits.
TEST_F(HostileMoving, AChosenRouteDialsNothingElse) {
  FakeFaults away;
  away.partition = true;
  more->set_faults("ann", "", away);
  announce({nowhere('1'), here()});
  world.run_for(kMinute_ms);
  const auto route = [&](const std::string& text) {
    ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) {
      return engine::set_route(turn, turn.profile.contact(contact())->row.conversation, text);
    }));
  };
  route(mallory.card().transport);
  world.run_for(kMinute_ms);
  const uint64_t before = more->counts().sent + more->counts().connects;
  write("which Mallory does not acknowledge");
  world.run_for(kHour_ms);
  EXPECT_EQ(more->counts().sent + more->counts().connects - before, 0u);
  route("auto");
  mallory.listen();
}

// Whoever was asked for is a transport's to dial, and to meet at moments that it chooses. That ends
// when their network leaves the route, however long they go on naming it.
TEST_F(HostileMoving, WhoWasAskedForOutsideOfTheRouteIsForgotten) {
  FakeFaults away;
  away.partition = true;
  more->set_faults("ann", "", away);
  announce({nowhere('1'), here()});
  world.run_for(kMinute_ms);
  write("which Mallory does not acknowledge");
  world.run_for(kMinute_ms);
  ASSERT_GT(more->counts().asked, 0u);
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) {
    return engine::set_route(turn, turn.profile.contact(contact())->row.conversation,
                             mallory.card().transport);
  }));
  world.run_for(kMinute_ms);
  EXPECT_EQ(more->counts().asked, 0u);
  mallory.listen();
}

// She takes one of two endpoints of a network back, while something is under way to the other: what
// becomes of that is still heard.
TEST_F(HostileMoving, AnEndpointTakenBackForgetsNothingThatIsUnderWayToAnother) {
  message::Endpoint other = here();
  other.text.back() = other.text.back() == '0' ? '1' : '0';
  announce({here(), other});
  world.run_for(kMinute_ms);
  FakeFaults fails;
  fails.delay_ms_min = fails.delay_ms_max = 3'000;
  fails.loss = 1;
  fails.lying = 0;
  world.net().set_faults("ann", "mallory", fails);
  write("under way");
  world.run_for(100);
  announce({here()});
  world.run_for(5'000);
  world.net().set_faults("ann", "mallory", {});
  world.run_for(kHour_ms);
  const Texts texts = mallory.texts();
  EXPECT_EQ(std::ranges::count(texts, "under way"), 1);
}

TEST_F(HostileMoving, ClocksThatJumpInTheMiddleOfAMove) {
  constexpr int64_t kDay_ms = 24 * kHour_ms;
  bool there = true;
  for (const int64_t jump : {3 * kDay_ms, -40 * kDay_ms, 100 * kDay_ms, -500 * kDay_ms}) {
    const std::string to = there ? "fake-direct" : "fake-stored";
    EXPECT_TRUE(world.set_route(ann, bob, to));
    for (int i = 0; i < 20; ++i) {
      world.run_for(7);
      world.jump_clock(i % 2 == 0 ? ann : bob, i % 4 < 2 ? jump : -jump);
    }
    EXPECT_TRUE(world.until(
        [&] {
          const engine::RouteView view = world.route(bob, ann);
          return view.sending == to && view.sending_state == WHERRY_ROUTE_STATE_SETTLED;
        },
        kMinute_ms))
        << to;
    there = !there;
  }
}

}  // namespace
}  // namespace wherry::test
