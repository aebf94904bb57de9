// In a build of the engine that can make no fault.
#include <cstdio>

#include "tests/sim/mutants.h"

namespace wherry::sim {

bool activate_mutant(const std::string&) {
  std::fputs("this build has no mutants: use the preset sim\n", stderr);
  return false;
}

int run_mutants(int) {
  activate_mutant({});
  return 2;
}

}  // namespace wherry::sim
