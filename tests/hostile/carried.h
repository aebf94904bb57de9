// Ann and Bob alone, and whoever carries between them or puts a disk back: see the tests for what
// that one does.
#pragma once

#include "attack.h"
#include "engine/greeting.h"

namespace wherry::test {

class Carried : public testing::Test {
 protected:
  void meet(Met met = Met::kOneAsked) {
    world.connect(ann, bob, met);
    world.run_for(2'000);
  }
  void at(int who, const std::function<void(engine::Turn&, engine::Contact&)>& look) {
    ASSERT_TRUE(world.run(who, [&](engine::Turn& turn) -> Status {
      look(turn, *turn.profile.contacts.begin()->second);
      return {};
    }));
  }
  void reset(int who) {
    at(who, [](engine::Turn& turn, engine::Contact& contact) {
      engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
    });
    world.run_for(10'000);
  }
  void chat(const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) {
      world.submit(ann, bob, prefix + "a" + std::to_string(i));
      world.submit(bob, ann, prefix + "b" + std::to_string(i));
      world.run_for(300);
    }
  }
  bool settle(int64_t limit_ms) {
    return world.until([&] { return world.outbox(ann, bob) + world.outbox(bob, ann) == 0; },
                       limit_ms);
  }

  World world{1};
  const int ann = world.add("ann");
  const int bob = world.add("bob");
};

}  // namespace wherry::test
