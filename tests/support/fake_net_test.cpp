// FakeNet: each fault does what it says, and a seed says everything.
#include "tests/support/fake_net.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace wherry::test {
namespace {

constexpr std::int64_t kLimitMs = 1'000;
constexpr std::uint64_t kInbox = 1;
constexpr std::uint64_t kPeer = 2;

// Two nodes, online, with an inbox at the second that the first knows.
struct World {
  explicit World(std::uint64_t seed, FakeKind kind = FakeKind::kStored)
      : net(clock, seed, kind),
        alice(*net.plugin(), clock, net.settings("alice")),
        bob(*net.plugin(), clock, net.settings("bob")) {
    for (TransportHost* host : {&alice, &bob}) {
      EXPECT_EQ(host->create(), WHERRY_TRANSPORT_OK);
      EXPECT_TRUE(host->start_and_wait(kLimitMs));
    }
    EXPECT_EQ(bob.open_inbox(kInbox, Bytes(WHERRY_TRANSPORT_SECRET_SIZE, 7)), WHERRY_TRANSPORT_OK);
    EXPECT_TRUE(clock.until([&] { return bob.endpoint(kInbox).has_value(); }, kLimitMs));
    EXPECT_EQ(alice.add_peer(kPeer, bob.endpoint(kInbox).value_or("")), WHERRY_TRANSPORT_OK);
  }
  ~World() {
    EXPECT_EQ(alice.violations(), std::vector<std::string>{});
    EXPECT_EQ(bob.violations(), std::vector<std::string>{});
  }

  std::vector<std::uint64_t> send(std::uint32_t count) {
    std::vector<std::uint64_t> ids;
    for (std::uint32_t i = 0; i < count; ++i) {
      ids.push_back(alice.send_one(kPeer, {static_cast<std::uint8_t>(i), 1, 2, 3}));
      EXPECT_NE(ids.back(), 0U);
    }
    return ids;
  }
  void run(std::int64_t duration_ms = kLimitMs) { clock.run_until(clock.now_ms() + duration_ms); }
  std::int32_t outcome(std::uint64_t id) {
    return alice.last_sent(id).value_or(SentReport{0, -1, 0}).outcome;
  }
  std::vector<std::uint8_t> order() {
    std::vector<std::uint8_t> numbers;
    for (const Received& one : bob.received()) numbers.push_back(one.envelope.front());
    return numbers;
  }

