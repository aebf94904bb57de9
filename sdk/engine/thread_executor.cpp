// Invariant: one turn at a time (taking_). Whoever ends one wakes the thread if a turn was asked
// for meanwhile, or is due before the thread looks anyway (asleep_until_).
#include "engine/thread_executor.h"

#include <chrono>
#include <utility>

namespace wherry::engine {

ThreadExecutor::~ThreadExecutor() {
  stop();
}

void ThreadExecutor::start(Turn turn) {
  std::lock_guard lock(mutex_);
  turn_ = std::move(turn);
  next_ = clock_.steady_ms();
  thread_ = std::thread([this] { run(); });
}

void ThreadExecutor::wake() {
  std::lock_guard lock(mutex_);
  // Whoever takes a turn looks when it is over.
  if (!std::exchange(woken_, true) && !taking_) changed_.notify_one();
}

bool ThreadExecutor::try_turn() {
  std::unique_lock lock(mutex_);
  if (taking_ || stopping_ || !turn_) return false;
  take_turn(lock);
  // The thread need not know, unless something is due before it looks anyway.
  if (stopping_ || woken_ || next_ < asleep_until_) changed_.notify_one();
  return true;
}

void ThreadExecutor::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ThreadExecutor::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    while (taking_ || !(stopping_ || is_due())) {
      asleep_until_ = taking_ ? kNever : next_;
      if (asleep_until_ == kNever) {
        changed_.wait(lock);
      } else {
        changed_.wait_for(lock, std::chrono::milliseconds(asleep_until_ - clock_.steady_ms()));
      }
    }
    if (stopping_) return;
    take_turn(lock);
  }
}

void ThreadExecutor::take_turn(std::unique_lock<std::mutex>& lock) noexcept {
  taking_ = true;
  woken_ = false;
  lock.unlock();
  const int64_t next = turn_();
  lock.lock();
  taking_ = false;
  next_ = next;
}

bool ThreadExecutor::is_due() {
  return woken_ || next_ <= clock_.steady_ms();
}

}  // namespace wherry::engine
