// Turns on a thread of their own and on threads that wait for one: one at a time, none forgotten.
#include "engine/thread_executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <new>
#include <semaphore>
#include <thread>
#include <vector>

namespace wherry::engine {
namespace {

constexpr std::chrono::seconds kLimit(20);

class ThreadExecutorTest : public testing::Test {
 protected:
  // Starts it; its first turn is over then, and the next one never due.
  void start() {
    executor.start([this] { return turn(); });
    ASSERT_TRUE(over.try_acquire_for(kLimit));
  }
  int64_t turn() {
    EXPECT_EQ(running.fetch_add(1), 0) << "two turns at once";
    last = std::this_thread::get_id();
    ++turns;
    if (during) during();
    running.fetch_sub(1);
    over.release();
    return next.exchange(Executor::kNever);
  }

  // Takes a turn, as soon as the one before is over: `over` is said within that.
  bool helps() {
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    while (!executor.try_turn()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::atomic<int> running = 0;
  std::atomic<int> turns = 0;
  std::atomic<std::thread::id> last;
  std::atomic<int64_t> next = Executor::kNever;
  std::function<void()> during;
  std::counting_semaphore<> over{0};
  SystemClock clock;
  ThreadExecutor executor;
};

TEST_F(ThreadExecutorTest, WhoHelpsTakesTheTurn) {
  start();
  EXPECT_NE(last.load(), std::this_thread::get_id());
  EXPECT_TRUE(helps());
  EXPECT_EQ(last.load(), std::this_thread::get_id());
  EXPECT_EQ(turns, 2);
}

TEST_F(ThreadExecutorTest, WhatIsAskedForDuringATurnIsTakenAfterIt) {
  start();
  std::binary_semaphore inside{0};
  std::binary_semaphore go_on{0};
  during = [&] {
    inside.release();
    EXPECT_TRUE(go_on.try_acquire_for(kLimit));
    during = nullptr;
  };
  const auto helper = std::async(std::launch::async, [&] { EXPECT_TRUE(helps()); });
  ASSERT_TRUE(inside.try_acquire_for(kLimit));
  EXPECT_FALSE(executor.try_turn());  // one is being taken
  executor.wake();
  go_on.release();
  helper.wait();
  ASSERT_TRUE(over.try_acquire_for(kLimit));
  ASSERT_TRUE(over.try_acquire_for(kLimit));  // the thread took the one that wake() asked for
  EXPECT_EQ(turns, 3);
}

TEST_F(ThreadExecutorTest, WhatAHelpersTurnWantsSoonIsTaken) {
  start();
  next = clock.steady_ms() + 50;
  EXPECT_TRUE(helps());
  ASSERT_TRUE(over.try_acquire_for(kLimit));
  ASSERT_TRUE(over.try_acquire_for(kLimit));
  EXPECT_NE(last.load(), std::this_thread::get_id());
}

TEST_F(ThreadExecutorTest, AStopWaitsForWhoeverHelps) {
  start();
  std::binary_semaphore inside{0};
  during = [&] {
    inside.release();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  };
  const auto helper = std::async(std::launch::async, [&] { EXPECT_TRUE(helps()); });
  ASSERT_TRUE(inside.try_acquire_for(kLimit));
  executor.stop();
  EXPECT_EQ(running, 0);
  EXPECT_EQ(turns, 2);
  EXPECT_FALSE(executor.try_turn());
  executor.wake();
  EXPECT_EQ(turns, 2);
  helper.wait();
}

// Out of memory where nothing can be undone ends the process, on whatever thread that is. An app
// that is only told so by its call would wait for ever with its next one.
TEST_F(ThreadExecutorTest, AHelpersTurnThatThrowsStopsNoOther) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        start();
        during = [] { throw std::bad_alloc(); };
        try {
          executor.try_turn();
        } catch (const std::bad_alloc&) {
          std::_Exit(0);  // as the guard of each function of the API does, which goes on
        }
      },
      "");
}

TEST_F(ThreadExecutorTest, ManyAtOnceAreServed) {
  std::atomic<int> asked = 0;
  std::atomic<int> served = 0;
  during = [&] { served = asked.load(); };
  start();
  std::vector<std::future<void>> callers;
  for (int i = 0; i < 8; ++i) {
    callers.push_back(std::async(std::launch::async, [&] {
      for (int j = 0; j < 2'000; ++j) {
        const int mine = ++asked;
        if (!executor.try_turn()) executor.wake();
        const auto deadline = std::chrono::steady_clock::now() + kLimit;
        while (served < mine && std::chrono::steady_clock::now() < deadline) {
          std::this_thread::yield();
        }
        ASSERT_GE(served, mine);
      }
    }));
  }
  for (const auto& caller : callers) caller.wait();
  executor.stop();
}

}  // namespace
}  // namespace wherry::engine
