// What threads of transports share.
#pragma once

#include <poll.h>

#include <chrono>
#include <vector>

namespace wherry::transports {

// The app's signals are for its own threads. Those that say that this thread itself is at fault
// come through, so that the app's crash reporter sees them.
void block_signals();

// Waits until one is ready or the time has come; max(): for as long as it takes. False: a signal
// came first, and the items say nothing.
[[nodiscard]] bool poll_until(std::vector<pollfd>& items,
                              std::chrono::steady_clock::time_point until);

}  // namespace wherry::transports
