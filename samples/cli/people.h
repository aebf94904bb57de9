// Contacts by the names that people give them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "wherry/wherry.hpp"

namespace cli {

// A contact, as commands need it.
struct Person {
  std::uint64_t contact = 0;
  std::uint64_t conversation = 0;
  std::int32_t state = 0;
  std::string name;   // as stored; may be empty
  std::string shown;  // harmless, and never empty
};

// All contacts of a profile.
std::vector<Person> all_people(const wherry::Profile& profile);

// The contact with this name or id. Throws a Failure when there is none, or more than one.
Person find_person(const wherry::Profile& profile, const std::string& which);

// Names to show, read again when one is unknown.
class People {
 public:
  explicit People(const wherry::Profile& profile) : profile_(profile) {}
  const std::string& shown(std::uint64_t contact);

 private:
  const wherry::Profile& profile_;
  std::map<std::uint64_t, std::string> names_;
};

}  // namespace cli
