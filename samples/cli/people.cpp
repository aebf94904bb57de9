// Contacts by name; see people.h.
#include "people.h"

#include "app.h"
#include "text.h"

namespace cli {

std::vector<Person> all_people(const wherry::Profile& profile) {
  constexpr std::uint32_t page_size = 1000;
  std::vector<Person> people;
  for (std::uint64_t after = 0;;) {
    const auto page = profile.contacts(after, page_size);
    for (const wherry_contact& contact : page) {
      Person person;
      person.contact = contact.contact;
      person.conversation = contact.conversation;
      person.state = contact.state;
      person.name = contact.name;
      person.shown = harmless(person.name);
      if (person.shown.empty()) {
        person.shown = short_identity({contact.identity, WHERRY_IDENTITY_SIZE});
      }
      after = contact.contact;
      people.push_back(std::move(person));
    }
    if (page.size() < page_size) return people;
  }
}

Person find_person(const wherry::Profile& profile, const std::string& which) {
  const Person* found = nullptr;
  const std::vector<Person> people = all_people(profile);
  if (which.empty()) throw Failure(exit_usage, "which contact? its number or name is empty");
  for (const Person& person : people) {
    if (which == std::to_string(person.contact)) return person;
    if (which != person.name && which != person.shown) continue;
    if (found != nullptr) {
      throw Failure(exit_usage, "several contacts are called " + harmless(which) +
                                    ": use the number that `wherry contacts` shows");
    }
    found = &person;
  }
  if (found == nullptr) {
    throw Failure(exit_usage, "there is no contact " + harmless(which) + ": see `wherry contacts`");
  }
  return *found;
}

const std::string& People::shown(std::uint64_t contact) {
  auto at = names_.find(contact);
  if (at == names_.end()) {
    for (const Person& person : all_people(profile_)) names_[person.contact] = person.shown;
    at = names_.try_emplace(contact, "contact " + std::to_string(contact)).first;
  }
  return at->second;
}

}  // namespace cli
