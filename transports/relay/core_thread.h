// The relay's one thread that works on the store: takes what is queued, applies it as one batch,
// and so commits once for all of it. While a commit runs, the next batch gathers.
//
// Thread-safe, but for drain. The queue has no bound of its own: every session bounds what it has
// in here (see session.h), and pushes no more once `crowded`.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core.h"

namespace wherry::relay {

// Where sessions put what the core is to do.
class InputQueue {
 public:
  virtual ~InputQueue() = default;
  // `cost` is about what the input holds in memory.
  virtual void push(Input input, std::size_t cost) = 0;
  // More is queued than the relay wants to hold: a session waits for its own inputs to be answered
  // before it reads on.
  virtual bool crowded() const = 0;
};

class CoreThread final : public InputQueue {
 public:
  using Clock = std::function<std::int64_t()>;  // seconds since 1970

  CoreThread(Core& core, Clock clock, std::size_t queue_bytes_max);
  CoreThread(const CoreThread&) = delete;
  CoreThread& operator=(const CoreThread&) = delete;
  ~CoreThread() override;  // drains

  void push(Input input, std::size_t cost) override;
  bool crowded() const override;

  // Applies all that is queued, and ends the thread.
  void drain();

 private:
  void run();

  Core& core_;
  const Clock clock_;
  const std::size_t queue_bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable queued_;
  struct Entry {
    Input input;
    std::size_t cost = 0;
  };
  std::deque<Entry> queue_;
  std::size_t queue_bytes_ = 0;  // waiting and in work
  bool draining_ = false;
  std::thread thread_;
};

}  // namespace wherry::relay
