// One thread, a flag and a condition.
#include "engine/thread_executor.h"

#include <chrono>

namespace wherry::engine {

ThreadExecutor::~ThreadExecutor() {
  stop();
}

void ThreadExecutor::start(Turn turn) {
  turn_ = std::move(turn);
  thread_ = std::thread([this] { run(); });
}

void ThreadExecutor::wake() {
  {
    std::lock_guard lock(mutex_);
    if (woken_) return;
    woken_ = true;
  }
  changed_.notify_one();
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
  int64_t next = clock_.steady_ms();
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto ready = [this] { return woken_ || stopping_; };
      if (next == kNever) {
        changed_.wait(lock, ready);
      } else {
        const int64_t wait = next - clock_.steady_ms();
        if (wait > 0) changed_.wait_for(lock, std::chrono::milliseconds(wait), ready);
      }
      if (stopping_) return;
      woken_ = false;
    }
    next = turn_();
  }
}

}  // namespace wherry::engine
