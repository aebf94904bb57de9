// What there is to know about a route that was chosen, beside what advice.h says.
#pragma once

#include <string>
#include <vector>

#include "people.h"

namespace cli {

// The networks that a route names; none of "auto".
std::vector<std::string> networks_in(const std::string& route);

// Lines about a conversation that goes by none of the networks of its route, because the other
// person is on none of them.
std::vector<std::string> route_advice(const wherry::Profile& profile, const Person& person);

// Of a route by p2p and nothing else.
std::string p2p_alone(const Person& person);

}  // namespace cli
