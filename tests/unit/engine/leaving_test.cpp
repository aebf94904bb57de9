// Networks that are forbidden while a conversation uses them.
#include "engine/leaving.h"

#include "base/limits.h"
#include "engine/explaining.h"
#include "engine/greeting.h"
#include "movers.h"
#include "tests/support/reveals.h"

namespace wherry::test {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;

struct Leavers : Movers {
  explicit Leavers(uint64_t seed, FakeKind kind = FakeKind::kDirect) : Movers(seed, kind) {
    world.on_sent_to = [this](int who, const std::string& endpoint, ByteView) {
      if (endpoint.starts_with(FakeNet::scheme(FakeKind::kStored))) ++by_relay[who];
    };
  }

  void permit(int who, const wherry_reveals& set, int32_t tightening = WHERRY_TIGHTENING_ANNOUNCE) {
    const uint64_t conversation = world.conversation(who, who == ann ? bob : ann);
    ASSERT_TRUE(world.run(who, [&](engine::Turn& turn) {
      return engine::set_conversation_permits(turn, conversation, set, tightening);
    }));
  }
  bool leaving(int who) {
    bool leaving = false;
    const uint64_t conversation = world.conversation(who, who == ann ? bob : ann);
    EXPECT_TRUE(world.run(who, [&](engine::Turn& turn) -> Status {
      leaving = engine::explain(turn, conversation)->leaving;
      return {};
    }));
    return leaving;
  }
  // Whether the relay would give this person anything of the conversation.
  bool at_relay(int who) {
    for (const store::InboxRow& inbox : store::inboxes(world.database(who))) {
      if (inbox.kind == store::InboxKind::kContact && world.net().read_at(inbox.endpoint)) {
        return true;
      }
    }
    return false;
  }

