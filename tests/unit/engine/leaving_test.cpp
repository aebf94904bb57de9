// Networks that are forbidden while a conversation uses them.
#include "engine/leaving.h"

#include "base/limits.h"
#include "engine/explaining.h"
#include "movers.h"
#include "policy/reveals.h"

namespace wherry::test {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;

wherry_reveals no_relay() {
  wherry_reveals set = policy::everything();
  set.facts[WHERRY_OBSERVER_HOME_OPERATOR] &= ~uint32_t{WHERRY_FACT_MY_IP};
  return set;
}

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
  EXPECT_FALSE(pair.at_relay(pair.ann));
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

}  // namespace
}  // namespace wherry::test
