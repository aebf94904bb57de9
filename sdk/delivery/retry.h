// When an envelope is sent again (PROTOCOL §7.1).
#ifndef WHERRY_DELIVERY_RETRY_H
#define WHERRY_DELIVERY_RETRY_H

#include <cstdint>

namespace wherry::delivery {

enum class Attempt {
  kFailed,  // it did not leave, or that is not known
  kHanded,
  kStored,
};

// Milliseconds until the next repeat. In: how the last attempt ended, and how many there were.
int64_t retry_delay_ms(Attempt last, int attempts);

// Doubling from `first_ms`, at most `most_ms`. In: how many tries failed; 0 counts as 1.
int64_t backoff_ms(int64_t first_ms, int64_t most_ms, int tries);

}  // namespace wherry::delivery

#endif  // WHERRY_DELIVERY_RETRY_H