  std::map<int, int> by_relay;  // envelopes, by who sent them
};

TEST(Leaving, OneEnvelopeTellsWhereElse) {
  Leavers pair(1);
  pair.submit("x", 5);
  ASSERT_TRUE(pair.settle(kMinute));
  pair.world.run_for(kMinute);
  pair.by_relay.clear();
  pair.permit(pair.ann, no_relay());
  EXPECT_TRUE(pair.leaving(pair.ann));
  pair.submit("y", 5);
  EXPECT_TRUE(pair.settle(10 * kMinute));
  EXPECT_EQ(pair.by_relay[pair.ann], 1);
  EXPECT_FALSE(pair.leaving(pair.ann));
  EXPECT_FALSE(pair.at_relay(pair.ann));
  EXPECT_TRUE(pair.move(pair.name, 10 * kMinute)) << pair.standing();
  pair.expect_all_arrived();
}

TEST(Leaving, ForANetworkThatHidesTheAddress) {
  Leavers pair(2, FakeKind::kHidden);
  pair.permit(pair.ann, no_relay());
  pair.submit("x", 5);
  EXPECT_TRUE(pair.settle(kHour));
  EXPECT_LE(pair.by_relay[pair.ann], 1);
  EXPECT_FALSE(pair.at_relay(pair.ann));
  pair.expect_all_arrived();
}

TEST(Leaving, TheOtherIsAwayAndFindsIt) {
  Leavers pair(3);
  pair.world.run_for(kMinute);
  pair.by_relay.clear();
  pair.world.crash(pair.bob);
  pair.permit(pair.ann, no_relay());
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(48 * kHour);
  EXPECT_FALSE(pair.leaving(pair.ann));
  EXPECT_FALSE(pair.at_relay(pair.ann));
  EXPECT_EQ(pair.by_relay[pair.ann], 1);
  ASSERT_TRUE(pair.world.open(pair.bob));
  pair.world.submit(pair.bob, pair.ann, "b0");
  EXPECT_TRUE(pair.settle(kHour));
  expect_all(pair, {"a0"}, {"b0"});
}

TEST(Leaving, BothAtTheSameMoment) {
  for (uint64_t seed = 10; seed < 30; ++seed) {
    Leavers pair(seed, seed % 2 == 0 ? FakeKind::kDirect : FakeKind::kHidden);
    pair.submit("x", 5);
    pair.permit(pair.ann, no_relay());
    pair.world.run_for(static_cast<int64_t>(seed - 10) * 5);
    pair.permit(pair.bob, no_relay());
    pair.submit("y", 5);
    EXPECT_TRUE(pair.settle(kHour)) << seed;
    EXPECT_FALSE(pair.at_relay(pair.ann)) << seed;
    EXPECT_FALSE(pair.at_relay(pair.bob)) << seed;
    pair.expect_all_arrived();
  }
}

// It is said when it can be, however often the program ends before.
TEST(Leaving, ACrashBeforeItIsSaid) {
  Leavers pair(4);
  pair.world.net().set_online("ann", false);
  pair.permit(pair.ann, no_relay());
  pair.submit("x", 5);
  for (int i = 0; i < 3; ++i) {
    pair.world.run_for(kMinute);
    pair.world.restart(pair.ann);
    EXPECT_TRUE(pair.leaving(pair.ann));
  }
  EXPECT_EQ(pair.by_relay[pair.ann], 0);
  pair.world.net().set_online("ann", true);
  EXPECT_TRUE(pair.settle(kHour));
  EXPECT_FALSE(pair.at_relay(pair.ann));
  EXPECT_LE(pair.by_relay[pair.ann], 2);
  pair.expect_all_arrived();
}

TEST(Leaving, IsTakenBack) {
  Leavers pair(5);
  pair.world.net().set_online("ann", false);
  pair.permit(pair.ann, no_relay());
  EXPECT_TRUE(pair.leaving(pair.ann));
  pair.permit(pair.ann, policy::everything());
  EXPECT_FALSE(pair.leaving(pair.ann));
  pair.world.net().set_online("ann", true);
  pair.submit("x", 5);
  EXPECT_TRUE(pair.settle(kHour));
  EXPECT_TRUE(pair.at_relay(pair.ann));
  EXPECT_TRUE(pair.moved(kRelay)) << pair.standing();
  pair.expect_all_arrived();
}

TEST(Leaving, NowTellsNobody) {
  Leavers pair(6);
  pair.world.run_for(kMinute);
  pair.by_relay.clear();
  pair.permit(pair.ann, no_relay(), WHERRY_TIGHTENING_NOW);
  EXPECT_FALSE(pair.leaving(pair.ann));
  pair.submit("x", 2);
  pair.world.run_for(kHour);
  EXPECT_EQ(pair.by_relay[pair.ann], 0);
  EXPECT_FALSE(pair.at_relay(pair.ann));
  EXPECT_EQ(pair.world.outbox(pair.ann, pair.bob), 2u);
  pair.permit(pair.ann, policy::everything());
  EXPECT_TRUE(pair.settle(kHour));
  pair.expect_all_arrived();
}

TEST(Leaving, NowCutsShortWhatCouldNotBeSaid) {
  Leavers pair(7);
  pair.world.net().set_online("ann", false);
  pair.permit(pair.ann, no_relay());
  pair.world.run_for(kHour);
  EXPECT_TRUE(pair.leaving(pair.ann));
  pair.permit(pair.ann, no_relay(), WHERRY_TIGHTENING_NOW);
  EXPECT_FALSE(pair.leaving(pair.ann));
  pair.world.net().set_online("ann", true);
  pair.world.run_for(kHour);
  EXPECT_FALSE(pair.at_relay(pair.ann));
  EXPECT_EQ(pair.by_relay[pair.ann], 0);
}

// A route is a person's own: no other network is opened for it.
TEST(Leaving, AChosenRouteIsLeftAtOnce) {
  Leavers pair(8);
  pair.set_route(pair.ann, kRelay);
  pair.world.run_for(kMinute);
  pair.permit(pair.ann, no_relay());
  EXPECT_FALSE(pair.leaving(pair.ann));
  pair.world.run_for(1'000);
  EXPECT_FALSE(pair.at_relay(pair.ann));
}

TEST(Leaving, AProfileLeavesWithEachConversation) {
  Leavers pair(9);
  ASSERT_TRUE(pair.world.run(pair.ann, [](engine::Turn& turn) {
    return engine::set_profile_permits(turn, no_relay(), WHERRY_TIGHTENING_ANNOUNCE);
  }));
  EXPECT_TRUE(pair.leaving(pair.ann));
  pair.submit("x", 5);
  EXPECT_TRUE(pair.settle(kHour));
  EXPECT_FALSE(pair.leaving(pair.ann));
  ASSERT_TRUE(pair.world.run(pair.ann, [](engine::Turn& turn) -> Status {
    const engine::Network& relay = *turn.runtime.networks.begin()->second;
    EXPECT_FALSE(relay.running());
    EXPECT_EQ(relay.reason, WHERRY_REASON_PERMITS);
    return {};
  }));
  EXPECT_TRUE(pair.move(pair.name, kHour)) << pair.standing();
  pair.expect_all_arrived();
}

struct ThreeNets {
  explicit ThreeNets(uint64_t seed) : world(seed, FakeKind::kStored) {
    world.add_net(FakeKind::kDirect);
    world.add_net(FakeKind::kHidden);
    ann = world.add("ann");
    bob = world.add("bob");
    world.connect(ann, bob);
    world.run_for(2'000);
  }

  bool runs(int who, const std::string& name) {
    bool running = false;
    EXPECT_TRUE(world.run(who, [&](engine::Turn& turn) -> Status {
      for (const auto& [id, network] : turn.runtime.networks) {
        if (turn.profile.transports.at(id).name == name) running = network->running();
      }
      return {};
    }));
    return running;
  }
  void permit(int who, int other, const wherry_reveals& set, int32_t tightening) {
    const uint64_t conversation = world.conversation(who, other);
    ASSERT_TRUE(world.run(who, [&](engine::Turn& turn) {
      return engine::set_conversation_permits(turn, conversation, set, tightening);
    }));
  }

  World world;
  int ann = 0;
  int bob = 0;
};

// Neither the relay nor direct links: the hidden network stays.
wherry_reveals hidden_only() {
  return policy::intersect(no_relay(), all_but(WHERRY_OBSERVER_OTHER_PERSON, WHERRY_FACT_MY_IP));
}

FakeFaults all_is_lost() {
  FakeFaults faults;
  faults.loss = 1;
  faults.lying = 0;
  return faults;
}

TEST(Leaving, AFreshCopyThatIsAskedForIsNoLastWord) {
  Leavers pair(42);
  pair.world.run_for(kMinute);
  pair.world.net().set_faults("ann", "bob", all_is_lost());
  pair.permit(pair.ann, no_relay());
  pair.world.run_for(1'000);
  ASSERT_TRUE(pair.leaving(pair.ann));
  const uint64_t id = pair.world.contact(pair.bob, pair.ann);
  ASSERT_TRUE(pair.world.run(pair.bob, [&](engine::Turn& turn) -> Status {
    engine::Contact& contact = *turn.profile.contact(id);
    contact.ask_reseal = true;
    contact.ack_at = turn.now;
    turn.pump(contact);
    return {};
  }));
  pair.world.run_for(kMinute);
  EXPECT_TRUE(pair.leaving(pair.ann));
  pair.world.net().set_faults("ann", "bob", {});
  pair.submit("x", 5);
  EXPECT_TRUE(pair.settle(kHour));
  pair.expect_all_arrived();
}

TEST(Leaving, NoOtherForbiddenNetworkWaitsForIt) {
  ThreeNets nets(43);
  nets.world.net().set_online("ann", false);
  ASSERT_TRUE(nets.world.run(nets.ann, [](engine::Turn& turn) {
    return engine::set_profile_permits(turn, hidden_only(), WHERRY_TIGHTENING_ANNOUNCE);
  }));
  nets.world.run_for(kMinute);
  EXPECT_TRUE(nets.runs(nets.ann, "fake-stored"));  // for the last word
  EXPECT_FALSE(nets.runs(nets.ann, "fake-direct"));
  nets.world.restart(nets.ann);
  nets.world.run_for(kMinute);
  EXPECT_FALSE(nets.runs(nets.ann, "fake-direct"));
  nets.permit(nets.ann, nets.bob, hidden_only(), WHERRY_TIGHTENING_NOW);
  nets.world.run_for(kMinute);
  EXPECT_FALSE(nets.runs(nets.ann, "fake-stored"));
  EXPECT_FALSE(nets.runs(nets.ann, "fake-direct"));
}

TEST(Leaving, AProfileWithACardSaysItToo) {
  Leavers pair(44);  // by Bob's card they met
  pair.world.run_for(kMinute);
  pair.by_relay.clear();
  ASSERT_TRUE(pair.world.run(pair.bob, [](engine::Turn& turn) {
    return engine::set_profile_permits(turn, no_relay(), WHERRY_TIGHTENING_ANNOUNCE);
  }));
  pair.submit("x", 5);
  EXPECT_TRUE(pair.settle(kHour));
  EXPECT_EQ(pair.by_relay[pair.bob], 1);
  EXPECT_TRUE(pair.move(pair.name, kHour)) << pair.standing();
  pair.expect_all_arrived();
}

TEST(Leaving, AnotherConversationDoesNotCutItShort) {
  World world(45, FakeKind::kStored);
  world.add_net(FakeKind::kDirect);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  const int cyd = world.add("cyd");
  world.connect(ann, bob);
  world.connect(ann, cyd);
  world.run_for(2'000);
  const auto permit = [&](int other, int32_t tightening) {
    const uint64_t conversation = world.conversation(ann, other);
    ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) {
      return engine::set_conversation_permits(turn, conversation, no_relay(), tightening);
    }));
  };
  world.net().set_online("ann", false);
  permit(bob, WHERRY_TIGHTENING_ANNOUNCE);
  permit(cyd, WHERRY_TIGHTENING_NOW);
  world.run_for(kMinute);
  world.net().set_online("ann", true);
  world.submit(ann, bob, "a0");
  world.run_for(1);
  EXPECT_TRUE(world.until([&] { return world.outbox(ann, bob) == 0; }, kHour));
}

TEST(Leaving, AWayThatNeverWorkedIsNone) {
  Leavers pair(46);
  pair.other.set_partition("ann", "bob", true);
  pair.set_route(pair.bob, std::string(kRelay) + "," + pair.name);
  pair.world.run_for(kMinute);
  pair.by_relay.clear();
  pair.permit(pair.ann, no_relay());
  pair.world.run_for(kMinute);
  EXPECT_EQ(pair.by_relay[pair.ann], 1);
  EXPECT_EQ(pair.route(pair.bob).sending_state, WHERRY_ROUTE_STATE_PROBING);
}

// What is never answered is not asked so often that it could not be skipped one day.
TEST(Leaving, DaysWithoutANetworkAreNotForEver) {
  static_assert(limits::kUnsettledMax * limits::kProbeRetryMax_ms > 60 * 24 * kHour);
  Leavers pair(47);
  pair.world.run_for(kMinute);
  pair.other.set_partition("ann", "bob", true);
  pair.permit(pair.ann, no_relay());
  pair.permit(pair.bob, no_relay());
  const uint64_t before = pair.other.counts().sent;
  pair.world.run_for(2 * 24 * kHour);
  EXPECT_LE(pair.other.counts().sent - before, 2 * 60u);
  pair.other.set_partition("ann", "bob", false);
  pair.submit("x", 3);
  EXPECT_TRUE(pair.settle(24 * kHour));
  pair.expect_all_arrived();
}

TEST(Leaving, WaitsForAHandshakeUnderWay) {
  Leavers pair(48);
  pair.world.run_for(kMinute);
  pair.world.crash(pair.bob);
  const uint64_t id = pair.world.contact(pair.ann, pair.bob);
  ASSERT_TRUE(pair.world.run(pair.ann, [&](engine::Turn& turn) -> Status {
    engine::Contact& contact = *turn.profile.contact(id);
    engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
    turn.pump(contact);
    return {};
  }));
  pair.world.run_for(10'000);
  pair.permit(pair.ann, no_relay());
  EXPECT_TRUE(pair.leaving(pair.ann));
  ASSERT_TRUE(pair.world.open(pair.bob));
  pair.submit("x", 3);
  EXPECT_TRUE(pair.settle(kHour));
  EXPECT_FALSE(pair.at_relay(pair.ann));
  pair.expect_all_arrived();
}

TEST(Leaving, ShortLivesLeaveToo) {
  Leavers pair(49);
  pair.world.run_for(kMinute);
  pair.by_relay.clear();
  pair.world.crash(pair.bob);
  pair.permit(pair.ann, no_relay());
  for (int i = 0; i < 20; ++i) {
    pair.world.run_for(8'000);
    pair.world.restart(pair.ann);
  }
  pair.world.run_for(1'000);
  EXPECT_LE(pair.by_relay[pair.ann], 2);
  EXPECT_FALSE(pair.leaving(pair.ann));
}

TEST(Leaving, ItsBytesGoToOneEndpoint) {
  ThreeNets nets(50);
  ASSERT_TRUE(nets.world.set_route(nets.bob, nets.ann, "fake-stored,fake-direct"));
  nets.world.run_for(kMinute);
  nets.world.net().set_faults("ann", "bob", all_is_lost());
  nets.permit(nets.ann, nets.bob, hidden_only(), WHERRY_TIGHTENING_ANNOUNCE);
  nets.world.run_for(500);
  ASSERT_TRUE(nets.world.start_transport(nets.ann, false));  // the relay
  nets.world.run_for(kMinute);
  EXPECT_EQ(nets.world.violations(), Texts());
}

}  // namespace
}  // namespace wherry::test
