// A conversation that moves to another network while it runs.
#include "engine/moving.h"

#include "base/limits.h"
#include "engine/leaving.h"
#include "movers.h"
#include "tests/support/reveals.h"

namespace wherry::test {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;

TEST(Moving, OneAsksAndTheOtherFollows) {
  Movers pair(1);
  EXPECT_TRUE(pair.moved(kRelay));
  pair.submit("x", 20);
  pair.set_route(pair.ann, pair.name);
  pair.submit("y", 20);
  EXPECT_TRUE(pair.move(pair.name, kMinute));
  pair.submit("z", 20);
  EXPECT_TRUE(pair.settle(kMinute));
  pair.expect_all_arrived();
  EXPECT_GT(pair.other.counts().arrived, 0u);
  // Nothing of the conversation goes by the old network any more.
  const uint64_t before = pair.world.net().counts().sent;
  pair.submit("w", 20);
  EXPECT_TRUE(pair.settle(kMinute));
  EXPECT_EQ(pair.world.net().counts().sent, before);
}

TEST(Moving, ThereAndBackManyTimes) {
  Movers pair(2);
  for (int i = 0; i < 10; ++i) {
    pair.submit("x", 10);
    pair.set_route(i % 3 == 0 ? pair.bob : pair.ann, i % 2 == 0 ? pair.name : kRelay);
    pair.set_route(i % 3 == 0 ? pair.ann : pair.bob, "auto");
    pair.submit("y", 10);
    EXPECT_TRUE(pair.move(i % 2 == 0 ? pair.name : kRelay, 5 * kMinute)) << i;
  }
  EXPECT_TRUE(pair.settle(kHour));
  pair.expect_all_arrived();
}

TEST(Moving, BothAtOnceInOppositeDirections) {
  Movers pair(3);
  pair.submit("x", 10);
  pair.set_route(pair.ann, pair.name);
  pair.set_route(pair.bob, kRelay);
  pair.submit("y", 10);
  EXPECT_TRUE(pair.settle(kMinute));
  pair.world.run_for(kMinute);
  // Each receives where they want to; each direction is by itself.
  EXPECT_EQ(pair.route(pair.ann).receiving, pair.name);
  EXPECT_EQ(pair.route(pair.bob).receiving, kRelay);
  pair.expect_all_arrived();
}

// Of two handshakes that cross, the one that is used may be the older one here: what comes in it
// is news all the same.
TEST(Moving, ThoseWhoMetByCrossedHandshakesMoveToo) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Movers pair(seed, FakeKind::kDirect, Met::kAtOnce);
    if (seed % 2 == 0) {
      for (const int who : {pair.ann, pair.bob}) {
        pair.world.crash(who);
        ASSERT_TRUE(pair.world.open(who));
      }
    }
    pair.set_route(pair.ann, pair.name);
    pair.set_route(pair.bob, pair.name);
    pair.submit("x", 10);
    EXPECT_TRUE(pair.move(pair.name, kMinute)) << pair.standing();
    EXPECT_TRUE(pair.settle(kMinute));
    EXPECT_EQ(pair.world.violations(), Texts());
  }
}

TEST(Moving, ALivelyTalkSpendsNoProbesOnANetworkThatIsOffline) {
  Movers pair(1);
  pair.other.set_online("ann", false);
  pair.world.run_for(1'000);
  pair.set_route(pair.bob, pair.name);
  for (int i = 0; i < 100; ++i) {
    pair.submit("x", 1);
    pair.world.run_for(300);
  }
  EXPECT_EQ(pair.route(pair.ann).sending, kRelay);
  pair.other.set_online("ann", true);
  EXPECT_TRUE(pair.move(pair.name, 2 * kMinute)) << pair.standing();
  EXPECT_TRUE(pair.settle(kMinute));
  pair.expect_all_arrived();
}

// What is said meanwhile, by the faster network, must not make the probe a thing of the past.
TEST(Moving, ALivelyTalkDoesNotOvertakeAProbeOnASlowNetwork) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Movers pair(seed);
    FakeFaults slow;
    slow.delay_ms_max = 1'000;
    pair.other.set_faults(slow);
    pair.set_route(pair.bob, pair.name);
    for (int i = 0; i < 40 && pair.route(pair.ann).sending != pair.name; ++i) {
      pair.submit("x", 1);
      pair.world.run_for(100);
    }
    EXPECT_EQ(pair.route(pair.ann).sending, pair.name) << pair.standing();
    EXPECT_TRUE(pair.settle(kMinute));
    pair.expect_all_arrived();
  }
}

