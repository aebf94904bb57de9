// How often things may happen (PROTOCOL §4.5, §5.2, §7.2).
#ifndef WHERRY_DELIVERY_QUOTA_H
#define WHERRY_DELIVERY_QUOTA_H

#include <cstdint>

#include "base/bytes.h"

namespace wherry::delivery {

// At most so many in each period. Not stored: a restart begins anew.
struct Quota {
  int64_t period = 0;  // the current one, by its number
  int used = 0;

  // Whether one more is within `most`.
  bool spend(int64_t now_ms, int64_t period_ms, int most);
};

// At most limits::kResetsPerDay resets in a day of the wall clock. A clock that jumps opens a new
// day at most.
struct ResetBudget {
  uint32_t day = 0;
  uint32_t used = 0;
  // Since when, by the wall clock, nothing of theirs opens although fresh copies were asked for; 0:
  // it does. Kept, since an app may run for moments only.
  int64_t unopened_ms = 0;

  bool spend(int64_t wall_ms);
  Bytes to_bytes() const;
  static ResetBudget from_bytes(ByteView bytes);
};

}  // namespace wherry::delivery

#endif  // WHERRY_DELIVERY_QUOTA_H
