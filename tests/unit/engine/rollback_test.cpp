// Old disk images that are put back, and sessions that are begun anew (PROTOCOL §4.5, §4.6).
#include "base/limits.h"
#include "engine/greeting.h"
#include "pair.h"

namespace wherry::test {
namespace {

void chat(Pair& pair, const std::string& prefix, int count) {
  for (int i = 0; i < count; ++i) {
    pair.world.submit(pair.ann, pair.bob, prefix + "a" + std::to_string(i));
    pair.world.submit(pair.bob, pair.ann, prefix + "b" + std::to_string(i));
    pair.world.run_for(300);
  }
}

// What came of those that begin so.
Texts beginning(const Texts& texts, const std::string& prefix) {
  Texts found;
  for (const std::string& text : texts) {
    if (text.starts_with(prefix)) found.push_back(text);
  }
  return found;
}

int rollback_events(const Pair& pair) {
  return pair.world.count_events(pair.ann, WHERRY_EVENT_SECURITY,
                                 WHERRY_REASON_ROLLBACK_SUSPECTED) +
         pair.world.count_events(pair.bob, WHERRY_EVENT_SECURITY, WHERRY_REASON_ROLLBACK_SUSPECTED);
}

void expect_healed(Pair& pair) {
  EXPECT_TRUE(pair.settle(10 * 24 * kHour));
  pair.world.run_for(10'000);
  EXPECT_EQ(beginning(pair.world.received(pair.bob, pair.ann), "new-a"), numbered("new-a", 5));
  EXPECT_EQ(beginning(pair.world.received(pair.ann, pair.bob), "new-b"), numbered("new-b", 5));
  EXPECT_EQ(pair.world.violations(), Texts());
}

TEST(Rollback, AnOldImageOfAnybodyHeals) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    SeededRandom& random = pair.world.random();
    chat(pair, "old-", 1 + static_cast<int>(random.below(4)));
    pair.world.run_for(1'000);
    const int restored = seed % 2 == 0 ? pair.ann : pair.bob;
    pair.world.save_image(restored);
    chat(pair, "lost-", 1 + static_cast<int>(random.below(5)));
    pair.world.run_for(static_cast<int64_t>(random.below(1'000)));
    pair.world.restore_image(restored);
    pair.world.run_for(static_cast<int64_t>(random.below(1'000)));
    chat(pair, "new-", 5);
    expect_healed(pair);
  }
}

// Ann's image is from before they answered each other: neither can read a header of the other's any
// more.
void make_unreadable(Pair& pair) {
  chat(pair, "old-", 2);
  pair.world.run_for(1'000);
  pair.world.save_image(pair.ann);
  for (int i = 0; i < 5; ++i) {
    pair.world.submit(pair.ann, pair.bob, "lost");
    pair.world.run_for(2'000);
    pair.world.submit(pair.bob, pair.ann, "lost too");
    pair.world.run_for(2'000);
  }
  pair.world.restore_image(pair.ann);
  pair.world.run_for(1'000);
}

TEST(Rollback, WhenNothingOpensAnyMoreItHealsInMinutes) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    make_unreadable(pair);
    chat(pair, "new-", 5);
    EXPECT_TRUE(pair.settle(5 * 60'000));
    expect_healed(pair);
  }
}

// Apps that run for moments only, and find out all the same.
TEST(Rollback, WhenNothingOpensAnyMoreItHealsInAFewShortRuns) {
  Pair pair(1);
  make_unreadable(pair);
  pair.world.submit(pair.ann, pair.bob, "new");
  const auto arrived = [&] {
    return beginning(pair.world.received(pair.bob, pair.ann), "new").size() == 1;
  };
  int runs = 0;
  for (; runs < 12 && !arrived(); ++runs) {
    pair.world.run_for(3'000);
    const int one = runs % 2 == 0 ? pair.ann : pair.bob;
    pair.world.close(one);
    pair.world.run_for(30'000);
    ASSERT_TRUE(pair.world.open(one));
  }
  EXPECT_LT(runs, 12);
}

TEST(Rollback, IsToldToTheApp) {
  Pair pair(1);
  chat(pair, "old-", 2);
  pair.world.save_image(pair.bob);
  pair.world.submit(pair.bob, pair.ann, "lost");
  pair.world.run_for(1'000);
  pair.world.restore_image(pair.bob);
  pair.world.run_for(1'000);
  chat(pair, "new-", 5);
  expect_healed(pair);
  EXPECT_GE(rollback_events(pair), 1);
}

TEST(Rollback, AnImageFromBeforeTheyMet) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    const int ann = world.add("ann");
    const int bob = world.add("bob");
    world.save_image(ann);
    world.connect(ann, bob);
    for (int i = 0; i < 3; ++i) world.submit(bob, ann, "old" + std::to_string(i));
    world.run_for(3'000);
    world.restore_image(ann);
    ASSERT_TRUE(world.add_by_card(ann, world.card(bob)));
    for (int i = 0; i < 5; ++i) {
      world.submit(ann, bob, "new-a" + std::to_string(i));
      world.submit(bob, ann, "new-b" + std::to_string(i));
      world.run_for(500);
    }
    EXPECT_TRUE(world.until([&] { return world.outbox(ann, bob) + world.outbox(bob, ann) == 0; },
                            10 * 24 * kHour));
    world.run_for(10'000);
    EXPECT_EQ(beginning(world.received(bob, ann), "new-a"), numbered("new-a", 5));
    EXPECT_EQ(beginning(world.received(ann, bob), "new-b"), numbered("new-b", 5));
    EXPECT_EQ(world.violations(), Texts());
  }
}

TEST(Rollback, WhatWasStoredBeyondAGapIsNotLostByAReset) {
  Pair pair(1);
  // The second of four envelopes is lost, though the relay says that it has it.
  for (int i = 0; i < 4; ++i) {
    FakeFaults faults;
    faults.loss = i == 1 ? 1 : 0;
    pair.world.net().set_faults("ann", "bob", faults);
    pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
    pair.world.run_for(20);
  }
  pair.world.run_for(400);  // acknowledged: all but the second
  EXPECT_EQ(pair.world.received(pair.bob, pair.ann).size(), 2u);
  ASSERT_TRUE(pair.world.run(pair.ann, [&](engine::Turn& turn) -> Status {
    engine::reset_sessions(turn, *turn.profile.contacts.begin()->second, WHERRY_REASON_NONE);
    return {};
  }));
  EXPECT_TRUE(pair.settle(24 * kHour));
  pair.world.run_for(2'000);
  expect_all(pair, numbered("a", 4), {});
}

TEST(Rollback, BothBeginAnewAtOnce) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    for (int who : {pair.ann, pair.bob}) {
      ASSERT_TRUE(pair.world.run(who, [&](engine::Turn& turn) -> Status {
        engine::reset_sessions(turn, *turn.profile.contacts.begin()->second, WHERRY_REASON_NONE);
        return {};
      }));
    }
    chat(pair, "new-", 5);
    expect_healed(pair);
    // One session, in which both send: what each sealed is settled.
    chat(pair, "more-", 3);
    pair.world.run_for(5'000);
    for (int who : {pair.ann, pair.bob}) {
      ASSERT_TRUE(pair.world.run(who, [&](engine::Turn& turn) -> Status {
        const engine::Contact& contact = *turn.profile.contacts.begin()->second;
        EXPECT_LE(engine::sending_session(turn.profile, contact)->ratchet.unsettled(), 5u);
        return {};
      }));
    }
  }
}

// The other has taken the first handshake up already: the second is no collision, whatever the
// hash.
TEST(Rollback, OneBeginsAnewRightAfterTheOther) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    for (int who : {pair.ann, pair.bob}) {
      pair.world.run_for(5'000);
      ASSERT_TRUE(pair.world.run(who, [&](engine::Turn& turn) -> Status {
        engine::reset_sessions(turn, *turn.profile.contacts.begin()->second, WHERRY_REASON_NONE);
        return {};
      }));
    }
    chat(pair, "new-", 5);
    pair.world.run_for(5'000);
    EXPECT_EQ(pair.world.outbox(pair.ann, pair.bob) + pair.world.outbox(pair.bob, pair.ann), 0u);
    expect_healed(pair);
  }
}

TEST(Rollback, ThreeResetsADay) {
  Pair pair(1);
  const auto reset = [&] {
    uint64_t before = 0, after = 0;
    EXPECT_TRUE(pair.world.run(pair.ann, [&](engine::Turn& turn) -> Status {
      engine::Contact& contact = *turn.profile.contacts.begin()->second;
      before = contact.conversation.incarnation;
      engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
      after = contact.conversation.incarnation;
      return {};
    }));
    pair.world.run_for(10'000);
    return before != after;
  };
  for (int i = 0; i < limits::kResetsPerDay; ++i) EXPECT_TRUE(reset()) << i;
  EXPECT_FALSE(reset());
  pair.world.jump_clock(pair.ann, 24 * kHour);
  EXPECT_TRUE(reset());
  chat(pair, "new-", 5);
  expect_healed(pair);
}

TEST(Rollback, AnAttackerWithTheEnvelopesOfYesterday) {
  Pair pair(1);
  // Everything that is sent is sent again later, by somebody who kept it.
  std::vector<Bytes> kept;
  pair.world.on_envelope = [&](int who, Bytes& envelope) {
    if (who == pair.ann) kept.push_back(envelope);
  };
  chat(pair, "old-", 5);
  pair.world.run_for(2'000);
  const size_t yesterday = kept.size();
  size_t next = 0;
  pair.world.on_envelope = [&](int who, Bytes& envelope) {
    if (who == pair.ann && next < yesterday) envelope = kept[next++];
  };
  chat(pair, "new-", 5);
  pair.world.on_envelope = nullptr;
  expect_healed(pair);
  EXPECT_EQ(rollback_events(pair), 0);
}

}  // namespace
}  // namespace wherry::test
