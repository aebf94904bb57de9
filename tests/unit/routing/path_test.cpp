// The choice of a path, and the reason when there is none.
#include "routing/path.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "policy/reveals.h"

namespace wherry::routing {
namespace {

Path usable() {
  Path path;
  path.configured = path.started = path.accepted = true;
  path.transport_state = WHERRY_TRANSPORT_STATE_ONLINE;
  return path;
}

int32_t reason_of(const Path& path) {
  return choose(std::array{path}, policy::everything(), true).reason;
}

TEST(Path, TheFirstUsableOneInTheOrderOfTheRoute) {
  Path off = usable();
  off.started = false;
  const Choice choice = choose(std::array{off, usable(), usable()}, policy::everything(), true);
  EXPECT_EQ(choice.path, 1u);
  EXPECT_EQ(choice.reason, WHERRY_REASON_NONE);
}

TEST(Path, EachObstacleHasItsReason) {
  EXPECT_EQ(choose({}, policy::everything(), true).reason, WHERRY_REASON_NO_ENDPOINT);
  EXPECT_EQ(reason_of(Path()), WHERRY_REASON_NO_TRANSPORT);

  Path path = usable();
  path.accepted = false;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_ENDPOINT_REFUSED);
  path = usable();
  path.started = false;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_TRANSPORT_OFF);
  path.transport_state = WHERRY_TRANSPORT_STATE_FAILED;
  path.transport_reason = WHERRY_REASON_CANNOT_LISTEN;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_CANNOT_LISTEN);
  path = usable();
  path.peer_state = WHERRY_PEER_STATE_GONE;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_NOT_FOUND);
  path = usable();
  path.peer_state = WHERRY_PEER_STATE_UNREACHABLE;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_UNREACHABLE);
  path = usable();
  path.transport_state = WHERRY_TRANSPORT_STATE_DEGRADED;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_TRANSPORT_OFFLINE);
  path.transport_reason = WHERRY_REASON_WRONG_KEY;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_WRONG_KEY);
}

TEST(Path, NothingIsSentOverWhatRevealsMoreThanPermitted) {
  Path path = usable();
  path.reveals.facts[WHERRY_OBSERVER_NETWORK] = WHERRY_FACT_USE | WHERRY_FACT_MY_IP;
  wherry_reveals permits{};
  permits.facts[WHERRY_OBSERVER_NETWORK] = WHERRY_FACT_USE;
  const Choice choice = choose(std::array{path}, permits, true);
  EXPECT_FALSE(choice.path);
  EXPECT_EQ(choice.reason, WHERRY_REASON_PERMITS);
  permits.facts[WHERRY_OBSERVER_NETWORK] |= WHERRY_FACT_MY_IP;
  EXPECT_EQ(choose(std::array{path}, permits, true).path, 0u);
}

TEST(Path, TheReasonIsThatOfThePathThatIsNearestToWorking) {
  Path off = usable();
  off.started = false;
  Path unreachable = usable();
  unreachable.peer_state = WHERRY_PEER_STATE_UNREACHABLE;
  for (const auto& paths :
       {std::array{Path(), off, unreachable}, std::array{unreachable, Path(), off}}) {
    EXPECT_EQ(choose(paths, policy::everything(), true).reason, WHERRY_REASON_UNREACHABLE);
  }
}

wherry_reveals shows(int facts) {
  wherry_reveals set{};
  set.facts[WHERRY_OBSERVER_NETWORK] = (1u << facts) - 1;
  return set;
}

TEST(Path, UntilOneOfTheNewSetIsProvenItGoesOnAsBefore) {
  Path old = usable();
  old.listed = false;
  old.in_use = true;
  old.place = 0;
  Path fresh = usable();
  fresh.proven = false;
  fresh.place = 0;
  EXPECT_EQ(choose(std::array{fresh, old}, policy::everything(), false).path, 1u);
  fresh.proven = true;
  EXPECT_EQ(choose(std::array{fresh, old}, policy::everything(), false).path, 0u);
  // And once there is one, nothing falls back to the old.
  fresh.transport_state = WHERRY_TRANSPORT_STATE_DEGRADED;
  const Choice choice = choose(std::array{fresh, old}, policy::everything(), false);
  EXPECT_FALSE(choice.path);
  EXPECT_EQ(choice.reason, WHERRY_REASON_TRANSPORT_OFFLINE);
}

