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

TEST(Running, NewSettingsStartItAnewAndWrongOnesCanBeMended) {
  Pair pair(1);
  const std::string right = pair.world.net().name();
  ASSERT_TRUE(pair.world.set_transport(pair.bob, {{"net", "nowhere"}}));
  pair.world.run_for(10'000);
  EXPECT_GE(pair.world.count_events(pair.bob, WHERRY_EVENT_TRANSPORT, WHERRY_REASON_SETTING), 1);
  EXPECT_LE(pair.world.count_events(pair.bob, WHERRY_EVENT_TRANSPORT, WHERRY_REASON_SETTING), 6);
  pair.world.submit(pair.ann, pair.bob, "a0");
  EXPECT_FALSE(pair.settle(10'000));
  ASSERT_TRUE(pair.world.set_transport(pair.bob, {{"net", right}}));
  EXPECT_TRUE(pair.settle(10'000));
  expect_all(pair, numbered("a", 1), {});
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

}  // namespace
}  // namespace wherry::test
