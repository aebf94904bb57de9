// The index of tags against the states that it follows.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "session/end.h"

namespace wherry::test {
namespace {

using session::Place;
using session::TagIndex;

TEST(TagIndexTest, HoldsTheNextChainOfAFreshSession) {
  SeededRandom random(1);
  std::pair<End, End> ends = make_ends(random);
  const session::Ratchet& state = ends.second.state();
  TagIndex index;
  index.load(5, state, {});
  EXPECT_EQ(index.size(), limits::kTagsAhead);
  for (uint32_t n : {0u, 1u, limits::kTagsAhead - 1}) {
    const auto found = index.find(state.receive_header_next.tag_for(n));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->session, 5u);
    EXPECT_EQ(found->place.kind, Place::Kind::kNext);
    EXPECT_EQ(found->place.n, n);
  }
  EXPECT_FALSE(index.find(state.receive_header_next.tag_for(limits::kTagsAhead)));
}

TEST(TagIndexTest, FollowsSkipsTurnsAndFloors) {
  SeededRandom random(2);
  std::pair<End, End> ends = make_ends(random);
  End& alice = ends.first;
  End& bob = ends.second;
  alice.seal({}, 0, random);
  ASSERT_TRUE(bob.open(alice.seal({}, 0, random).envelope).ok());
  const TagIndex& index = bob.tags();
  const session::Ratchet& state = bob.state();
  // Two rows, one skipped and one used; the current chain from 2 on; the whole next chain.
  EXPECT_EQ(index.size(), 2 + 2 * size_t{limits::kTagsAhead});
  EXPECT_EQ(index.find(state.receive_header.tag_for(0))->place.kind, Place::Kind::kStored);
  EXPECT_EQ(index.find(state.receive_header.tag_for(1))->place.kind, Place::Kind::kStored);
  EXPECT_EQ(index.find(state.receive_header.tag_for(2))->place.kind, Place::Kind::kCurrent);
  EXPECT_EQ(index.find(state.receive_header_next.tag_for(2))->place.kind, Place::Kind::kNext);

  const session::HeaderKey old_header = state.receive_header.clone();
  ASSERT_TRUE(alice.open(bob.seal({}, 0, random).envelope).ok());
  ASSERT_TRUE(bob.open(alice.seal({}, 2, random).envelope).ok());
  EXPECT_FALSE(index.find(old_header.tag_for(0)));
  EXPECT_FALSE(index.find(old_header.tag_for(2)));
  EXPECT_EQ(index.size(), 1 + 2 * size_t{limits::kTagsAhead});
}

TEST(TagIndexTest, KeepsSessionsApartAndForgetsThem) {
  SeededRandom random(3);
  std::pair<End, End> one = make_ends(random);
  std::pair<End, End> two = make_ends(random);
  TagIndex index;
  index.load(1, one.second.state(), {});
  index.load(2, two.second.state(), {});
  EXPECT_EQ(index.find(two.second.state().receive_header_next.tag_for(3))->session, 2u);
  index.load(2, two.second.state(), {});
  EXPECT_EQ(index.size(), 2 * size_t{limits::kTagsAhead});
  index.remove(2);
  EXPECT_FALSE(index.has(2));
  EXPECT_FALSE(index.find(two.second.state().receive_header_next.tag_for(3)));
  index.remove(1);
  index.remove(1);
  EXPECT_EQ(index.size(), 0u);
}

}  // namespace
}  // namespace wherry::test