// The lost probe holds the floor when the next set is sealed. When it no longer does, the other
// side must hear of it, or never says that the set has come.
TEST(Moving, WhatWasSaidBehindALostProbeIsSettled) {
  Movers pair(1);
  FakeFaults deaf;
  deaf.loss = 1;
  pair.other.set_faults(deaf);
  pair.set_route(pair.bob, pair.name);
  pair.world.run_for(500);  // Ann's probe is lost
  pair.set_route(pair.ann, pair.name);
  pair.world.run_for(2 * kHour);  // a copy that is stored is repeated after one
  for (const auto& [who, to] : {std::pair(pair.ann, pair.bob), std::pair(pair.bob, pair.ann)}) {
    const uint64_t contact = pair.world.contact(who, to);
    EXPECT_EQ(store::sealed_of(pair.world.database(who), contact).size(), 0u);
  }
}

TEST(Moving, WhoComesBackAfterALongTimeIsWrittenToSoon) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Movers pair(seed);
    for (const int who : {pair.ann, pair.bob}) pair.set_route(who, pair.name);
    ASSERT_TRUE(pair.move(pair.name, kMinute));
    pair.other.set_online("bob", false);
    pair.submit("x", 40);
    // By then it would be tried again after ten minutes.
    pair.world.run_for(2 * kHour);
    EXPECT_GT(pair.world.outbox(pair.ann, pair.bob), 0u);
    pair.other.set_online("bob", true);
    EXPECT_TRUE(
        pair.world.until([&] { return pair.world.outbox(pair.bob, pair.ann) == 0; }, 11 * kMinute));
    EXPECT_TRUE(pair.settle(5'000));
    pair.expect_all_arrived();
  }
}

TEST(Moving, ANetworkThatDoesNotWorkChangesNothing) {
  Movers pair(4);
  pair.other.set_partition("ann", "bob", true);
  pair.set_route(pair.ann, pair.name);
  pair.submit("x", 20);
  EXPECT_TRUE(pair.settle(kMinute));
  pair.world.run_for(10 * kMinute);
  pair.submit("y", 20);
  EXPECT_TRUE(pair.settle(kMinute));
  EXPECT_EQ(pair.route(pair.bob).sending, kRelay);
  EXPECT_EQ(pair.route(pair.bob).sending_state, WHERRY_ROUTE_STATE_PROBING);
  EXPECT_NE(pair.route(pair.bob).sending_reason, WHERRY_REASON_NONE);
  EXPECT_EQ(pair.route(pair.ann).receiving_state, WHERRY_ROUTE_STATE_ANNOUNCED);
  EXPECT_GT(pair.world.count_events(pair.bob, WHERRY_EVENT_SENDING_ROUTE), 0);

  pair.other.set_partition("ann", "bob", false);
  EXPECT_TRUE(pair.move(pair.name, kHour));
  pair.expect_all_arrived();
}

// Such a network does not run, and that is not what is wrong with it.
TEST(Moving, ANetworkThatTheProfileForbidsIsSaidToBe) {
  Movers pair(4);
  ASSERT_TRUE(pair.world.run(pair.ann, [](engine::Turn& turn) {
    return engine::set_profile_permits(
        turn, all_but(WHERRY_OBSERVER_OTHER_PERSON, WHERRY_FACT_MY_IP), WHERRY_TIGHTENING_ANNOUNCE);
  }));
  pair.set_route(pair.ann, pair.name);
  pair.world.run_for(kMinute);
  EXPECT_EQ(pair.route(pair.ann).receiving, kRelay);
  EXPECT_EQ(pair.route(pair.ann).receiving_state, WHERRY_ROUTE_STATE_OPENING);
  EXPECT_EQ(pair.route(pair.ann).receiving_reason, WHERRY_REASON_PERMITS);
}

