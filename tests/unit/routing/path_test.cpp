// The choice of a path, and the reason when there is none.
#include "routing/path.h"

#include <gtest/gtest.h>

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
  return choose(std::array{path}, policy::everything()).reason;
}

TEST(Path, TheFirstUsableOneInTheOrderOfTheRoute) {
  Path off = usable();
  off.started = false;
  const Choice choice = choose(std::array{off, usable(), usable()}, policy::everything());
  EXPECT_EQ(choice.path, 1u);
  EXPECT_EQ(choice.reason, WHERRY_REASON_NONE);
}

TEST(Path, EachObstacleHasItsReason) {
  EXPECT_EQ(choose({}, policy::everything()).reason, WHERRY_REASON_NO_ENDPOINT);
  EXPECT_EQ(reason_of(Path()), WHERRY_REASON_NO_TRANSPORT);

  Path path = usable();
  path.accepted = false;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_NO_ENDPOINT);
  path = usable();
  path.started = false;
  EXPECT_EQ(reason_of(path), WHERRY_REASON_TRANSPORT_OFF);
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
  const Choice choice = choose(std::array{path}, permits);
  EXPECT_FALSE(choice.path);
  EXPECT_EQ(choice.reason, WHERRY_REASON_PERMITS);
  permits.facts[WHERRY_OBSERVER_NETWORK] |= WHERRY_FACT_MY_IP;
  EXPECT_EQ(choose(std::array{path}, permits).path, 0u);
}

TEST(Path, TheReasonIsThatOfThePathThatIsNearestToWorking) {
  Path off = usable();
  off.started = false;
  Path unreachable = usable();
  unreachable.peer_state = WHERRY_PEER_STATE_UNREACHABLE;
  for (const auto& paths :
       {std::array{Path(), off, unreachable}, std::array{unreachable, Path(), off}}) {
    EXPECT_EQ(choose(paths, policy::everything()).reason, WHERRY_REASON_UNREACHABLE);
  }
}

}  // namespace
}  // namespace wherry::routing
