// What must hold of conversations that move between networks; see invariants.h.
#pragma once

#include <compare>
#include <map>
#include <string>

#include "tests/support/world.h"

namespace wherry::sim {

// What went to each inbox.
class Departures {
 public:
  // An envelope of who's goes to the endpoint.
  void note(test::World& world, int who, const std::string& endpoint);

  // stranded: nobody still sends to an inbox that `who` has just closed. early: nor has anything
  // gone there that has not come, by whatever way.
  void check_close(test::World& world, int who) const;

 private:
  struct Highest {
    uint64_t incarnation = 0;
    uint64_t seq = 0;
  };
  struct Way {
    int from = 0;
    int to = 0;
    std::string endpoint;
    auto operator<=>(const Way&) const = default;
  };
  std::map<Way, Highest> highest_;
};

// unproven: an envelope goes to an endpoint of another network, and messages are sealed for it, but
// nothing has ever come there. fallback: it goes where this person's address is shown, although
// the other has left there for a network that hides it.
void check_proven(test::World& world, int who, const std::string& endpoint);

// moved: at rest everybody sends where the other wants it, and no old inbox is left. announced:
// only networks of the route were told.
bool all_moved(test::World& world);
void check_moved(test::World& world);

}  // namespace wherry::sim
