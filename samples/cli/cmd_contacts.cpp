// wherry add, accept, contacts: the people of a profile.
#include <iomanip>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.h"
#include "enum_names.h"
#include "people.h"

namespace cli {
namespace {

std::optional<std::string> name_of(const ContactOptions& options) {
  return options.name.empty() ? std::nullopt : std::optional(options.name);
}

void report(const App& app, const wherry::Profile& profile, std::uint64_t contact,
            const std::string& what) {
  if (app.json) {
    std::cout << nlohmann::json{{"contact", std::to_string(contact)}}.dump() << "\n";
    return;
  }
  const Person person = find_person(profile, std::to_string(contact));
  std::cout << what << person.shown << " (contact " << contact << ")\n";
}

}  // namespace

void add_contact(const App& app, const ContactOptions& options) {
  std::string card = options.which;
  if (card == "-") card.assign(std::istreambuf_iterator<char>(std::cin), {});
  wherry::Profile profile = open_profile(app);
  const std::uint64_t contact = profile.add_contact(card, name_of(options));
  report(app, profile, contact, "Added ");
}

void accept_contact(const App& app, const ContactOptions& options) {
  wherry::Profile profile = open_profile(app);
  const Person person = find_person(profile, options.which);
  profile.accept_contact(person.contact, name_of(options));
  report(app, profile, person.contact, "Accepted ");
}

void list_contacts(const App& app) {
  const wherry::Profile profile = open_profile(app);
  if (app.json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (std::uint64_t after = 0;;) {
      const auto page = profile.contacts(after);
      if (page.empty()) break;
      for (auto& contact : nlohmann::ordered_json::parse(page.json())) all.push_back(contact);
      after = page[page.size() - 1].contact;
    }
    std::cout << all.dump() << "\n";
    return;
  }
  const std::vector<Person> people = all_people(profile);
  if (people.empty()) std::cout << "No contacts yet: wherry add CARD --name NAME\n";
  for (const Person& person : people) {
    std::cout << std::setw(4) << person.contact << "  " << std::left << std::setw(10)
              << contact_state_name(person.state) << std::right << "  " << person.shown << "\n";
  }
}

}  // namespace cli