TEST(Moving, TheOldNetworkFailsInTheMiddle) {
  Movers pair(5);
  pair.submit("x", 50);
  pair.set_route(pair.ann, pair.name);
  // Long enough for the announcement to arrive, by loss and luck.
  ASSERT_TRUE(pair.world.until(
      [&] { return pair.world.route(pair.bob, pair.ann).sending == pair.name; }, kMinute));
  pair.world.net().set_partition("ann", "bob", true);
  pair.submit("y", 50);
  EXPECT_TRUE(pair.move(pair.name, kHour));
  EXPECT_TRUE(pair.settle(kHour));
  pair.expect_all_arrived();
}

// Wherever a process ends, it goes on from there.
TEST(Moving, ACrashAtAnyPoint) {
  for (int64_t at = 0; at < 60; at += 3) {
    Movers pair(100 + static_cast<uint64_t>(at));
    pair.submit("x", 5);
    pair.set_route(pair.ann, pair.name);
    pair.submit("y", 5);
    pair.world.run_for(at);
    pair.world.restart(at % 2 == 0 ? pair.ann : pair.bob);
    EXPECT_TRUE(pair.move(pair.name, 5 * kMinute)) << at;
    EXPECT_TRUE(pair.settle(kHour)) << at;
    pair.expect_all_arrived();
  }
}

