// A disk that is full: nothing is lost, and everything goes on when there is room again.
#include <sys/stat.h>

#include <cstdio>

#include "pair.h"
#include "tests/support/small_disk.h"

namespace wherry::test {
namespace {

// Ends with bob's profile on a small disk.
#define SMALL_DISK_OR_SKIP(pair)                                                  \
  (pair).world.crash((pair).bob);                                                 \
  SmallDisk disk((pair).world.folder((pair).bob));                                \
  if (!disk.mounted()) GTEST_SKIP() << "NO SMALL DISK TO FILL: " << disk.error(); \
  ASSERT_TRUE((pair).world.open((pair).bob));                                     \
  (pair).world.run_for(1'000)

TEST(Disk, CommandsFailWhileItIsFull) {
  Pair pair(1);
  SMALL_DISK_OR_SKIP(pair);
  disk.fill();
  Result<uint64_t> sent(0);
  for (int i = 0; i < 200 && sent; ++i) {
    sent = pair.world.send(pair.bob, pair.ann, "b" + std::to_string(i));
  }
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().status, WHERRY_E_DISK);
  EXPECT_EQ(pair.world.count_events(pair.bob, WHERRY_EVENT_STORAGE, WHERRY_REASON_DISK), 1);
  const Id128 ref{7};
  EXPECT_EQ(pair.world.send(pair.bob, pair.ann, "again", ref).error().status, WHERRY_E_DISK);
  disk.free();
  pair.world.run_for(5'000);
  EXPECT_EQ(pair.world.count_events(pair.bob, WHERRY_EVENT_STORAGE, WHERRY_REASON_NONE), 1);
  ASSERT_TRUE(pair.world.send(pair.bob, pair.ann, "again", ref));
  EXPECT_TRUE(pair.settle(2 * kHour));
  EXPECT_EQ(pair.world.received(pair.ann, pair.bob).back(), "again");
  EXPECT_EQ(pair.world.history(pair.ann, pair.bob), pair.world.history(pair.bob, pair.ann));
  EXPECT_EQ(pair.world.violations(), Texts());
}

TEST(Disk, EnvelopesAreNotAcknowledgedWhileItIsFull) {
  Pair pair(1);
  SMALL_DISK_OR_SKIP(pair);
  disk.fill();
  for (int i = 0; i < 200; ++i) {
    pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
    pair.world.run_for(50);
  }
  EXPECT_LT(pair.world.received(pair.bob, pair.ann).size(), 201u);
  EXPECT_GT(pair.world.outbox(pair.ann, pair.bob), 0u);
  disk.free();
  EXPECT_TRUE(pair.settle(2 * kHour));
  pair.world.run_for(2'000);
  expect_all(pair, numbered("a", 200), {});
}

TEST(Disk, ComesAndGoes) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    SMALL_DISK_OR_SKIP(pair);
    int from_bob = 0;
    Texts accepted;
    for (int i = 0; i < 60; ++i) {
      if (i % 10 == 3) disk.fill();
      if (i % 10 == 9) disk.free();
      pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
      const std::string text = "b" + std::to_string(from_bob++);
      if (pair.world.send(pair.bob, pair.ann, text)) accepted.push_back(text);
      pair.world.run_for(static_cast<int64_t>(pair.world.random().below(700)));
    }
    disk.free();
    EXPECT_TRUE(pair.settle(24 * kHour));
    pair.world.run_for(2'000);
    expect_all(pair, numbered("a", 60), accepted);
  }
}

// Two people who have met, each on a disk that can fail.
struct FaultyPair {
  explicit FaultyPair(uint64_t seed)
      : world(seed, FakeKind::kStored, Disks::kFaulty),
        ann(world.add("ann")),
        bob(world.add("bob")) {
    world.connect(ann, bob);
    world.run_for(2'000);
  }

  World world;
  int ann;
  int bob;
};

// What a commit wrote when its sync failed stays in the page cache, and the next process reads it;
// on the disk there is a hole, and behind it nothing would count.
TEST(Disk, AFailedSyncTakesNothingThatComesAfterIt) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    FaultyPair pair(seed);
    auto& [world, ann, bob] = pair;
    world.disk(bob).set_failures(0, 1);
    EXPECT_FALSE(world.send(bob, ann, "b0"));
    world.crash(bob);
    world.disk(bob).set_failures(0, 0);
    ASSERT_TRUE(world.open(bob));
    world.run_for(1'000);
    Result<uint64_t> sent = world.send(bob, ann, "b1");
    ASSERT_TRUE(sent) << seed;
    world.cut_power(bob);
    ASSERT_TRUE(world.open(bob));
    world.run_for(60'000);
    EXPECT_EQ(world.received(ann, bob).back(), "b1") << seed;
    EXPECT_EQ(world.violations(), Texts()) << seed;
  }
}

// What the app is told of, no loss of power takes back: not what the page cache has of a commit
// whose sync failed in a process that was killed, and not while the disk still fails.
TEST(Disk, NobodyIsToldOfWhatIsNotOnIt) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    FaultyPair pair(seed);
    auto& [world, ann, bob] = pair;
    world.disk(bob).set_failures(0, 1);
    world.submit(ann, bob, "a0");
    world.run_for(100);
    world.crash(bob);
    ASSERT_TRUE(world.open(bob));
    world.run_for(10'000);
    EXPECT_EQ(world.received(bob, ann), Texts{"hello"});
    world.disk(bob).set_failures(0, 0);
    world.run_for(60'000);
    EXPECT_EQ(world.received(bob, ann), (Texts{"hello", "a0"}));
    EXPECT_EQ(world.violations(), Texts());
  }
}

}  // namespace
}  // namespace wherry::test
