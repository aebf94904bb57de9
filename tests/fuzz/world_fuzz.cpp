// The whole engine, statefully: a string of bytes is a plan of the simulator, what people do and
// what goes wrong in an hour; afterwards every invariant of tests/sim must hold.
#include <algorithm>
#include <cstdio>

#include "fuzz.h"
#include "tests/sim/simulation.h"

namespace {

using wherry::sim::Action;
using wherry::sim::Kind;

// kind u8 ‖ who u8 ‖ when u16 ‖ amount u16 ‖ for how long u8
constexpr size_t kActionSize = 7;
constexpr size_t kActionsMax = 48;
constexpr int64_t kHour_ms = 3'600'000;

int64_t u16(const uint8_t* at) {
  return at[0] | at[1] << 8;
}

int64_t amount_of(Kind kind, int64_t drawn) {
  switch (kind) {
    case Kind::kSay:
      return 1 + drawn % 20;
    case Kind::kJumpClock:
      return (drawn - 0x8000) * 10'000;
    case Kind::kSpoilLink:
      return drawn * 15;
    case Kind::kFailDisk:
      return drawn % 400;
    case Kind::kForbid:
      return drawn % 4;
    case Kind::kSetRoute:
      return drawn % static_cast<int64_t>(wherry::sim::kRoutes.size());
    default:
      return drawn;
  }
}

// What tests/sim/plan.cpp never draws together, and why, is told there.
void leave_out_what_does_not_go_together(wherry::sim::Plan& plan) {
  const auto has = [&](Kind kind) {
    return std::ranges::find(plan.actions, kind, &Action::kind) != plan.actions.end();
  };
  const bool restores = has(Kind::kRestore);
  int restored = 0;
  plan.moves = !restores && has(Kind::kSetRoute);
  std::erase_if(plan.actions, [&](const Action& action) {
    switch (action.kind) {
      case Kind::kForbid:
      case Kind::kSetRoute:
        return restores;
      case Kind::kMoveInbox:
        return restores || plan.moves;
      case Kind::kRestore:
        return ++restored > 1;
      default:
        return false;
    }
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wherry::sim::Plan plan;
  plan.seed = 1;
  plan.length_ms = kHour_ms;
  for (size_t at = 0; at + kActionSize <= size && plan.actions.size() < kActionsMax;
       at += kActionSize) {
    Action action;
    action.kind = static_cast<Kind>(data[at] % wherry::sim::kKinds);
    action.who = data[at + 1] % plan.people;
    action.other = (action.who + 1 + data[at + 1] / plan.people % (plan.people - 1)) % plan.people;
    action.at_ms = u16(data + at + 2) * kHour_ms / 0x10000;
    action.amount = amount_of(action.kind, u16(data + at + 4));
    action.for_ms = int64_t{1} << data[at + 6] % 22;
    plan.actions.push_back(action);
  }
  leave_out_what_does_not_go_together(plan);
  std::ranges::sort(plan.actions, {}, &Action::at_ms);
  const wherry::sim::Outcome outcome = wherry::sim::simulate(plan);
  for (const std::string& violation : outcome.violations) {
    std::fprintf(stderr, "VIOLATED %s\n", violation.c_str());
  }
  if (!outcome.clean()) {
    for (const Action& action : plan.actions) {
      std::fprintf(stderr, "  %s\n", wherry::sim::describe(action).c_str());
    }
  }
  must(outcome.clean());
  return 0;
}
