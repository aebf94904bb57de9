// The system's clocks, for the real Env.
#ifndef WHERRY_BASE_SYSTEM_CLOCK_H
#define WHERRY_BASE_SYSTEM_CLOCK_H

#include "base/env.h"

namespace wherry {

class SystemClock : public Clock {
 public:
  int64_t wall_ms() override;
  int64_t steady_ms() override;
};

}  // namespace wherry

#endif  // WHERRY_BASE_SYSTEM_CLOCK_H