  FakeClock clock;
  FakeNet net;
  TransportHost alice;
  TransportHost bob;
};

FakeFaults everything() {
  FakeFaults faults;
  faults.loss = 0.2;
  faults.lying = 0.5;
  faults.false_failure = 0.1;
  faults.duplicate = 0.2;
  faults.reorder = 0.3;
  faults.delay_ms_max = 50;
  return faults;
}

std::vector<std::uint8_t> faulty_run(std::uint64_t seed) {
  World world(seed);
  world.net.set_faults(everything());
  world.send(200);
  world.run();
  return world.order();
}

TEST(FakeNet, ASeedSaysEverything) {
  EXPECT_EQ(faulty_run(7), faulty_run(7));
  EXPECT_NE(faulty_run(7), faulty_run(8));
}

TEST(FakeNet, WithoutFaultsAllArriveInOrder) {
  World world(1);
  world.send(100);
  world.run();
  const std::vector<std::uint8_t> order = world.order();
  EXPECT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(FakeNet, LosesWithOrWithoutLying) {
  for (const bool lying : {true, false}) {
    World world(1);
    FakeFaults faults;
    faults.loss = 1;
    faults.lying = lying ? 1 : 0;
    world.net.set_faults(faults);
    const auto ids = world.send(10);
    world.run();
    EXPECT_EQ(world.bob.received_count(), 0U);
    EXPECT_EQ(world.net.counts().lost, 10U);
    for (const std::uint64_t id : ids) {
      EXPECT_EQ(world.outcome(id), lying ? WHERRY_OUTCOME_STORED : WHERRY_OUTCOME_FAILED_RETRY);
    }
  }
}

TEST(FakeNet, SaysFailedAlthoughItArrived) {
  World world(1);
  FakeFaults faults;
  faults.false_failure = 1;
  world.net.set_faults(faults);
  const auto ids = world.send(3);
  world.run();
  EXPECT_EQ(world.bob.received_count(), 3U);
  for (const std::uint64_t id : ids) EXPECT_EQ(world.outcome(id), WHERRY_OUTCOME_FAILED_RETRY);
}

TEST(FakeNet, DoublesAndReorders) {
  World world(1);
  FakeFaults faults;
  faults.duplicate = 1;
  faults.delay_ms_max = 100;
  world.net.set_faults(faults);
  world.send(50);
  world.run();
  const std::vector<std::uint8_t> order = world.order();
  EXPECT_EQ(order.size(), 100U);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
}

TEST(FakeNet, APartitionIsOneLinksOwn) {
  World world(1);
  world.net.set_partition("alice", "bob", true);
  const auto cut = world.send(2);
  world.run();
  EXPECT_EQ(world.bob.received_count(), 0U);
  for (const std::uint64_t id : cut) EXPECT_EQ(world.outcome(id), WHERRY_OUTCOME_FAILED_RETRY);
  world.net.set_partition("alice", "bob", false);
  world.send(2);
  world.run();
  EXPECT_EQ(world.bob.received_count(), 2U);
}

TEST(FakeNet, ANodeWithoutNetworkWaitsForItsHost) {
  World world(1);
  world.net.set_online("alice", false);
  EXPECT_EQ(world.alice.state(), WHERRY_TRANSPORT_STATE_DEGRADED);
  const auto ids = world.send(1);
  world.net.set_online("alice", true);
  world.run();
  EXPECT_EQ(world.outcome(ids.front()), WHERRY_OUTCOME_FAILED_RETRY);
  EXPECT_EQ(world.alice.state(), WHERRY_TRANSPORT_STATE_DEGRADED) << "it came back by itself";
  ASSERT_TRUE(world.alice.wait_online(kLimitMs));
  world.send(1);
  world.run();
  EXPECT_EQ(world.bob.received_count(), 1U);
}

TEST(FakeNet, ALostStoreIsSaid) {
  World world(1);
  ASSERT_TRUE(world.bob.stop_and_wait(kLimitMs));
  world.send(3);
  world.run();
  world.net.lose_store();
  ASSERT_TRUE(world.bob.start_and_wait(kLimitMs));
  world.run();
  EXPECT_EQ(world.bob.received_count(), 0U);
  const auto reports = world.alice.peer_reports();
  EXPECT_TRUE(std::any_of(reports.begin(), reports.end(), [](const PeerReport& report) {
    return report.peer == kPeer && report.state == WHERRY_PEER_STATE_RESET;
  }));
  world.send(3);
  world.run();
  EXPECT_EQ(world.bob.received_count(), 3U);
}

TEST(FakeNet, DirectLinksKeepNothing) {
  World world(1, FakeKind::kDirect);
  const auto there = world.send(1);
  world.run();
  EXPECT_EQ(world.outcome(there.front()), WHERRY_OUTCOME_HANDED);
  world.bob.ack(world.bob.received());
  world.run();
  EXPECT_EQ(world.outcome(there.front()), WHERRY_OUTCOME_STORED);
  ASSERT_TRUE(world.bob.stop_and_wait(kLimitMs));
  const auto absent = world.send(1);
  world.run();
  EXPECT_EQ(world.outcome(absent.front()), WHERRY_OUTCOME_FAILED_RETRY);
  EXPECT_EQ(world.alice.peer_reports().back().state, WHERRY_PEER_STATE_UNREACHABLE);
}

TEST(FakeNet, ATorTakesItsTimeAndSaysHowFarItIs) {
  World world(1, FakeKind::kHidden);
  world.net.set_tor("bob", {.bootstrap_ms = 60'000, .publish_ms = 5'000});
  world.net.kill_tor("bob");
  EXPECT_EQ(world.bob.state(), WHERRY_TRANSPORT_STATE_DEGRADED);
  EXPECT_EQ(world.bob.states().back().reason, WHERRY_REASON_TRANSPORT_OFFLINE);
  world.run(600'000);
  EXPECT_EQ(world.bob.state(), WHERRY_TRANSPORT_STATE_DEGRADED) << "it came back by itself";
  EXPECT_EQ(world.bob.connect_peer(0), WHERRY_TRANSPORT_OK);
  world.run(59'000);
  EXPECT_EQ(world.bob.states().back().state, WHERRY_TRANSPORT_STATE_STARTING);
  EXPECT_EQ(world.bob.states().back().percent, 80);
  world.run(2'000);
  EXPECT_EQ(world.bob.state(), WHERRY_TRANSPORT_STATE_ONLINE);
  const std::string endpoint = world.bob.endpoint(kInbox).value_or("");
  EXPECT_FALSE(world.net.read_at(endpoint)) << "it is found before it is published";
  world.run(5'000);
  EXPECT_TRUE(world.net.read_at(endpoint));
}

TEST(FakeNet, WhatIsSentWaitsForTheDial) {
  World world(1, FakeKind::kHidden);
  world.net.set_tor("alice", {.dial_ms = 4'000});
  const auto ids = world.send(2);
  world.run(3'000);
  EXPECT_FALSE(world.alice.last_sent(ids.front()).has_value());
  world.run(2'000);
  EXPECT_EQ(world.outcome(ids.front()), WHERRY_OUTCOME_HANDED);
  EXPECT_EQ(world.order(), (std::vector<std::uint8_t>{0, 1}));
  const auto more = world.send(1);
  world.run(10);
  EXPECT_EQ(world.outcome(more.front()), WHERRY_OUTCOME_HANDED) << "the link is up already";
}

TEST(FakeNet, ADialFailsThoughTheOtherIsThere) {
  World world(1, FakeKind::kHidden);
  world.net.set_tor("alice", {.dial_failure = 1});
  const auto ids = world.send(1);
  world.run();
  EXPECT_EQ(world.outcome(ids.front()), WHERRY_OUTCOME_FAILED_RETRY);
  EXPECT_EQ(world.alice.peer_reports().back().state, WHERRY_PEER_STATE_UNREACHABLE);
  EXPECT_EQ(world.bob.received_count(), 0U);
}

// As tor remembers an introduction point that did not answer.
TEST(FakeNet, WhoWasAwayIsNotFoundForAWhile) {
  World world(1, FakeKind::kHidden);
  world.net.set_tor("alice", {.memory_ms = 100'000});
  ASSERT_TRUE(world.bob.stop_and_wait(kLimitMs));
  world.send(1);
  world.run();
  ASSERT_TRUE(world.bob.start_and_wait(kLimitMs));
  world.run(90'000);
  const auto early = world.send(1);
  world.run();
  EXPECT_EQ(world.outcome(early.front()), WHERRY_OUTCOME_FAILED_RETRY);
  world.run(20'000);
  const auto late = world.send(1);
  world.run();
  EXPECT_EQ(world.outcome(late.front()), WHERRY_OUTCOME_HANDED);
}

TEST(FakeNet, OneInboxTooManyIsRefusedUntilThereIsRoom) {
  World world(1, FakeKind::kHidden);
  world.net.set_tor("bob", {.inboxes_max = 1});
  const Bytes secret(WHERRY_TRANSPORT_SECRET_SIZE, 8);
  EXPECT_EQ(world.bob.open_inbox(kInbox + 1, secret), WHERRY_TRANSPORT_OK);
  world.run();
  EXPECT_EQ(world.bob.inbox_reports().back().inbox, kInbox + 1);
  EXPECT_EQ(world.bob.inbox_reports().back().reason, WHERRY_REASON_FULL);
  EXPECT_EQ(world.bob.close_inbox(kInbox), WHERRY_TRANSPORT_OK);
  EXPECT_EQ(world.bob.open_inbox(kInbox + 1, secret), WHERRY_TRANSPORT_OK);
  world.run();
  EXPECT_TRUE(world.bob.endpoint(kInbox + 1).has_value());
}

TEST(FakeNet, AHalfOpenLinkSaysNothingUntilItsTimeIsOver) {
  World world(1, FakeKind::kHidden);
  world.send(1);
  world.run();
  world.net.stall_links("alice", "bob");
  const auto ids = world.send(20);
  world.run(29'000);
  for (const std::uint64_t id : ids) EXPECT_FALSE(world.alice.last_sent(id).has_value());
  world.run(2'000);
  for (const std::uint64_t id : ids) EXPECT_EQ(world.outcome(id), WHERRY_OUTCOME_FAILED_RETRY);
  EXPECT_EQ(world.alice.peer_reports().back().reason, WHERRY_REASON_TIMEOUT);
  EXPECT_GT(world.bob.received_count(), 1U) << "some have arrived all the same";
  EXPECT_LT(world.bob.received_count(), 21U);
  const auto again = world.send(1);
  world.run();
  EXPECT_EQ(world.outcome(again.front()), WHERRY_OUTCOME_HANDED);
}

}  // namespace
}  // namespace wherry::test
