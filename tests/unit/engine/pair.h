// Two people who have met, for tests of what happens to a conversation.
#ifndef WHERRY_TESTS_UNIT_ENGINE_PAIR_H
#define WHERRY_TESTS_UNIT_ENGINE_PAIR_H

#include <gtest/gtest.h>

#include <optional>

#include "tests/support/texts.h"
#include "tests/support/world.h"

namespace wherry::test {

// Two people who have met.
struct Pair {
  // `more`: another network, which both have too.
  explicit Pair(uint64_t seed, FakeKind kind = FakeKind::kStored,
                std::optional<FakeKind> more = std::nullopt, Met met = Met::kOneAsked)
      : world(seed, kind) {
    if (more) other_net = &world.add_net(*more);
    ann = world.add("ann");
    bob = world.add("bob");
    world.connect(ann, bob, met);
    world.run_for(2'000);
  }

  bool settled() const { return world.outbox(ann, bob) == 0 && world.outbox(bob, ann) == 0; }
  // Lets time pass until nothing is unacknowledged.
  bool settle(int64_t limit_ms) {
    world.run_for(1);  // what was just submitted
    return world.until([&] { return settled(); }, limit_ms);
  }

  World world;
  FakeNet* other_net = nullptr;
  int ann = 0;
  int bob = 0;
};

inline void expect_all(Pair& pair, const Texts& of_ann, const Texts& of_bob) {
  Texts to_bob{"hello"};
  to_bob.insert(to_bob.end(), of_ann.begin(), of_ann.end());
  EXPECT_EQ(pair.world.received(pair.bob, pair.ann), to_bob);
  EXPECT_EQ(pair.world.received(pair.ann, pair.bob), of_bob);
  EXPECT_EQ(pair.world.history(pair.ann, pair.bob), pair.world.history(pair.bob, pair.ann));
  EXPECT_EQ(pair.world.violations(), Texts());
}

}  // namespace wherry::test

#endif  // WHERRY_TESTS_UNIT_ENGINE_PAIR_H
