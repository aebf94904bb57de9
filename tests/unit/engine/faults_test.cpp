// What a bad network does, and what crashes do, to a conversation that has begun.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "engine/running.h"
#include "movers.h"

namespace wherry::test {
namespace {

TEST(Faults, LossDuplicatesAndReordering) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    FakeFaults faults;
    faults.loss = 0.3;
    faults.lying = 0.5;
    faults.false_failure = 0.1;
    faults.duplicate = 0.3;
    faults.reorder = 0.3;
    faults.delay_ms_max = 400;
    pair.world.net().set_faults(faults);
    for (int i = 0; i < 60; ++i) {
      pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
      pair.world.submit(pair.bob, pair.ann, "b" + std::to_string(i));
      pair.world.run_for(static_cast<int64_t>(pair.world.random().below(300)));
    }
    EXPECT_TRUE(pair.settle(90 * 24 * kHour));
    pair.world.run_for(2'000);
    expect_all(pair, numbered("a", 60), numbered("b", 60));
  }
}

// However long they were dialled in vain.
TEST(Faults, WhoIsHeardAfterAnAbsenceIsAnsweredAtOnce) {
  Movers pair(1);
  for (const int who : {pair.ann, pair.bob}) pair.set_route(who, pair.name);
  ASSERT_TRUE(pair.move(pair.name, kMinute));
  pair.other.set_online("bob", false);
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(10 * kMinute);
  pair.other.set_online("bob", true);
  pair.world.submit(pair.bob, pair.ann, "b0");
  ASSERT_TRUE(pair.world.until(
      [&] { return pair.world.received(pair.ann, pair.bob) == Texts{"b0"}; }, 2 * kMinute));
  EXPECT_TRUE(pair.settle(3 * limits::kHeardAgain_ms));
  expect_all(pair, {"a0"}, {"b0"});
}

// Likewise, and whoever has nothing to say to them does not dial.
TEST(Faults, WhoIsFoundNearbyIsDialledAtOnce) {
  Movers pair(1);
  for (const int who : {pair.ann, pair.bob}) pair.set_route(who, pair.name);
  ASSERT_TRUE(pair.move(pair.name, kMinute));
  const auto find = [&](int who) {
    ASSERT_TRUE(pair.world.run(who, [](engine::Turn& turn) -> Status {
      for (const engine::PathEntry& path : turn.profile.contacts.begin()->second->paths) {
        engine::on_peer(
            turn, *turn.network(path.transport),
            {path.transport, path.peer, WHERRY_PEER_STATE_UNREACHABLE, WHERRY_REASON_NEARBY});
      }
      return {};
    }));
  };
  pair.other.set_partition("ann", "bob", true);
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(30 * kMinute);
  pair.other.set_partition("ann", "bob", false);
  find(pair.ann);
  EXPECT_TRUE(pair.world.until(
      [&] { return pair.world.received(pair.bob, pair.ann).back() == "a0"; }, 1'000));
  EXPECT_TRUE(pair.settle(2 * kMinute));
  pair.world.run_for(kMinute);
  const uint64_t connects = pair.other.counts().connects;
  find(pair.ann);
  find(pair.bob);
  pair.world.run_for(kMinute);
  EXPECT_EQ(pair.other.counts().connects, connects);
  expect_all(pair, {"a0"}, {});
}

TEST(Faults, ANetworkThatDoublesEverythingBecomesQuiet) {
  Pair pair(1);
  FakeFaults faults;
  faults.duplicate = 1;
  pair.world.net().set_faults(faults);
  pair.world.submit(pair.ann, pair.bob, "once");
  pair.world.run_for(60'000);
  const uint64_t sent = pair.world.net().counts().sent;
  pair.world.run_for(600'000);
  EXPECT_EQ(pair.world.net().counts().sent, sent);
  expect_all(pair, {"once"}, {});
}

TEST(Faults, AnAcknowledgementThatDidNotLeaveIsSaidAgain) {
  Pair pair(1);
  FakeFaults faults;
  faults.partition = true;
  pair.world.net().set_faults("bob", "ann", faults);
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(5'000);
  EXPECT_EQ(pair.world.received(pair.bob, pair.ann).back(), "a0");
  EXPECT_EQ(pair.world.outbox(pair.ann, pair.bob), 1u);
  pair.world.net().set_faults("bob", "ann", {});
  EXPECT_TRUE(pair.settle(60'000));  // ann's own repeat would come after an hour
  expect_all(pair, {"a0"}, {});
}

TEST(Faults, NewEndpointsAreToldAlthoughNothingElseWaits) {
  Pair pair(1);
  FakeFaults faults;
  faults.partition = true;
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(10);
  pair.world.net().set_faults("bob", "ann", faults);
  pair.world.run_for(5'000);  // bob's way to ann is known to be closed
  ASSERT_TRUE(pair.world.run(pair.bob, [](engine::Turn& turn) -> Status {
    engine::Contact& contact = *turn.profile.contacts.begin()->second;
    const uint64_t transport = turn.profile.transports.begin()->first;
    const uint64_t id =
        turn.profile.inbox_of(store::InboxKind::kContact, contact.row.id, transport)->id;
    store::inbox_delete(turn.db, id);
    turn.profile.remove_inbox(id);
    turn.calls.push_back(
        [network = turn.network(transport), id] { network->instance->close_inbox(id); });
    turn.pump(contact);
    return {};
  }));
  pair.world.submit(pair.ann, pair.bob, "a1");
  pair.world.run_for(5'000);
  pair.world.net().set_faults("bob", "ann", {});
  EXPECT_TRUE(pair.settle(10 * 60'000));
  expect_all(pair, {"a0", "a1"}, {});
}

TEST(Faults, CrashesWithMessagesInFlight) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    FakeFaults faults;
    faults.delay_ms_max = 300;
    faults.loss = 0.1;
    pair.world.net().set_faults(faults);
    for (int i = 0; i < 40; ++i) {
      pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
      pair.world.submit(pair.bob, pair.ann, "b" + std::to_string(i));
      pair.world.run_for(1 + static_cast<int64_t>(pair.world.random().below(300)));
      if (pair.world.random().chance(10)) pair.world.restart(pair.ann);
      if (pair.world.random().chance(10)) pair.world.restart(pair.bob);
    }
    EXPECT_TRUE(pair.settle(90 * 24 * kHour));
    pair.world.run_for(2'000);
    expect_all(pair, numbered("a", 40), numbered("b", 40));
  }
}

TEST(Faults, AReceiverThatCrashesBeforeItAcknowledgesDoesSoAtItsStart) {
  Pair pair(1);
  pair.world.submit(pair.ann, pair.bob, "x");
  ASSERT_TRUE(
      pair.world.until([&] { return pair.world.received(pair.bob, pair.ann).size() == 2; }, 1'000));
  pair.world.restart(pair.bob);
  pair.world.run_for(5'000);
  EXPECT_TRUE(pair.settled());
}

TEST(Faults, TheWorldIsQuietWhenNothingIsLeftToDo) {
  Pair pair(1);
  const uint64_t turns = pair.world.turns(pair.ann) + pair.world.turns(pair.bob);
  pair.world.run_for(6 * kHour);
  EXPECT_LE(pair.world.turns(pair.ann) + pair.world.turns(pair.bob), turns + 14);
}

TEST(Faults, AnAbsentPersonGetsEverythingLater) {
  Pair pair(1);
  pair.world.crash(pair.bob);
  const int count = static_cast<int>(limits::kWindowMessages) + 44;
  for (int i = 0; i < count; ++i) pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
  pair.world.run_for(2 * kHour);
  EXPECT_EQ(pair.world.waiting_reason(pair.ann, pair.bob), WHERRY_REASON_WINDOW);
  EXPECT_EQ(
      store::outbox_waiting(pair.world.database(pair.ann), pair.world.contact(pair.ann, pair.bob)),
      44u);
  ASSERT_TRUE(pair.world.open(pair.bob));
  pair.world.run_for(10'000);
  EXPECT_TRUE(pair.settled());
  expect_all(pair, numbered("a", count), {});
}

TEST(Faults, BothWindowsFull) {
  Pair pair(1);
  const int count = static_cast<int>(limits::kWindowMessages) + 500;
  FakeFaults faults;
  faults.delay_ms_min = faults.delay_ms_max = 500;
  pair.world.net().set_faults(faults);
  for (int i = 0; i < count; ++i) {
    pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
    pair.world.submit(pair.bob, pair.ann, "b" + std::to_string(i));
  }
  pair.world.run_for(100);
  EXPECT_TRUE(pair.settle(60'000));
  pair.world.run_for(2'000);
  EXPECT_EQ(pair.world.received(pair.bob, pair.ann).size(), static_cast<size_t>(count) + 1);
  EXPECT_EQ(pair.world.received(pair.ann, pair.bob), numbered("b", count));
  EXPECT_EQ(pair.world.violations(), Texts());
}

TEST(Faults, ARelayThatLostItsStore) {
  Pair pair(1);
  pair.world.crash(pair.bob);
  for (int i = 0; i < 10; ++i) pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
  pair.world.run_for(10'000);
  pair.world.net().lose_store();
  pair.world.run_for(1'000);
  ASSERT_TRUE(pair.world.open(pair.bob));
  EXPECT_TRUE(pair.settle(60'000));
  expect_all(pair, numbered("a", 10), {});
}

TEST(Faults, ATransportThatIsStoppedAndStarted) {
  Pair pair(1);
  ASSERT_TRUE(pair.world.start_transport(pair.ann, false));
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(1'000);
  EXPECT_EQ(pair.world.waiting_reason(pair.ann, pair.bob), WHERRY_REASON_TRANSPORT_OFF);
  ASSERT_TRUE(pair.world.start_transport(pair.ann, true));
  ASSERT_TRUE(pair.world.start_transport(pair.ann, false));
  ASSERT_TRUE(pair.world.start_transport(pair.ann, true));
  EXPECT_TRUE(pair.settle(5'000));
  expect_all(pair, {"a0"}, {});
}

TEST(Faults, ANetworkThatComesAndGoes) {
  Pair pair(1);
  for (int i = 0; i < 20; ++i) {
    pair.world.net().set_online("ann", i % 2 == 0);
    pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
    pair.world.submit(pair.bob, pair.ann, "b" + std::to_string(i));
    pair.world.run_for(i * 100);
  }
  pair.world.net().set_online("ann", true);
  EXPECT_TRUE(pair.settle(120'000));
  expect_all(pair, numbered("a", 20), numbered("b", 20));
}

TEST(Faults, WhoWasOfflineForMomentsIsBackInMoments) {
  Pair pair(1);
  pair.world.net().set_online("ann", false);
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(5'000);
  pair.world.net().set_online("ann", true);
  EXPECT_TRUE(pair.settle(4'000));  // tried after 0.5, 1.5, 3.5 and 7.5 s
  expect_all(pair, {"a0"}, {});
}

TEST(Faults, AnOfflineNodeDoesNotSpin) {
  Pair pair(1);
  pair.world.net().set_online("ann", false);
  pair.world.run_for(100);
  const uint64_t turns = pair.world.turns(pair.ann);
  pair.world.run_for(kHour);
  EXPECT_LE(pair.world.turns(pair.ann), turns + 150);  // a reconnect a minute, and its answer
}

TEST(Faults, ClocksThatJumpByDays) {
  Pair pair(1);
  const int64_t jumps[] = {3 * 24 * kHour, -40 * 24 * kHour, 100 * 24 * kHour, -500 * 24 * kHour};
  int i = 0;
  for (int64_t jump : jumps) {
    pair.world.jump_clock(i % 2 == 0 ? pair.ann : pair.bob, jump);
    pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
    pair.world.submit(pair.bob, pair.ann, "b" + std::to_string(i));
    pair.world.run_for(10'000);
    ++i;
  }
  EXPECT_TRUE(pair.settled());
  expect_all(pair, numbered("a", 4), numbered("b", 4));
}

TEST(Faults, DirectLinksThatPart) {
  World world(1, FakeKind::kDirect);
  // Direct links keep no bundles, so that nobody can be met by card alone.
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  ASSERT_TRUE(world.add_by_card(ann, world.card(bob)));
  world.submit(ann, bob, "hello");
  world.run_for(60'000);
  EXPECT_NE(world.waiting_reason(ann, bob), WHERRY_REASON_NONE);
}

// What failed before says nothing of how soon an envelope that left is answered.
TEST(Faults, WhatLeftAfterManyFailuresIsSoonSentAgain) {
  Movers pair(1);
  pair.set_route(pair.ann, pair.name);
  pair.set_route(pair.bob, pair.name);
  ASSERT_TRUE(pair.move(pair.name, 60'000)) << pair.standing();
  FakeFaults faults;
  faults.partition = true;
  pair.other.set_faults("ann", "bob", faults);
  pair.world.submit(pair.ann, pair.bob, "a0");
  pair.world.run_for(100'000);
  // It leaves, and is lost, and nothing says so.
  faults = {};
  faults.loss = 1;
  pair.other.set_faults("ann", "bob", faults);
  const uint64_t lost = pair.other.counts().lost;
  EXPECT_TRUE(pair.world.until([&] { return pair.other.counts().lost > lost; }, 120'000));
  pair.other.set_faults("ann", "bob", {});
  EXPECT_TRUE(pair.settle(limits::kRetryHanded_ms + 1'000));
  expect_all(pair, {"a0"}, {});
}

TEST(Faults, EventsThatAreNotAcknowledgedComeAgainWithTheSameSeq) {
  Pair pair(1);
  pair.world.acknowledge_events(pair.bob, false);
  for (int i = 0; i < 100; ++i) pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
  pair.world.run_for(5'000);
  const size_t told = pair.world.ledger(pair.bob).by_seq.size();
  pair.world.restart(pair.bob);
  pair.world.run_for(5'000);
  EXPECT_EQ(pair.world.ledger(pair.bob).by_seq.size(), told);
  EXPECT_EQ(store::events_after(pair.world.database(pair.bob), 0, 1000).size(), 100u);
  expect_all(pair, numbered("a", 100), {});
}

TEST(Faults, ARefIsOneMessageAlsoAfterACrash) {
  Pair pair(1);
  const Id128 ref{1, 2, 3};
  const Result<uint64_t> first = pair.world.send(pair.ann, pair.bob, "a0", ref);
  ASSERT_TRUE(first);
  pair.world.restart(pair.ann);
  const Result<uint64_t> again = pair.world.send(pair.ann, pair.bob, "a0", ref);
  ASSERT_TRUE(again);
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(pair.world.send(pair.ann, pair.bob, "other", ref).error().status, WHERRY_E_REF);
  EXPECT_TRUE(pair.settle(5'000));
  EXPECT_EQ(*pair.world.send(pair.ann, pair.bob, "a0", ref), *first);
  expect_all(pair, {"a0"}, {});
}

TEST(Faults, JunkInEveryInbox) {
  Pair pair(1);
  // Every third envelope is damaged on its way.
  int count = 0;
  pair.world.on_envelope = [&](int, Bytes& envelope) {
    if (++count % 3 == 0) envelope[pair.world.random().below(envelope.size())] ^= 1;
  };
  for (int i = 0; i < 30; ++i) {
    pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
    pair.world.submit(pair.bob, pair.ann, "b" + std::to_string(i));
    pair.world.run_for(1'000);
  }
  pair.world.on_envelope = nullptr;
  EXPECT_TRUE(pair.settle(24 * kHour));
  pair.world.run_for(2'000);
  expect_all(pair, numbered("a", 30), numbered("b", 30));
}

}  // namespace
}  // namespace wherry::test
