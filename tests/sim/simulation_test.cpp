// The simulator itself: one seed is one world, and a failure is made short without losing it.
#include "tests/sim/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/shrink.h"

namespace wherry::sim {
namespace {

std::vector<std::string> trace_of(uint64_t seed) {
  std::vector<std::string> lines;
  const Outcome outcome =
      simulate(make_plan(seed), [&](const std::string& line) { lines.push_back(line); });
  lines.push_back(std::to_string(outcome.turns) + " turns, " + std::to_string(outcome.envelopes) +
                  " envelopes");
  return lines;
}

TEST(Simulation, ASeedIsPlayedAlikeEachTime) {
  for (const uint64_t seed : {2U, 5U}) {  // a disk that is put back, and moves between networks
    const std::vector<std::string> once = trace_of(seed);
    EXPECT_GT(once.size(), 100U);
    EXPECT_EQ(once, trace_of(seed)) << "seed " << seed;
  }
}

TEST(Simulation, EnoughHappensInAWorld) {
  EXPECT_TRUE(simulate(make_plan(7)).full());
  Plan lazy = make_plan(7);
  std::erase_if(lazy.actions, [](const Action& action) { return is_fault(action.kind); });
  EXPECT_FALSE(simulate(lazy).full());
}

TEST(Shrink, KeepsWhatTheFailureNeeds) {
  const auto count = [](const Plan& plan, Kind kind) {
    return std::ranges::count(plan.actions, kind, &Action::kind);
  };
  const Plan plan = make_plan(3);
  ASSERT_GT(count(plan, Kind::kSay), 2);
  const auto fails = [&](const Plan& some) {
    return count(some, Kind::kSay) >= 2 && count(some, Kind::kCutPower) >= 1;
  };
  const Plan shortest = shrink(plan, fails, 1'000);
  EXPECT_EQ(shortest.actions.size(), 3U);
  EXPECT_TRUE(fails(shortest));
}

TEST(Shrink, GivesUpInTimeWithAPlanThatStillFails) {
  const Plan plan = make_plan(3);
  int asked = 0;
  const auto fails = [&](const Plan& some) {
    ++asked;
    return some.actions.size() >= 2;
  };
  const Plan shorter = shrink(plan, fails, 5);
  EXPECT_EQ(asked, 5);
  EXPECT_LT(shorter.actions.size(), plan.actions.size());
  EXPECT_GE(shorter.actions.size(), 2U);
}

}  // namespace
}  // namespace wherry::sim
