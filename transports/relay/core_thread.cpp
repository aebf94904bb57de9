// The thread that feeds the core.
#include "core_thread.h"

#include <chrono>
#include <utility>

namespace wherry::relay {

CoreThread::CoreThread(Core& core, Clock clock, std::size_t queue_bytes_max)
    : core_(core), clock_(std::move(clock)), queue_bytes_max_(queue_bytes_max) {
  thread_ = std::thread([this] { run(); });
}

CoreThread::~CoreThread() {
  drain();
}

void CoreThread::push(Input input, std::size_t cost) {
  const std::lock_guard lock(mutex_);
  queue_.push_back({std::move(input), cost});
  queue_bytes_ += cost;
  if (queue_.size() == 1) queued_.notify_one();
}

bool CoreThread::crowded() const {
  const std::lock_guard lock(mutex_);
  return queue_bytes_ > queue_bytes_max_;
}

void CoreThread::drain() {
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    queued_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void CoreThread::run() {
  using SteadyClock = std::chrono::steady_clock;
  auto next_sweep = SteadyClock::now();
  std::unique_lock lock(mutex_);
  while (true) {
    queued_.wait_until(lock, next_sweep, [this] { return draining_ || !queue_.empty(); });
    if (queue_.empty() && draining_) return;
    std::vector<Input> batch;
    std::size_t bytes = 0;
    std::size_t envelopes = 0;
    while (!queue_.empty() && bytes < kBatchBytesMax && envelopes < kBatchEnvelopesMax) {
      Entry& entry = queue_.front();
      if (const auto* submit = std::get_if<Submit>(&entry.input)) {
        for (const auto& group : submit->groups) envelopes += group.envelopes.size();
      }
      bytes += entry.cost;
      batch.push_back(std::move(entry.input));
      queue_.pop_front();
    }
    lock.unlock();
    if (!batch.empty()) core_.apply(std::move(batch), clock_());
    if (SteadyClock::now() >= next_sweep) {
      core_.sweep(clock_());
      next_sweep = SteadyClock::now() + std::chrono::seconds(1);
    }
    lock.lock();
    queue_bytes_ -= bytes;
  }
}

}  // namespace wherry::relay