TEST(Path, WhatIsNotProvenIsNotUsed) {
  Path fresh = usable();
  fresh.proven = false;
  EXPECT_EQ(reason_of(fresh), WHERRY_REASON_UNPROVEN);
  Path closed = usable();
  closed.closed = closed.quiet = true;
  EXPECT_EQ(reason_of(closed), WHERRY_REASON_QUIET);
}

TEST(Path, TheOrderOfTheRoute) {
  Path second = usable();
  second.place = 1;
  Path first = usable();
  first.place = 0;
  first.reveals = shows(9);
  Path none = usable();
  EXPECT_EQ(choose(std::array{none, second, first}, policy::everything(), false).path, 2u);
  first.peer_state = WHERRY_PEER_STATE_UNREACHABLE;
  EXPECT_EQ(choose(std::array{none, second, first}, policy::everything(), false).path, 1u);
  // What is not in the route is not taken, not even when all else fails.
  second.peer_state = WHERRY_PEER_STATE_UNREACHABLE;
  EXPECT_FALSE(choose(std::array{none, second, first}, policy::everything(), false).path);
}

TEST(Path, OnAutoWhatRevealsLeastThenTheFastest) {
  Path much = usable();
  Path little = usable();
  much.place = little.place = 0;
  much.reveals = shows(4);
  little.reveals = shows(2);
  little.latency = 1;
  EXPECT_EQ(choose(std::array{much, little}, policy::everything(), true).path, 1u);
  much.reveals = shows(2);
  EXPECT_EQ(choose(std::array{much, little}, policy::everything(), true).path, 0u);
}

TEST(Path, OnAutoABetterOneHasToLast) {
  Path worse = usable();
  Path better = usable();
  worse.place = better.place = 0;
  worse.in_use = true;
  worse.reveals = shows(4);
  for (const bool swapped : {false, true}) {
    better.works_for_ms = limits::kBetterFor_ms - 1;
    const auto choice = [&] {
      return swapped ? choose(std::array{worse, better}, policy::everything(), true)
                     : choose(std::array{better, worse}, policy::everything(), true);
    };
    EXPECT_EQ(choice().path, swapped ? 0u : 1u);
    better.works_for_ms = limits::kBetterFor_ms;
    EXPECT_EQ(choice().path, swapped ? 1u : 0u);
  }
}

TEST(Path, WhetherAnAddressIsHidden) {
  wherry_reveals address{};
  address.facts[WHERRY_OBSERVER_HOME_OPERATOR] = WHERRY_FACT_MY_IP | WHERRY_FACT_USE;
  wherry_reveals hidden{};
  hidden.facts[WHERRY_OBSERVER_HOME_OPERATOR] = WHERRY_FACT_USE;
  EXPECT_TRUE(hides_address(address, hidden));
  EXPECT_FALSE(hides_address(hidden, address));
  EXPECT_FALSE(hides_address(address, address));
  // Whoever carries the packets sees where they come from.
  for (const int observer :
       {WHERRY_OBSERVER_LOCAL_NETWORK, WHERRY_OBSERVER_NETWORK, WHERRY_OBSERVER_PROXY}) {
    hidden.facts[observer] = WHERRY_FACT_MY_IP;
  }
  EXPECT_TRUE(hides_address(address, hidden));
  hidden.facts[WHERRY_OBSERVER_OTHER_PERSON] = WHERRY_FACT_MY_IP;
  EXPECT_FALSE(hides_address(address, hidden));
}

}  // namespace
}  // namespace wherry::routing
