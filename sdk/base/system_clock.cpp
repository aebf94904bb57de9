// std::chrono's clocks in milliseconds.
#include "base/system_clock.h"

#include <chrono>

namespace wherry {
namespace {

int64_t milliseconds(auto duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

int64_t SystemClock::wall_ms() {
  return milliseconds(std::chrono::system_clock::now().time_since_epoch());
}

int64_t SystemClock::steady_ms() {
  return milliseconds(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace wherry
