// The pump on the machine's clock.
#include "tests/support/pump.h"

#include <chrono>

namespace wherry::test {

bool RealPump::until(const std::function<bool()>& predicate, std::int64_t limit_ms) {
  // system_clock: gcc 12's ThreadSanitizer does not know the wait on the steady one.
  const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(limit_ms);
  std::unique_lock lock(mutex_);
  for (bool in_time = true;;) {
    const std::uint64_t seen = changes_;
    // Not under the lock: it may call a plug-in, whose threads notify while they hold locks of
    // their own.
    lock.unlock();
    if (predicate()) return true;
    if (!in_time) return false;
    lock.lock();
    in_time = changed_.wait_until(lock, deadline, [&] { return changes_ != seen; });
  }
}

void RealPump::notify() {
  const std::lock_guard lock(mutex_);
  ++changes_;
  changed_.notify_all();
}

}  // namespace wherry::test
