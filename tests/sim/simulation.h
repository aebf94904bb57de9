// A world that a plan happens to, and what it showed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/sim/plan.h"

namespace wherry::sim {

struct Outcome {
  std::vector<std::string> violations;  // "name: what"
  uint64_t messages = 0;                // that people said
  uint64_t faults = 0;
  uint64_t crashes = 0;  // processes and machines
  uint64_t turns = 0;
  uint64_t envelopes = 0;

  bool clean() const { return violations.empty(); }
  // As much happened as a world promises (see make_plan).
  bool full() const { return messages >= 200 && faults >= 20 && crashes >= 2; }
  // Of the first violation.
  std::string invariant() const;
};

// `trace`, if set, gets a line for each thing that happens. An exception of the world itself (it
// can not go on) is a violation too.
Outcome simulate(const Plan& plan, const std::function<void(const std::string&)>& trace = {});

}  // namespace wherry::sim
