// What is revealed to whom, in words.
#pragma once

#include <string>

#include "wherry/wherry.hpp"

namespace cli {

// A name as people write it: with hyphens.
std::string spoken(std::string name);

// Prints a line for each observer with something in the set.
void print_reveals(const wherry_reveals& set, const char* indent);

// Prints who does not permit what a way would reveal, a line for each observer.
void print_objections(const wherry_path& path);

}  // namespace cli
