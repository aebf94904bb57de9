// Back-off schedules (PROTOCOL §7.1).
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

}  // namespace
}  // namespace wherry::delivery
