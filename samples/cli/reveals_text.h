// What is revealed to whom, in words.
#pragma once

#include <string>

#include "wherry/wherry.hpp"

namespace cli {

// A name as people write it: with hyphens.
std::string spoken(std::string name);

// Prints a line for each observer with something in the set.
void print_reveals(const wherry_reveals& set, const char* indent);

// Prints what somebody ("you do") does not permit to reveal, a line for each observer.
void print_objections(const char* who, const wherry_reveals& against);

}  // namespace cli
