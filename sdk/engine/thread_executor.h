// Runs the engine's turns on a thread of its own, or on those that wait for what a turn does: where
// nothing else is going on, a caller does its own work, and no thread waits for another to wake up.
#ifndef WHERRY_ENGINE_THREAD_EXECUTOR_H
#define WHERRY_ENGINE_THREAD_EXECUTOR_H

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/system_clock.h"

namespace wherry::engine {

class ThreadExecutor : public Executor {
 public:
  ~ThreadExecutor() override;
  void start(Turn turn) override;
  void wake() override;
  bool try_turn() override;
  void stop() override;

 private:
  void run();
  // What can not be undone ends the process, whichever thread takes it.
  void take_turn(std::unique_lock<std::mutex>& lock) noexcept;
  bool is_due();

  SystemClock clock_;
  Turn turn_;
  std::mutex mutex_;
  std::condition_variable changed_;  // for the thread
  bool woken_ = false;
  bool taking_ = false;  // a turn, by whichever thread
  bool stopping_ = false;
  int64_t next_ = kNever;          // steady ms of the next turn in any case
  int64_t asleep_until_ = kNever;  // steady ms at which the sleeping thread wakes by itself
  std::thread thread_;
};

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_THREAD_EXECUTOR_H
