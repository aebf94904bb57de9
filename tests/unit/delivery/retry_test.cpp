// Back-off schedules and the budget of resets (PROTOCOL §7, §4.5).
#include "delivery/retry.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace wherry::delivery {
namespace {

constexpr int64_t kDay_ms = 86'400'000;

TEST(Retry, DoublesUpToItsMost) {
  EXPECT_EQ(backoff_ms(100, 1000, 0), 100);
  EXPECT_EQ(backoff_ms(100, 1000, 1), 100);
  EXPECT_EQ(backoff_ms(100, 1000, 2), 200);
  EXPECT_EQ(backoff_ms(100, 1000, 4), 800);
  EXPECT_EQ(backoff_ms(100, 1000, 5), 1000);
  EXPECT_EQ(backoff_ms(100, 1000, INT32_MAX), 1000);
}

TEST(Retry, ByWhatBecameOfTheLastAttempt) {
  EXPECT_EQ(retry_delay_ms(Attempt::kHanded, 1), 15'000);
  EXPECT_EQ(retry_delay_ms(Attempt::kHanded, 100), 3'600'000);
  EXPECT_EQ(retry_delay_ms(Attempt::kStored, 1), 3'600'000);
  EXPECT_EQ(retry_delay_ms(Attempt::kStored, 100), kDay_ms);
  EXPECT_EQ(retry_delay_ms(Attempt::kFailed, 1), limits::kRetryFailed_ms);
  EXPECT_EQ(retry_delay_ms(Attempt::kFailed, 100), limits::kRetryFailedMax_ms);
}

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
