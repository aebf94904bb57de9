// Transports that are started, stopped and set while things go wrong.
#include "engine/running.h"

#include "pair.h"

namespace wherry::test {
namespace {

TEST(Running, AStopWhoseCommitFailsDidNotHappen) {
  Pair pair(1);
  const Status stopped = pair.world.run(pair.bob, [](engine::Turn& turn) -> Status {
    engine::stop_network(turn, *turn.runtime.networks.begin()->second);
    turn.db.run_script("INSERT INTO no_such_table VALUES(1)");
    return {};
  });
  EXPECT_FALSE(stopped);
  pair.world.submit(pair.ann, pair.bob, "a0");
  EXPECT_TRUE(pair.settle(60'000));
  expect_all(pair, numbered("a", 1), {});
}

TEST(Running, AStartWhoseCommitFailsDidNotHappen) {
  Pair pair(1);
  ASSERT_TRUE(pair.world.start_transport(pair.bob, false));
  pair.world.run_for(1'000);
  const Status started = pair.world.run(pair.bob, [](engine::Turn& turn) -> Status {
    EXPECT_TRUE(engine::start_network(turn, *turn.runtime.networks.begin()->second));
    turn.db.run_script("INSERT INTO no_such_table VALUES(1)");
    return {};
  });
  EXPECT_FALSE(started);
  pair.world.submit(pair.ann, pair.bob, "a0");
  EXPECT_FALSE(pair.settle(60'000));
  ASSERT_TRUE(pair.world.start_transport(pair.bob, true));
  EXPECT_TRUE(pair.settle(60'000));
  expect_all(pair, numbered("a", 1), {});
}

TEST(Running, NewSettingsStartItAnewAndWrongOnesChangeNothing) {
  Pair pair(1);
  const Status wrong = pair.world.set_transport(pair.bob, {{"net", "nowhere"}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().status, WHERRY_E_SETTING);
  pair.world.submit(pair.ann, pair.bob, "a0");
  EXPECT_TRUE(pair.settle(10'000));
  ASSERT_TRUE(pair.world.set_transport(pair.bob, {{"net", pair.world.net().name()}}));
  pair.world.submit(pair.ann, pair.bob, "a1");
  EXPECT_TRUE(pair.settle(10'000));
  expect_all(pair, numbered("a", 2), {});
}

TEST(Running, StoppedAndStartedInOneTurn) {
  Pair pair(1);
  ASSERT_TRUE(pair.world.run(pair.bob, [](engine::Turn& turn) -> Status {
    engine::Network& network = *turn.runtime.networks.begin()->second;
    engine::stop_network(turn, network);
    return engine::start_network(turn, network);
  }));
  pair.world.submit(pair.ann, pair.bob, "a0");
  EXPECT_TRUE(pair.settle(60'000));
  expect_all(pair, numbered("a", 1), {});
}

TEST(Running, AnInboxWhoseOpeningWasNotCommittedIsAskedForAgain) {
  Pair pair(1);
  uint64_t inbox = 0;
  // Bob's inbox for Ann has no endpoint, as if the network had refused it, and is due.
  ASSERT_TRUE(pair.world.run(pair.bob, [&](engine::Turn& turn) -> Status {
    for (auto& [id, row] : turn.profile.inboxes) {
      if (row.kind == store::InboxKind::kContact) inbox = id;
    }
    turn.profile.inboxes.at(inbox).endpoint.clear();
    store::inbox_set_endpoint(turn.db, inbox, "");
    return {};
  }));
  const Status failed = pair.world.run(pair.bob, [](engine::Turn& turn) -> Status {
    turn.runtime.networks.begin()->second->reopen_at = turn.now;
    turn.db.run_script("INSERT INTO no_such_table VALUES(1)");
    return {};
  });
  EXPECT_FALSE(failed);
  pair.world.run_for(5'000);
  ASSERT_TRUE(pair.world.run(pair.bob, [&](engine::Turn& turn) -> Status {
    EXPECT_NE(turn.profile.inboxes.at(inbox).endpoint, "");
    return {};
  }));
}

// Bob's machine had no network for hours. Nobody waits for the time that doubled meanwhile.
TEST(Running, AChangeOfNetworksIsActedOnAtOnce) {
  Pair pair(1);
  pair.world.net().set_online("bob", false);
  pair.world.submit(pair.bob, pair.ann, "b0");
  pair.world.run_for(3 * 3600 * 1000);
  pair.world.net().set_online("bob", true);
  ASSERT_TRUE(pair.world.run(pair.bob, [](engine::Turn& turn) -> Status {
    EXPECT_GT(turn.runtime.networks.begin()->second->reconnect_at, turn.now + 2'000);
    engine::update_networks(turn, WHERRY_CHANGE_NETWORK);
    return {};
  }));
  EXPECT_TRUE(pair.settle(1'000));
  expect_all(pair, {}, numbered("b", 1));
}

TEST(Running, WithoutMemoryATurnFailsAndNothingElse) {
  Pair pair(1);
  const Status outcome = pair.world.run(pair.bob, [](engine::Turn& turn) -> Status {
    turn.profile.contacts.begin()->second->row.name = "half done";
    throw std::bad_alloc();
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().status, WHERRY_E_MEMORY);
  pair.world.submit(pair.ann, pair.bob, "a0");
  EXPECT_TRUE(pair.settle(60'000));
  expect_all(pair, numbered("a", 1), {});
  ASSERT_TRUE(pair.world.run(pair.bob, [](engine::Turn& turn) -> Status {
    EXPECT_NE(turn.profile.contacts.begin()->second->row.name, "half done");
    return {};
  }));
}

TEST(Running, AnEnvelopeThatTheTransportRefusesStandsInNobodysWay) {
  World world(1);
  const int ann = world.add("ann"), bob = world.add("bob"), cyd = world.add("cyd");
  world.connect(ann, bob);
  world.connect(ann, cyd);
  world.run_for(2'000);
  world.refuses_envelope = [](ByteView envelope) { return envelope.size() > 4096; };
  world.submit(ann, bob, std::string(20'000, 'x'));
  world.submit(ann, cyd, "c0");
  world.run_for(5'000);
  EXPECT_EQ(world.received(cyd, ann), (Texts{"hello", "c0"}));
  EXPECT_EQ(world.outbox(ann, bob), 1u);
  EXPECT_EQ(world.waiting_reason(ann, bob), WHERRY_REASON_REFUSED);
  world.refuses_envelope = nullptr;
  EXPECT_TRUE(world.until([&] { return world.outbox(ann, bob) == 0; }, 20 * 60'000));
  EXPECT_EQ(world.violations(), Texts());
}

}  // namespace
}  // namespace wherry::test
