// Two people who have two networks, for tests of going from one to the other.
#ifndef WHERRY_TESTS_UNIT_ENGINE_MOVERS_H
#define WHERRY_TESTS_UNIT_ENGINE_MOVERS_H

#include "engine/moving.h"
#include "pair.h"

namespace wherry::test {

inline constexpr const char* kRelay = "fake-stored";

// Two people who have met by a relay, and have another network too.
struct Movers : Pair {
  explicit Movers(uint64_t seed, FakeKind kind = FakeKind::kDirect, Met met = Met::kOneAsked)
      : Pair(seed, FakeKind::kStored, kind, met),
        other(*other_net),
        name(other.plugin()->describe()->name) {}

  void submit(const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(sent++);
      world.submit(ann, bob, "a" + prefix + number);
      world.submit(bob, ann, "b" + prefix + number);
      of_ann.push_back("a" + prefix + number);
      of_bob.push_back("b" + prefix + number);
    }
  }
  void set_route(int who, const std::string& route) {
    ASSERT_TRUE(world.set_route(who, who == ann ? bob : ann, route));
  }
  engine::RouteView route(int who) { return world.route(who, who == ann ? bob : ann); }
  // Both directions of both are where they are to be, and no inbox is left from before.
  bool moved(const std::string& to) {
    for (const int who : {ann, bob}) {
      const engine::RouteView view = route(who);
      if (view.sending != to || view.receiving != to ||
          view.sending_state != WHERRY_ROUTE_STATE_SETTLED ||
          view.receiving_state != WHERRY_ROUTE_STATE_SETTLED) {
        return false;
      }
    }
    return true;
  }
  bool move(const std::string& to, int64_t limit_ms) {
    const int64_t end = world.now_ms() + limit_ms;
    for (int64_t step = 100; world.now_ms() < end; step += step / 10) {
      if (moved(to)) return true;
      world.run_for(step);
    }
    return moved(to);
  }
  void expect_all_arrived() { expect_all(*this, of_ann, of_bob); }

  // For a failure: where both stand.
  std::string standing() {
    std::string text;
    for (const int who : {ann, bob}) {
      const engine::RouteView view = route(who);
      text += (who == ann ? "ann" : "; bob");
      text += " sends by " + view.sending + " (" + std::to_string(view.sending_state) + ", " +
              std::to_string(view.sending_reason) + "), receives by " + view.receiving + " (" +
              std::to_string(view.receiving_state) + ", " + std::to_string(view.receiving_reason) +
              ")";
    }
    return text;
  }

  FakeNet& other;
  std::string name;
  int sent = 0;
  Texts of_ann;
  Texts of_bob;
};

}  // namespace wherry::test

#endif  // WHERRY_TESTS_UNIT_ENGINE_MOVERS_H
