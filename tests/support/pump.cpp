// The pump on the machine's clock.
#include "tests/support/pump.h"

#include <chrono>

namespace wherry::test {

bool RealPump::until(const std::function<bool()>& predicate, std::int64_t limit_ms) {
  // system_clock: gcc 12's ThreadSanitizer does not know the wait on the steady one.
  const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(limit_ms);
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, predicate);
}

void RealPump::notify() {
  // Taken, so that a change between a waiter's look and its sleep is not missed.
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

}  // namespace wherry::test
