// What a person can do when nothing goes to somebody: the way on in this program's own commands.
#pragma once

#include <string>
#include <vector>

#include "people.h"

namespace cli {

// Lines of advice, by what stands against the ways to this person. None while one works, or when
// there is nothing to do but wait.
std::vector<std::string> advice(const wherry::Profile& profile, const Person& person);

}  // namespace cli
