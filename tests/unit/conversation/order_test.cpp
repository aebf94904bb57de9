// The order of a history, and clocks that claim too much (PROTOCOL §6).
#include "conversation/order.h"

#include <gtest/gtest.h>

namespace wherry::conversation {
namespace {

TEST(Order, ADevicesRankIsItsFirstEightBytes) {
  EXPECT_EQ(rank(Id128{}), 0);
  EXPECT_EQ(rank(Id128{0, 0, 0, 0, 0, 0, 1, 2, 99}), 0x0102);
  EXPECT_LT(rank(Id128{0xff}), 0);
  EXPECT_LT(rank(Id128{1}), rank(Id128{2}));
}

TEST(Order, AClockIsAtMostTheNumberOfMessagesThatExisted) {
  EXPECT_EQ(bounded_clock(1, 0, 0), 1u);
  EXPECT_EQ(bounded_clock(6, 2, 3), 6u);
  EXPECT_EQ(bounded_clock(7, 2, 3), 6u);
  EXPECT_EQ(bounded_clock(INT64_MAX, 2, 3), 6u);
  EXPECT_EQ(bounded_clock(0, 2, 3), 0u);
}

}  // namespace
}  // namespace wherry::conversation
