// Which endpoints are known to be theirs, and leaving one.
#include "routing/ways.h"

#include <gtest/gtest.h>

namespace wherry::routing {
namespace {

using message::Endpoint;
using message::Endpoints;

const Endpoint kCard{"relay", "card"};
const Endpoint kRelay{"relay", "inbox"};
const Endpoint kDirect{"p2p", "address"};
bool kAll() {
  return true;
}

TEST(Ways, TheFirstSetNeedsNoProbeWhereTheyWereHeard) {
  Ways ways;
  ways.renew(nullptr, Endpoints{1, {kDirect, kRelay}, std::nullopt, false}, "relay", kAll);
  EXPECT_TRUE(ways.knows(kRelay));
  EXPECT_FALSE(ways.knows(kDirect));
  // Nor where there is nothing else to send to.
  Ways others;
  others.renew(nullptr, Endpoints{1, {kDirect}, std::nullopt, false}, "relay", kAll);
  EXPECT_TRUE(others.knows(kDirect));
}

TEST(Ways, OneThatReplacesAProvenOneOfItsNetwork) {
  Ways ways;
  ways.use(kCard);
  ways.renew(nullptr, Endpoints{1, {kRelay, kDirect}, std::nullopt, false}, "p2p", kAll);
  EXPECT_TRUE(ways.knows(kRelay));
  EXPECT_FALSE(ways.knows(kDirect));
  EXPECT_TRUE(ways.knows(kCard));  // in use until another is
  // One beside it does not replace it.
  const Endpoint second{"relay", "second"};
  ways.renew(nullptr, Endpoints{1, {kRelay, second}, std::nullopt, false}, "relay", kAll);
  EXPECT_TRUE(ways.knows(kRelay));
}

TEST(Ways, FollowingANewerSetIsTold) {
  Ways ways;
  const Endpoints first{2, {kRelay}, std::nullopt, false};
  ways.renew(nullptr, first, "relay", kAll);
  ways.use(kRelay);
  EXPECT_FALSE(ways.settle(first));  // it is the first
  const Endpoints both{3, {kRelay, kDirect}, std::nullopt, false};
  ways.renew(&first, both, "relay", kAll);
  EXPECT_TRUE(ways.settle(both));
  EXPECT_FALSE(ways.settle(both));
  EXPECT_EQ(ways.moved_to, 3u);
  ways.prove(kDirect);
  ways.use(kDirect);
  ways.use(kRelay);
  const Endpoints newest{4, {kDirect}, std::nullopt, false};
  ways.renew(&both, newest, "relay", kAll);
  EXPECT_TRUE(ways.knows(kRelay));
  EXPECT_FALSE(ways.settle(newest));  // it is not followed yet
  ways.use(kDirect);
  EXPECT_TRUE(ways.settle(newest));
  EXPECT_EQ(ways.moved_to, 4u);
  EXPECT_FALSE(ways.knows(kRelay));
  // The same again says nothing new, unless others came between that were missed.
  Endpoints again = newest;
  again.generation = 5;
  ways.renew(&newest, again, "relay", kAll);
  EXPECT_FALSE(ways.settle(again));
  again.generation = 7;
  ways.renew(&newest, again, "relay", kAll);
  EXPECT_TRUE(ways.settle(again));
}

// There and back before anything went there: what was told in between has to be taken back too.
TEST(Ways, ASetThatComesBackIsFollowedAnew) {
  Ways ways;
  const Endpoints first{1, {kRelay}, std::nullopt, false};
  ways.renew(nullptr, first, "relay", kAll);
  ways.use(kRelay);
  const Endpoints there{2, {kDirect}, std::nullopt, false};
  ways.renew(&first, there, "relay", kAll);
  EXPECT_FALSE(ways.settle(there));
  const Endpoints back{3, {kRelay}, std::nullopt, false};
  ways.renew(&there, back, "relay", kAll);
  EXPECT_TRUE(ways.settle(back));
  EXPECT_EQ(ways.moved_to, 3u);
}

TEST(Ways, AreKept) {
  Ways ways;
  ways.use(kCard);
  ways.prove(kDirect);
  ways.moved_to = 7;
  ways.owed = ways.closed = true;
  EXPECT_EQ(*Ways::from_bytes(ways.to_bytes()), ways);
  EXPECT_EQ(*Ways::from_bytes(Ways().to_bytes()), Ways());
  Bytes damaged = ways.to_bytes();
  damaged.pop_back();
  EXPECT_FALSE(Ways::from_bytes(damaged));
}

}  // namespace
}  // namespace wherry::routing
