// Signals and waiting.
#include "worker_thread.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>

namespace wherry::transports {

void block_signals() {
  sigset_t signals;
  ::sigfillset(&signals);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    ::sigdelset(&signals, fault);
  }
  ::pthread_sigmask(SIG_SETMASK, &signals, nullptr);
}

bool poll_until(std::vector<pollfd>& items, std::chrono::steady_clock::time_point until) {
  using std::chrono::milliseconds;
  int wait_ms = -1;
  if (until != std::chrono::steady_clock::time_point::max()) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    wait_ms = static_cast<int>(std::max<milliseconds::rep>(left.count(), 0));
  }
  return ::poll(items.data(), items.size(), wait_ms) >= 0;
}

}  // namespace wherry::transports
