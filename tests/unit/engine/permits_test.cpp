// Permits of profile, conversation and contact: what they stop, when, and what goes on afterwards.
#include "engine/permits.h"

#include "engine/explaining.h"
#include "engine/leaving.h"
#include "pair.h"
#include "tests/support/reveals.h"

namespace wherry::test {
namespace {

constexpr int64_t kHour = 3'600'000;

struct PermitsPair : Pair {
  using Pair::Pair;

  int other(int who) const { return who == ann ? bob : ann; }
  void permit(int who, const wherry_reveals& set) {
    const uint64_t conversation = world.conversation(who, other(who));
    ASSERT_TRUE(world.run(who, [&](engine::Turn& turn) {
      return engine::set_conversation_permits(turn, conversation, set, WHERRY_TIGHTENING_ANNOUNCE);
    }));
  }
  void permit_profile(int who, const wherry_reveals& set) {
    ASSERT_TRUE(world.run(who, [&](engine::Turn& turn) {
      return engine::set_profile_permits(turn, set, WHERRY_TIGHTENING_ANNOUNCE);
    }));
  }
  engine::Explanation explain(int who) {
    engine::Explanation made;
    const uint64_t conversation = world.conversation(who, other(who));
    EXPECT_TRUE(world.run(who, [&](engine::Turn& turn) -> Status {
      Result<engine::Explanation> found = engine::explain(turn, conversation);
      if (!found) return found.error();
      made = found.take();
      return {};
    }));
    return made;
  }
};

TEST(EnginePermits, NothingLeavesOverAPathThatRevealsTooMuch) {
  PermitsPair pair(1);
  pair.permit(pair.ann, no_relay());
  pair.world.run_for(10'000);
  const uint64_t before = pair.world.envelopes();
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(30 * kHour);
  EXPECT_EQ(pair.world.envelopes(), before);
  EXPECT_EQ(pair.world.waiting_reason(pair.ann, pair.bob), WHERRY_REASON_PERMITS);

  pair.permit(pair.ann, policy::everything());
  EXPECT_TRUE(pair.settle(60'000));
  expect_all(pair, numbered("a", 1), {});
}

// Neither is anything fetched there, nor acknowledged: not a packet of the conversation.
TEST(EnginePermits, WhatWaitsAtAForbiddenRelayIsNotFetched) {
  PermitsPair pair(1);
  pair.permit(pair.ann, no_relay());
  pair.world.run_for(10'000);
  pair.world.submit(pair.bob, pair.ann, "b0");
  pair.world.run_for(10'000);
  EXPECT_TRUE(pair.world.received(pair.ann, pair.bob).empty());
  EXPECT_EQ(pair.world.outbox(pair.bob, pair.ann), 1u);

  pair.permit(pair.ann, policy::everything());
  EXPECT_TRUE(pair.settle(2 * kHour));
  expect_all(pair, {}, numbered("b", 1));
}

TEST(EnginePermits, WhatWasSealedForItStaysToo) {
  PermitsPair pair(1);
  FakeFaults lost;
  lost.loss = 1;
  pair.world.net().set_faults("ann", "bob", lost);
  for (int i = 0; i < 5; ++i) pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
  pair.world.run_for(100);
  pair.permit(pair.ann, no_relay());
  pair.world.run_for(1'000);
  pair.world.net().set_faults("ann", "bob", {});
  const uint64_t before = pair.world.envelopes();
  pair.world.run_for(48 * kHour);
  EXPECT_EQ(pair.world.envelopes(), before);
  pair.permit(pair.ann, policy::everything());
  EXPECT_TRUE(pair.settle(48 * kHour));
  expect_all(pair, numbered("a", 5), {});
}

TEST(EnginePermits, APathSaysWhenItLastWorked) {
  PermitsPair pair(1);
  pair.world.run_for(10'000);
  const int64_t before = pair.explain(pair.ann).paths[0].succeeded_ms;
  EXPECT_GT(before, 0);
  pair.world.net().set_partition("ann", "bob", true);
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(kHour);
  EXPECT_EQ(pair.explain(pair.ann).paths[0].succeeded_ms, before);
  pair.world.net().set_partition("ann", "bob", false);
  ASSERT_TRUE(pair.settle(kHour));
  EXPECT_GE(pair.explain(pair.ann).paths[0].succeeded_ms, before + kHour);
}

TEST(EnginePermits, TheOtherPersonsAreHeldToo) {
  PermitsPair pair(1);
  // Bob's far operator is Ann's home operator, and the other's address is hers: not a word of what
  // his own path reveals.
  pair.permit(pair.bob, all_but(WHERRY_OBSERVER_FAR_OPERATOR, WHERRY_FACT_OTHER_IP));
  pair.world.run_for(10'000);
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.submit(pair.bob, pair.ann, "b0");
  pair.world.run_for(2 * kHour);
  EXPECT_EQ(pair.world.waiting_reason(pair.ann, pair.bob), WHERRY_REASON_PERMITS);
  EXPECT_TRUE(pair.world.received(pair.bob, pair.ann).size() == 1);  // "hello"
  const engine::Explanation why = pair.explain(pair.ann);
  ASSERT_EQ(why.paths.size(), 1u);
  EXPECT_EQ(why.paths[0].reason, WHERRY_REASON_PERMITS);
  EXPECT_FALSE(why.paths[0].chosen);
  EXPECT_EQ(policy::count(why.paths[0].against_mine), 0);
  EXPECT_EQ(policy::count(why.paths[0].against_profile), 0);
  EXPECT_EQ(why.paths[0].against_theirs.facts[WHERRY_OBSERVER_HOME_OPERATOR],
            uint32_t{WHERRY_FACT_MY_IP});
  EXPECT_EQ(policy::count(why.paths[0].against_theirs), 1);
}

TEST(EnginePermits, AProfilesGovernBeingOnline) {
  PermitsPair pair(1);
  pair.permit_profile(pair.ann, no_relay());
  pair.world.run_for(10'000);
  const Status refused = pair.world.start_transport(pair.ann, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, WHERRY_E_PERMITS);
  const uint64_t before = pair.world.envelopes();
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.submit(pair.bob, pair.ann, "b0");
  pair.world.run_for(2 * kHour);
  EXPECT_TRUE(pair.world.received(pair.ann, pair.bob).empty());
  pair.world.restart(pair.ann);  // nor after the app was opened anew
  pair.world.run_for(kHour);
  EXPECT_TRUE(pair.world.received(pair.ann, pair.bob).empty());
  EXPECT_LE(pair.world.envelopes(), before + 3);  // Bob's, said again
  ASSERT_TRUE(pair.world.run(pair.ann, [](engine::Turn& turn) -> Status {
    const engine::Network& network = *turn.runtime.networks.begin()->second;
    EXPECT_FALSE(network.running());
    EXPECT_EQ(network.state, WHERRY_TRANSPORT_STATE_FAILED);
    EXPECT_EQ(network.reason, WHERRY_REASON_PERMITS);
    return {};
  }));

  pair.permit_profile(pair.ann, policy::everything());
  EXPECT_TRUE(pair.settle(48 * kHour));
  expect_all(pair, numbered("a", 1), numbered("b", 1));
}

TEST(EnginePermits, OutliveTheProcess) {
  PermitsPair pair(1);
  pair.permit(pair.ann, no_relay());
  pair.world.crash(pair.ann);
  ASSERT_TRUE(pair.world.open(pair.ann));
  pair.world.run_for(10'000);
  const uint64_t before = pair.world.envelopes();
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(kHour);
  EXPECT_EQ(pair.world.envelopes(), before);
  const engine::Explanation why = pair.explain(pair.ann);
  EXPECT_EQ(why.permits.mine.facts[WHERRY_OBSERVER_HOME_OPERATOR], ~uint32_t{WHERRY_FACT_MY_IP});
}

TEST(EnginePermits, WhatWasRevealedIsKept) {
  PermitsPair pair(1);
  const wherry_reveals worst = FakeNet::plugin(FakeKind::kStored)->describe()->reveals_worst;
  EXPECT_TRUE(policy::within(pair.explain(pair.ann).revealed, worst));
  EXPECT_EQ(policy::count(pair.explain(pair.ann).revealed), policy::count(worst));
  pair.permit(pair.ann, no_relay());
  pair.world.restart(pair.ann);
  EXPECT_EQ(policy::count(pair.explain(pair.ann).revealed), policy::count(worst));
}

// What one conversation forbids stops no other.
TEST(EnginePermits, AnotherConversationGoesOn) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  const int cyd = world.add("cyd");
  world.connect(ann, bob);
  world.connect(ann, cyd);
  world.run_for(2'000);
  const uint64_t conversation = world.conversation(ann, bob);
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) {
    return engine::set_conversation_permits(turn, conversation, no_relay(),
                                            WHERRY_TIGHTENING_ANNOUNCE);
  }));
  for (int i = 0; i < 3; ++i) {
    world.submit(ann, cyd, "a" + std::to_string(i));
    world.submit(cyd, ann, "c" + std::to_string(i));
    world.submit(bob, ann, "b" + std::to_string(i));
    world.run_for(5'000);
  }
  EXPECT_EQ(world.received(ann, cyd), numbered("c", 3));
  EXPECT_EQ(world.received(ann, bob), Texts());
  EXPECT_EQ(world.outbox(ann, cyd), 0u);
  EXPECT_EQ(world.violations(), Texts());
}

TEST(EnginePermits, UnknownConversations) {
  PermitsPair pair(1);
  const Status set = pair.world.run(pair.ann, [](engine::Turn& turn) {
    return engine::set_conversation_permits(turn, 99, policy::everything(),
                                            WHERRY_TIGHTENING_ANNOUNCE);
  });
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().status, WHERRY_E_NOT_FOUND);
}

}  // namespace
}  // namespace wherry::test
