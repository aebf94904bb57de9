// The budget of resets, and quotas (PROTOCOL §4.5, §5.2, §7.2).
#include "delivery/quota.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace wherry::delivery {
namespace {

constexpr int64_t kDay_ms = 86'400'000;

TEST(ResetBudget, IsThreeADay) {
  ResetBudget budget;
  const int64_t morning = 20'000 * kDay_ms;
  for (int i = 0; i < limits::kResetsPerDay; ++i) EXPECT_TRUE(budget.spend(morning + i));
  EXPECT_FALSE(budget.spend(morning + kDay_ms - 1));
  budget = ResetBudget::from_bytes(budget.to_bytes());
  EXPECT_FALSE(budget.spend(morning + kDay_ms - 1));
  EXPECT_TRUE(budget.spend(morning + kDay_ms));
}

TEST(ResetBudget, TakesAnyClockAndAnyBytes) {
  ResetBudget budget;
  EXPECT_TRUE(budget.spend(-5));
  EXPECT_TRUE(budget.spend(INT64_MAX));
  const ResetBudget fresh = ResetBudget::from_bytes(Bytes(7));
  EXPECT_EQ(fresh.used, 0u);
}

TEST(Quota, IsFullAgainInEachPeriod) {
  Quota quota;
  for (int period = 5; period < 8; ++period) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(quota.spend(period * 1000 + i, 1000, 3));
    EXPECT_FALSE(quota.spend(period * 1000 + 999, 1000, 3));
  }
}

}  // namespace
}  // namespace wherry::delivery
