// The engine's named faults (sdk/base/mutant.h) under the simulator: what was never reached, or
// reached and not noticed, shows a hole in the invariants or in the plans.
#pragma once

#include <string>

namespace wherry::sim {

// Prints a table. Returns 0 if each was reached and caught by a named invariant.
int run_mutants(int jobs);
// False, with a word on stderr: there is none of this name.
bool activate_mutant(const std::string& name);

}  // namespace wherry::sim
