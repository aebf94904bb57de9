// What a peer's clients count while they run, and the wait for it.
#ifndef WHERRY_TESTS_BENCH_PROGRESS_H
#define WHERRY_TESTS_BENCH_PROGRESS_H

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace wherry::bench {

// The same conditions as for our own clients.
inline constexpr std::size_t kPeerMessageSize = 256;
inline constexpr std::size_t kPeerSingles = 500;
inline constexpr std::chrono::milliseconds kPeerRest{10};

// A counter that one thread raises and another waits for. Thread-safe.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  void add(std::size_t count) {
    const std::lock_guard lock(mutex_);
    count_ += count;
    last_ = Clock::now();
    changed_.notify_all();
  }

  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  // The moment of the last one. Ends the program when they do not come.
  Clock::time_point wait(std::size_t count, const char* what) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(120), [&] { return count_ >= count; })) {
      std::fprintf(stderr, "no progress: %s, %zu of %zu\n", what, count_, count);
      std::_Exit(1);
    }
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
  Clock::time_point last_;
};

}  // namespace wherry::bench

#endif  // WHERRY_TESTS_BENCH_PROGRESS_H
