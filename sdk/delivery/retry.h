// When an envelope is sent again, and how often things may happen (PROTOCOL §7, §4.5, §5.2).
#ifndef WHERRY_DELIVERY_RETRY_H
#define WHERRY_DELIVERY_RETRY_H

#include <cstdint>

#include "base/bytes.h"

namespace wherry::delivery {

enum class Attempt {
  kFailed,  // it did not leave, or that is not known
  kHanded,
  kStored,
};

// Milliseconds until the next repeat. In: how the last attempt ended, and how many there were.
int64_t retry_delay_ms(Attempt last, int attempts);

// Doubling from `first_ms`, at most `most_ms`. In: how many tries failed, from 1 on.
int64_t backoff_ms(int64_t first_ms, int64_t most_ms, int tries);

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

  bool spend(int64_t wall_ms);
  Bytes to_bytes() const;
  static ResetBudget from_bytes(ByteView bytes);
};

}  // namespace wherry::delivery

#endif  // WHERRY_DELIVERY_RETRY_H
