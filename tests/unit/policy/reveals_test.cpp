// Sets of (observer, fact).
#include "policy/reveals.h"

#include <gtest/gtest.h>

#include <cstring>

#include "seeded_random.h"

namespace wherry::policy {
namespace {

wherry_reveals random_set(test::SeededRandom& random) {
  wherry_reveals set{};
  for (uint32_t& facts : set.facts) {
    facts = static_cast<uint32_t>(random.number() & random.number());
  }
  return set;
}

bool same(const wherry_reveals& a, const wherry_reveals& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

TEST(Reveals, AreSets) {
  test::SeededRandom random(1);
  for (int i = 0; i < 200; ++i) {
    const wherry_reveals a = random_set(random);
    const wherry_reveals b = random_set(random);
    EXPECT_TRUE(within(nothing(), a));
    EXPECT_TRUE(within(a, everything()));
    EXPECT_TRUE(within(a, unite(a, b)));
    EXPECT_TRUE(within(intersect(a, b), b));
    EXPECT_EQ(within(a, b), same(intersect(a, b), a));
    EXPECT_TRUE(same(unite(beyond(a, b), intersect(a, b)), a));
    EXPECT_EQ(count(intersect(beyond(a, b), b)), 0);
    EXPECT_EQ(count(a) + count(b), count(unite(a, b)) + count(intersect(a, b)));
  }
  EXPECT_EQ(count(nothing()), 0);
  EXPECT_EQ(count(everything()), 32 * WHERRY_OBSERVER_ROOM);
}

TEST(Reveals, ABitThatNobodyKnowsCounts) {
  wherry_reveals unknown{};
  unknown.facts[WHERRY_OBSERVER_ROOM - 1] = 1u << 31;
  EXPECT_FALSE(within(unknown, nothing()));
  EXPECT_EQ(count(unknown), 1);
}

}  // namespace
}  // namespace wherry::policy
