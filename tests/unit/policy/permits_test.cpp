// Presets, mirroring, and their forms.
#include "policy/permits.h"

#include <gtest/gtest.h>

#include <cstring>

#include "policy/reveals.h"
#include "seeded_random.h"

namespace wherry::policy {
namespace {

bool same(const wherry_reveals& a, const wherry_reveals& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

wherry_reveals random_set(test::SeededRandom& random) {
  wherry_reveals set{};
  for (uint32_t& facts : set.facts) {
    facts = static_cast<uint32_t>(random.number() & random.number());
  }
  return set;
}

wherry_reveals one(int observer, uint32_t facts) {
  wherry_reveals set{};
  set.facts[observer] = facts;
  return set;
}

bool permits(int32_t which, int observer, uint32_t facts) {
  return within(one(observer, facts), *preset(which));
}

TEST(Permits, OpenPermitsWhatNobodyKnowsYet) {
  EXPECT_TRUE(same(*preset(WHERRY_PERMITS_OPEN), everything()));
}

TEST(Permits, NoPeerIpForbidsThatAlone) {
  EXPECT_FALSE(permits(WHERRY_PERMITS_NO_PEER_IP, WHERRY_OBSERVER_OTHER_PERSON, WHERRY_FACT_MY_IP));
  EXPECT_TRUE(permits(WHERRY_PERMITS_NO_PEER_IP, WHERRY_OBSERVER_HOME_OPERATOR, WHERRY_FACT_MY_IP));
  EXPECT_EQ(count(*preset(WHERRY_PERMITS_NO_PEER_IP)), count(everything()) - 1);
}

TEST(Permits, NoOperatorIpIsAboutWhoeverRunsAServer) {
  for (int server : {WHERRY_OBSERVER_HOME_OPERATOR, WHERRY_OBSERVER_FAR_OPERATOR,
                     WHERRY_OBSERVER_DIRECTORY, WHERRY_OBSERVER_PUSH}) {
    EXPECT_FALSE(permits(WHERRY_PERMITS_NO_OPERATOR_IP, server, WHERRY_FACT_MY_IP));
  }
  EXPECT_TRUE(
      permits(WHERRY_PERMITS_NO_OPERATOR_IP, WHERRY_OBSERVER_OTHER_PERSON, WHERRY_FACT_MY_IP));
  EXPECT_EQ(count(*preset(WHERRY_PERMITS_NO_OPERATOR_IP)), count(everything()) - 4);
}

TEST(Permits, AnonymousTellsNobodyButTheOtherPersonWho) {
  const wherry_reveals set = *preset(WHERRY_PERMITS_ANONYMOUS);
  for (int observer = 0; observer < WHERRY_OBSERVER_ROOM; ++observer) {
    SCOPED_TRACE(observer);
    const bool carries = observer == WHERRY_OBSERVER_LOCAL_NETWORK ||
                         observer == WHERRY_OBSERVER_NETWORK || observer == WHERRY_OBSERVER_PROXY;
    EXPECT_EQ((set.facts[observer] & WHERRY_FACT_MY_IP) != 0, carries);
    EXPECT_EQ(set.facts[observer] & WHERRY_FACT_OTHER_IP, 0u);
    EXPECT_EQ(set.facts[observer] & WHERRY_FACT_NETWORKS_TOGETHER, 0u);
    if (observer == WHERRY_OBSERVER_OTHER_PERSON) continue;
    EXPECT_EQ(set.facts[observer] & (WHERRY_FACT_WHO_TALKS | WHERRY_FACT_STABLE_ID), 0u);
  }
  // What this version does not know is forbidden.
  EXPECT_EQ(set.facts[WHERRY_OBSERVER_ROOM - 1], 0u);
  EXPECT_EQ(set.facts[WHERRY_OBSERVER_OTHER_PERSON] >> 10, 0u);
}

TEST(Permits, OtherNumbersAreNoPreset) {
  for (int32_t number : {0, 5, -1, INT32_MAX}) EXPECT_FALSE(preset(number));
}

TEST(Permits, MirroringTwiceChangesNothing) {
  test::SeededRandom random(1);
  for (int i = 0; i < 200; ++i) {
    const wherry_reveals set = random_set(random);
    EXPECT_TRUE(same(mirror(mirror(set)), set));
    EXPECT_EQ(count(mirror(set)), count(set));
  }
}

TEST(Permits, MirroredTheirHomeIsMyFarOperatorAndMyAddressTheirOthers) {
  EXPECT_TRUE(same(mirror(one(WHERRY_OBSERVER_HOME_OPERATOR, WHERRY_FACT_MY_IP)),
                   one(WHERRY_OBSERVER_FAR_OPERATOR, WHERRY_FACT_OTHER_IP)));
  EXPECT_TRUE(same(mirror(one(WHERRY_OBSERVER_FAR_OPERATOR, WHERRY_FACT_OTHER_IP)),
                   one(WHERRY_OBSERVER_HOME_OPERATOR, WHERRY_FACT_MY_IP)));
  EXPECT_TRUE(same(mirror(one(WHERRY_OBSERVER_NETWORK, WHERRY_FACT_TIMING)),
                   one(WHERRY_OBSERVER_NETWORK, WHERRY_FACT_TIMING)));
}

TEST(Permits, AreWhatAllThreePermit) {
  test::SeededRandom random(2);
  for (int i = 0; i < 200; ++i) {
    const Permits permits{random_set(random), random_set(random), random_set(random)};
    const wherry_reveals all = permits.all();
    EXPECT_TRUE(within(all, permits.profile));
    EXPECT_TRUE(within(all, permits.mine));
    EXPECT_TRUE(within(all, in_my_words(permits.theirs)));
    EXPECT_TRUE(within(
        intersect(intersect(permits.profile, permits.mine), in_my_words(permits.theirs)), all));
  }
}

// Whoever carries my packets is near me: the other side's set is about those near them.
TEST(Permits, OfTheOtherSideNeverHideMyAddressFromWhoCarriesMyPackets) {
  const wherry_reveals set = in_my_words(nothing());
  EXPECT_EQ(count(set), 3);
  for (int carrier :
       {WHERRY_OBSERVER_LOCAL_NETWORK, WHERRY_OBSERVER_NETWORK, WHERRY_OBSERVER_PROXY}) {
    EXPECT_EQ(set.facts[carrier], uint32_t{WHERRY_FACT_MY_IP});
  }
}

TEST(Permits, TwoWhoAreAnonymousReachEachOtherByAnEntryNode) {
  const wherry_reveals anonymous = *preset(WHERRY_PERMITS_ANONYMOUS);
  const Permits permits{anonymous, anonymous, anonymous};
  wherry_reveals onion = one(WHERRY_OBSERVER_OTHER_PERSON, WHERRY_FACT_USE | WHERRY_FACT_STABLE_ID);
  onion.facts[WHERRY_OBSERVER_DIRECTORY] = WHERRY_FACT_PRESENCE;
  for (int carrier :
       {WHERRY_OBSERVER_LOCAL_NETWORK, WHERRY_OBSERVER_NETWORK, WHERRY_OBSERVER_PROXY}) {
    onion.facts[carrier] = WHERRY_FACT_MY_IP | WHERRY_FACT_TIMING | WHERRY_FACT_PRESENCE;
  }
  EXPECT_TRUE(within(onion, permits.all()));
  for (int observer : {WHERRY_OBSERVER_OTHER_PERSON, WHERRY_OBSERVER_DIRECTORY,
                       WHERRY_OBSERVER_HOME_OPERATOR, WHERRY_OBSERVER_FAR_OPERATOR}) {
    EXPECT_FALSE(within(one(observer, WHERRY_FACT_MY_IP), permits.all()));
    EXPECT_FALSE(within(one(observer, WHERRY_FACT_OTHER_IP), permits.all()));
  }
}

TEST(Permits, AreSentWholeAndAShortListPermitsNothingMore) {
  test::SeededRandom random(4);
  const wherry_reveals set = random_set(random);
  EXPECT_TRUE(same(from_list(to_list(set)), set));
  EXPECT_TRUE(same(from_list({7}), one(WHERRY_OBSERVER_OTHER_PERSON, 7)));
  EXPECT_TRUE(same(from_list(std::vector<uint32_t>(40, UINT32_MAX)), everything()));
  EXPECT_TRUE(same(from_list({}), nothing()));
}

TEST(Permits, AreStoredInSixtyFourBytes) {
  test::SeededRandom random(5);
  const wherry_reveals set = random_set(random);
  Bytes bytes = to_bytes(set);
  EXPECT_EQ(bytes.size(), 64u);
  EXPECT_TRUE(same(*from_bytes(bytes), set));
  EXPECT_EQ(bytes[0], set.facts[0] & 0xff);
  bytes.push_back(0);
  EXPECT_FALSE(from_bytes(bytes));
  EXPECT_FALSE(from_bytes(ByteView(bytes).first(63)));
  EXPECT_FALSE(from_bytes({}));
}

}  // namespace
}  // namespace wherry::policy
