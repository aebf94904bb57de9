// Runs the engine's turns on a thread of its own.
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
  void stop() override;

 private:
  void run();

  SystemClock clock_;
  Turn turn_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_THREAD_EXECUTOR_H
