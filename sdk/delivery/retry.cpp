// Back-off schedules.
#include "delivery/retry.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"

namespace wherry::delivery {

int64_t backoff_ms(int64_t first_ms, int64_t most_ms, int tries) {
  const int doublings = std::clamp(tries - 1, 0, 30);
  return std::min(most_ms, first_ms << doublings);
}

int64_t retry_delay_ms(Attempt last, int attempts) {
  switch (last) {
    case Attempt::kHanded:
      return backoff_ms(limits::kRetryHanded_ms, limits::kRetryHandedMax_ms, attempts);
    case Attempt::kStored:
      return backoff_ms(limits::kRetryStored_ms, limits::kRetryStoredMax_ms, attempts);
    case Attempt::kFailed:
      break;
  }
  if (mutant(Mutant::kRetryWithoutBackoff)) return 1;
  return backoff_ms(limits::kRetryFailed_ms, limits::kRetryFailedMax_ms, attempts);
}

}  // namespace wherry::delivery
