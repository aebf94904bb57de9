// Back-off schedules.
#include "delivery/retry.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "codec/fields.h"

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

bool Quota::spend(int64_t now_ms, int64_t period_ms, int most) {
  if (const int64_t now = now_ms / period_ms; now != period) *this = {now, 0};
  return ++used <= most;
}

bool ResetBudget::spend(int64_t wall_ms) {
  const auto today = static_cast<uint32_t>(std::max<int64_t>(0, wall_ms) / 86'400'000);
  if (today != day) *this = {today, 0};
  if (used >= static_cast<uint32_t>(limits::kResetsPerDay)) return false;
  ++used;
  return true;
}

Bytes ResetBudget::to_bytes() const {
  Bytes out;
  codec::append_le(out, day);
  codec::append_le(out, used);
  return out;
}

ResetBudget ResetBudget::from_bytes(ByteView bytes) {
  codec::FieldReader in(bytes);
  const ResetBudget budget{in.number<uint32_t>(), in.number<uint32_t>()};
  return in.done() ? budget : ResetBudget();
}

}  // namespace wherry::delivery
