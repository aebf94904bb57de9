// See reveals_text.h.
#include "reveals_text.h"

#include <algorithm>
#include <iostream>

#include "enum_names.h"

namespace cli {
namespace {

std::string facts_text(std::uint32_t facts) {
  std::string text;
  for (int bit = 0; bit < 32; ++bit) {
    const std::uint32_t fact = std::uint32_t{1} << bit;
    if ((facts & fact) == 0) continue;
    const std::string name = fact_name(fact);
    if (name == "unknown") continue;
    text += (text.empty() ? "" : ", ") + spoken(name);
  }
  return text;
}

// All facts that this version knows.
std::uint32_t known_facts() {
  std::uint32_t known = 0;
  for (int bit = 0; bit < 32; ++bit) {
    if (std::string(fact_name(std::int64_t{1} << bit)) != "unknown")
      known |= std::uint32_t{1} << bit;
  }
  return known;
}

void print_objections(const char* who, const wherry_reveals& against) {
  for (int observer = 0; observer < WHERRY_OBSERVER_ROOM; ++observer) {
    if (against.facts[observer] == 0) continue;
    std::string facts = facts_text(against.facts[observer]);
    if (facts.empty()) facts = "something that this version does not know";
    std::cout << "      " << who << " not permit: " << facts << " to "
              << spoken(observer_name(observer)) << "\n";
  }
}

}  // namespace

std::string spoken(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

void print_reveals(const wherry_reveals& set, const char* indent) {
  bool any = false;
  for (int observer = 0; observer < WHERRY_OBSERVER_ROOM; ++observer) {
    const std::string name = observer_name(observer);
    const std::string facts = facts_text(set.facts[observer]);
    if (name == "unknown" || facts.empty()) continue;
    const bool everything = (set.facts[observer] & known_facts()) == known_facts();
    std::cout << indent << "to " << spoken(name) << ": " << (everything ? "everything" : facts)
              << "\n";
    any = true;
  }
  if (!any) std::cout << indent << "nothing to anybody\n";
}

void print_objections(const wherry_path& path) {
  print_objections("the profile does", path.against_profile);
  print_objections("you do", path.against_mine);
  print_objections("they do", path.against_theirs);
}

}  // namespace cli
