// Counting in periods.
#include "delivery/quota.h"

#include <algorithm>

#include "base/limits.h"
#include "codec/fields.h"

namespace wherry::delivery {

bool Quota::spend(int64_t now_ms, int64_t period_ms, int most) {
  if (const int64_t now = now_ms / period_ms; now != period) *this = {now, 0};
  return ++used <= most;
}

bool ResetBudget::spend(int64_t wall_ms) {
  const auto today = static_cast<uint32_t>(std::max<int64_t>(0, wall_ms) / 86'400'000);
  if (today != day) {
    day = today;
    used = 0;
  }
  if (used >= static_cast<uint32_t>(limits::kResetsPerDay)) return false;
  ++used;
  return true;
}

Bytes ResetBudget::to_bytes() const {
  Bytes out;
  codec::append_le(out, day);
  codec::append_le(out, used);
  codec::append_le(out, static_cast<uint64_t>(unopened_ms));
  return out;
}

ResetBudget ResetBudget::from_bytes(ByteView bytes) {
  codec::FieldReader in(bytes);
  const ResetBudget budget{in.number<uint32_t>(), in.number<uint32_t>(),
                           static_cast<int64_t>(in.number<uint64_t>())};
  return in.done() ? budget : ResetBudget();
}

}  // namespace wherry::delivery
