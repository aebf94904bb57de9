// wherry add, accept, contacts: the people of a profile.
#include <iomanip>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "commands.h"
#include "enum_names.h"
#include "people.h"
#include "text.h"

namespace cli {
namespace {

// A name that commands can take for nothing else.
std::optional<std::string> name_of(const ContactOptions& options) {
  if (!options.name) return std::nullopt;
  const std::string& name = *options.name;
  if (name.find_first_not_of(" \t") == std::string::npos) {
    throw Failure(exit_usage, "a name is more than spaces; leave --name out for none");
  }
  if (name.find_first_not_of("0123456789") == std::string::npos || name[0] == '-' ||
      name[0] == '~') {
    throw Failure(exit_usage, "'" + harmless(name) +
                                  "' is no name: commands would take it for a contact's number, "
                                  "an identity or an option");
  }
  return name;
}

// The text of a card as it was given, and checked before the profile is opened.
std::string card_text(const std::string& given) {
  std::string card = given;
  if (card == "-") card.assign(std::istreambuf_iterator<char>(std::cin), {});
  if (card.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw Failure(exit_peer, "there is no card in what was given: a card begins with wherry:");
  }
  try {
    wherry::parse_card(card);
  } catch (const wherry::CallerError& error) {  // not even text
    throw wherry::PeerError(WHERRY_E_CARD_MALFORMED, error.reason(),
                            wherry_status_text(WHERRY_E_CARD_MALFORMED));
  }
  return card;
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

// "Added ", or what became of a contact that was there before.
std::string change_of(const wherry::Profile& profile, const std::vector<Person>& before,
                      std::uint64_t contact) {
  for (const Person& person : before) {
    if (person.contact != contact) continue;
    const Person now = find_person(profile, std::to_string(contact));
    if (now.name == person.name) return "Known already: ";
    return "Known already as " + person.shown + ", and now called ";
  }
  return "Added ";
}

}  // namespace

void add_contact(const App& app, const ContactOptions& options) {
  const std::string card = card_text(options.which);
  const std::optional<std::string> name = name_of(options);
  wherry::Profile profile = open_profile(app);
  const std::vector<Person> before = all_people(profile);
  const std::uint64_t contact = profile.add_contact(card, name);
  report(app, profile, contact, change_of(profile, before, contact));
}

void accept_contact(const App& app, const ContactOptions& options) {
  const std::optional<std::string> name = name_of(options);
  wherry::Profile profile = open_profile(app);
  const Person person = find_person(profile, options.which);
  profile.accept_contact(person.contact, name);
  report(app, profile, person.contact, "Accepted ");
}

void list_contacts(const App& app) {
  const wherry::Profile profile = open_profile(app, Networks::off);
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
