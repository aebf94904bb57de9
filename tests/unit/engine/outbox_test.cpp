// The schedule of a copy's repeats.
#include "engine/outbox.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace wherry::engine {
namespace {

int64_t delay_after(Copy& copy, delivery::Attempt last) {
  copy.begin_attempt(0);
  copy.last = last;
  return copy.retry_delay_ms();
}

TEST(Copy, WhatFailedIsNoStepOfTheScheduleOfWhatLeft) {
  Copy copy;
  for (int i = 0; i < 8; ++i) delay_after(copy, delivery::Attempt::kFailed);
  EXPECT_EQ(copy.retry_delay_ms(), limits::kRetryFailed_ms << 7);
  EXPECT_EQ(delay_after(copy, delivery::Attempt::kHanded), limits::kRetryHanded_ms);
  EXPECT_EQ(delay_after(copy, delivery::Attempt::kHanded), limits::kRetryHanded_ms * 2);
  EXPECT_EQ(delay_after(copy, delivery::Attempt::kStored), limits::kRetryStored_ms * 4);
  EXPECT_EQ(delay_after(copy, delivery::Attempt::kFailed), limits::kRetryFailed_ms << 8);
}

TEST(Copy, AScheduleThatBeginsAnewBeginsAtItsFirstStep) {
  Copy copy;
  EXPECT_EQ(delay_after(copy, delivery::Attempt::kStored), limits::kRetryStored_ms);
  EXPECT_EQ(delay_after(copy, delivery::Attempt::kStored), limits::kRetryStored_ms * 2);
  copy.restart();
  EXPECT_EQ(delay_after(copy, delivery::Attempt::kStored), limits::kRetryStored_ms);
}

}  // namespace
}  // namespace wherry::engine
