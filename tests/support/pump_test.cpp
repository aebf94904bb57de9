// The pump on the machine's clock, against what a plug-in's threads do while a test waits.
#include "tests/support/pump.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace wherry::test {
namespace {

TEST(RealPump, WakesWhenSomethingChanged) {
  RealPump pump;
  std::atomic<bool> done = false;
  const auto other = std::async(std::launch::async, [&] {
    done = true;
    pump.notify();
  });
  EXPECT_TRUE(pump.until([&] { return done.load(); }, 20'000));
  other.wait();
}

TEST(RealPump, GivesUpInTime) {
  RealPump pump;
  EXPECT_FALSE(pump.until([] { return false; }, 20));
}

// A predicate that acknowledges takes the plug-in's lock; a thread of the plug-in that holds that
// lock notifies. Neither may wait for the other.
TEST(RealPump, APredicateMayWaitForWhoNotifies) {
  RealPump pump;
  std::future<void> other;
  EXPECT_TRUE(pump.until(
      [&] {
        other = std::async(std::launch::async, [&] { pump.notify(); });
        return other.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
      },
      30'000));
}

}  // namespace
}  // namespace wherry::test
