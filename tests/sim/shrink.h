// Makes a failing plan short: leaves out whatever the failure does not need.
#pragma once

#include <functional>

#include "tests/sim/plan.h"

namespace wherry::sim {

// `fails` tells whether a plan still shows the same failure; it is asked at most `tries` times.
Plan shrink(const Plan& plan, const std::function<bool(const Plan&)>& fails, int tries);

}  // namespace wherry::sim