TEST(Moving, WithLossDoublesAndReordering) {
  for (uint64_t seed = 200; seed < 240; ++seed) {
    Movers pair(seed);
    FakeFaults faults;
    faults.loss = faults.duplicate = faults.reorder = 0.2;
    faults.delay_ms_max = 500;
    pair.world.net().set_faults(faults);
    pair.other.set_faults(faults);
    for (int i = 0; i < 6; ++i) {
      pair.submit("x", 10);
      pair.set_route(i % 2 == 0 ? pair.ann : pair.bob, i % 2 == 0 ? pair.name : kRelay);
      pair.world.run_for(5'000);
    }
    pair.set_route(pair.ann, pair.name);
    pair.set_route(pair.bob, pair.name);
    EXPECT_TRUE(pair.settle(48 * kHour)) << seed;
    EXPECT_TRUE(pair.move(pair.name, 480 * kHour)) << seed << " " << pair.standing();
    pair.expect_all_arrived();
  }
}

// Nobody takes leave of the old inbox while the other is away, so it stays.
TEST(Moving, AnAbsentPersonIsNotStranded) {
  Movers pair(6);
  pair.world.crash(pair.bob);
  pair.set_route(pair.ann, pair.name);
  pair.world.run_for(100 * kHour);
  EXPECT_EQ(pair.route(pair.ann).receiving_state, WHERRY_ROUTE_STATE_ANNOUNCED);
  ASSERT_TRUE(pair.world.open(pair.bob));
  pair.submit("x", 5);
  EXPECT_TRUE(pair.move(pair.name, kHour));
  EXPECT_TRUE(pair.settle(kHour));
  pair.expect_all_arrived();
}

// Between the last envelope by the relay and the first by the network that shows no address there
// is a quiet time, and nothing goes back.
TEST(Moving, IsQuietBeforeTheAddressIsHidden) {
  Movers pair(7, FakeKind::kHidden);
  int64_t last_shown = 0;
  int64_t first_hidden = 0;
  pair.world.on_sent_to = [&](int who, const std::string& endpoint, ByteView) {
    if (who != pair.bob) return;
    if (!endpoint.starts_with("fkh1:")) last_shown = pair.world.now_ms();
    if (endpoint.starts_with("fkh1:") && first_hidden == 0) first_hidden = pair.world.now_ms();
  };
  pair.set_route(pair.ann, pair.name);
  ASSERT_TRUE(pair.world.until(
      [&] { return pair.route(pair.bob).sending_state == WHERRY_ROUTE_STATE_QUIET; }, kMinute));
  pair.submit("x", 5);
  EXPECT_TRUE(pair.move(pair.name, kHour));
  EXPECT_TRUE(pair.settle(kHour));
  EXPECT_GE(first_hidden - last_shown, limits::kQuietMin_ms);
  pair.expect_all_arrived();
}

// A network that was stopped, in a life before this one, showed the address all the same.
TEST(Moving, IsQuietAlsoWhenTheNetworkThatIsLeftDoesNotRun) {
  Movers pair(7, FakeKind::kHidden);
  int64_t first_hidden = 0;
  pair.world.on_sent_to = [&](int who, const std::string& endpoint, ByteView) {
    if (who != pair.bob || !endpoint.starts_with("fkh1:")) return;
    if (first_hidden == 0) first_hidden = pair.world.now_ms();
  };
  pair.set_route(pair.bob, kRelay);
  pair.set_route(pair.ann, pair.name);
  pair.world.run_for(kMinute);
  ASSERT_EQ(pair.route(pair.bob).sending, kRelay);
  ASSERT_TRUE(pair.world.start_transport(pair.bob, false));
  pair.world.restart(pair.bob);
  const int64_t asked = pair.world.now_ms();
  pair.set_route(pair.bob, pair.name);
  pair.submit("x", 5);
  EXPECT_TRUE(pair.world.until([&] { return first_hidden != 0; }, kHour));
  EXPECT_GE(first_hidden - asked, limits::kQuietMin_ms);
  ASSERT_TRUE(pair.world.start_transport(pair.bob, true));
  EXPECT_TRUE(pair.move(pair.name, kHour));
  EXPECT_TRUE(pair.settle(kHour));
  pair.expect_all_arrived();
}

// Both have moved house: neither is where the other was told, and no other network was named.
TEST(Moving, ACardIsTheWayBackForWhoLostEachOther) {
  Movers pair(60);
  for (const int who : {pair.ann, pair.bob}) pair.set_route(who, pair.name);
  pair.submit("x", 5);
  EXPECT_TRUE(pair.move(pair.name, kHour));
  EXPECT_TRUE(pair.settle(kHour));
  pair.other.set_partition("ann", "bob", true);
  pair.other.set_partition("bob", "ann", true);
  pair.submit("y", 5);
  pair.world.run_for(kHour);
  EXPECT_FALSE(pair.settle(kMinute));
  const std::string card = pair.world.card(pair.bob);
  for (const int who : {pair.ann, pair.bob}) pair.set_route(who, pair.name + "," + kRelay);
  EXPECT_FALSE(pair.settle(kHour)) << "nobody can tell it";
  ASSERT_TRUE(pair.world.add_by_card(pair.ann, card));
  EXPECT_TRUE(pair.settle(kHour)) << pair.standing();
  pair.expect_all_arrived();
}

// Others know it from before, so it is the one that has to be opened.
TEST(Moving, AnInboxThatIsRefusedAfterARestartIsAskedForAgain) {
  Movers pair(9, FakeKind::kHidden);
  pair.set_route(pair.ann, pair.name);
  ASSERT_TRUE(pair.move(pair.name, kHour));
  pair.other.set_tor("bob", {.inboxes_max = 0});
  pair.world.restart(pair.bob);
  pair.submit("x", 5);
  EXPECT_FALSE(pair.settle(kHour));
  EXPECT_GT(pair.other.counts().full, 1u) << "it is asked for again, paced";
  pair.other.set_tor("bob", {});
  EXPECT_TRUE(pair.settle(kHour));
  pair.expect_all_arrived();
}

TEST(Moving, TheNextNetworkOfTheRouteTakesOverAndGivesBack) {
  Movers pair(8);
  const std::string both = std::string(kRelay) + "," + pair.name;
  pair.set_route(pair.ann, both);
  pair.set_route(pair.bob, both);
  pair.world.run_for(kMinute);
  EXPECT_EQ(pair.route(pair.ann).sending, kRelay);
  pair.world.net().set_online("ann", false);
  pair.submit("x", 5);
  pair.world.run_for(kMinute);
  EXPECT_EQ(pair.route(pair.ann).sending, pair.name);
  pair.world.net().set_online("ann", true);
  EXPECT_TRUE(pair.settle(kHour));
  pair.world.run_for(10 * kMinute);
  EXPECT_EQ(pair.route(pair.ann).sending, kRelay);
  pair.expect_all_arrived();
}

TEST(Moving, RoutesThatAreNone) {
  Movers pair(9);
  EXPECT_EQ(pair.world.set_route(pair.ann, pair.bob, "carrier-pigeon").error().status,
            WHERRY_E_NOT_FOUND);
  EXPECT_EQ(pair.world.set_route(pair.ann, pair.bob, "fake-stored,,").error().status,
            WHERRY_E_ARGUMENT);
  EXPECT_EQ(pair.world.set_route(pair.ann, pair.bob, "fake-stored,fake-stored").error().status,
            WHERRY_E_ARGUMENT);
  EXPECT_EQ(pair.route(pair.ann).route, "auto");
}

}  // namespace
}  // namespace wherry::test
