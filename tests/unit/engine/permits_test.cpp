// Permits of profile, conversation and contact: what they stop, when, and what goes on afterwards.
#include "engine/permits.h"

#include <functional>

#include "engine/explaining.h"
#include "engine/greeting.h"
#include "engine/leaving.h"
#include "engine/running.h"
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
  void move(const char* network) {
    for (const int who : {ann, bob}) ASSERT_TRUE(world.set_route(who, other(who), network));
    ASSERT_TRUE(world.until(
        [&] {
          return world.route(ann, bob).sending == network &&
                 world.route(bob, ann).sending == network;
        },
        60'000));
    world.run_for(10'000);
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

// A conversation that goes on by links alone asks the card's relay for nothing, not for keys
// either.
TEST(EnginePermits, KeysAreNotFetchedFromAForbiddenRelay) {
  PermitsPair pair(1, FakeKind::kStored, FakeKind::kDirect);
  pair.move("fake-direct");
  pair.permit(pair.ann, no_relay());
  const auto look = [&](const std::function<void(engine::Turn&, engine::Contact&)>& at) {
    ASSERT_TRUE(pair.world.run(pair.ann, [&](engine::Turn& turn) -> Status {
      at(turn, *turn.profile.contacts.begin()->second);
      return {};
    }));
  };
  look([](engine::Turn& turn, engine::Contact& contact) {
    contact.row.bundle.clear();  // so that the card's is needed
    engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
  });
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(kHour);
  look([](engine::Turn&, engine::Contact& contact) {
    EXPECT_EQ(contact.bundle_request, 0u);
    EXPECT_EQ(contact.bundle_tries, 0);
    EXPECT_TRUE(contact.row.bundle.empty());
  });
  EXPECT_EQ(pair.world.waiting_reason(pair.ann, pair.bob), WHERRY_REASON_PERMITS);
  // That alone stood against it.
  pair.permit(pair.ann, policy::everything());
  pair.world.run_for(10'000);
  look([](engine::Turn& turn, engine::Contact& contact) {
    EXPECT_NE(engine::sending_session(turn.profile, contact), nullptr);
  });
}

// Nor is anybody dialled: not who is lost, nor who can be reached from both ends at once alone.
TEST(EnginePermits, NobodyIsDialledWhereThatIsForbidden) {
  PermitsPair pair(1, FakeKind::kStored, FakeKind::kDirect);
  pair.move("fake-direct");
  pair.permit(pair.ann, all_but(WHERRY_OBSERVER_OTHER_PERSON, WHERRY_FACT_MY_IP));
  pair.world.run_for(10'000);
  pair.world.submit(pair.ann, pair.bob, "a0");
  const uint64_t before = pair.other_net->counts().connects;
  for (const int32_t reason :
       {WHERRY_REASON_UNREACHABLE, WHERRY_REASON_BOTH_ENDS, WHERRY_REASON_NEARBY}) {
    ASSERT_TRUE(pair.world.run(pair.ann, [reason](engine::Turn& turn) -> Status {
      for (const engine::PathEntry& path : turn.profile.contacts.begin()->second->paths) {
        EXPECT_FALSE(path.permitted());
        engine::on_peer(turn, *turn.network(path.transport),
                        {path.transport, path.peer, WHERRY_PEER_STATE_UNREACHABLE, reason});
      }
      return {};
    }));
    pair.world.run_for(kHour);
  }
  EXPECT_EQ(pair.other_net->counts().connects, before);
  EXPECT_EQ(pair.world.waiting_reason(pair.ann, pair.bob), WHERRY_REASON_PERMITS);
}

// Bob does not follow where he would show too much: there goes no probe, and he listens to none.
TEST(EnginePermits, NobodyIsAskedForWhereThatIsForbidden) {
  PermitsPair pair(1, FakeKind::kStored, FakeKind::kDirect);
  pair.permit(pair.bob, all_but(WHERRY_OBSERVER_OTHER_PERSON, WHERRY_FACT_MY_IP));
  pair.world.run_for(10'000);
  ASSERT_TRUE(pair.world.set_route(pair.ann, pair.bob, "fake-direct,fake-stored"));
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.submit(pair.bob, pair.ann, "b0");
  EXPECT_TRUE(pair.settle(kHour));
  pair.world.run_for(kHour);
  EXPECT_EQ(pair.explain(pair.bob).paths.size(), 2u);
  EXPECT_EQ(pair.other_net->counts().sent, 0u);
  EXPECT_EQ(pair.other_net->counts().connects, 0u);
  EXPECT_EQ(pair.world.route(pair.ann, pair.bob).sending, "fake-stored");
  EXPECT_EQ(pair.world.route(pair.bob, pair.ann).sending, "fake-stored");
  expect_all(pair, numbered("a", 1), numbered("b", 1));
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
