// What must hold of conversations that move between networks; see invariants.h.
#pragma once

#include <string>

#include "tests/support/world.h"

namespace wherry::sim {

// stranded: nobody still sends to an inbox that `who` has just closed. early: nor is anything under
// way there that has not come.
void check_close(test::World& world, int who);

// unproven: an envelope goes to an endpoint of another network, and messages are sealed for it, but
// nothing has ever come there. fallback: it goes where this person's address is shown, although
// the other has left there for a network that hides it.
void check_proven(test::World& world, int who, const std::string& endpoint);

// moved: at rest everybody sends where the other wants it, and no old inbox is left. announced:
// only networks of the route were told.
bool all_moved(test::World& world);
void check_moved(test::World& world);

}  // namespace wherry::sim
