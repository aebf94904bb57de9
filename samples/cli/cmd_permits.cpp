// wherry permits, explain: what may be revealed, and what the ways to a person would reveal.
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "enum_names.h"
#include "people.h"
#include "reveals_text.h"
#include "text.h"

namespace cli {
namespace {

wherry_reveals preset_of(const std::string& wanted) {
  for (std::int32_t preset = WHERRY_PERMITS_OPEN; preset <= WHERRY_PERMITS_ANONYMOUS; ++preset) {
    if (spoken(permits_name(preset)) == wanted) return wherry::permits_preset(preset);
  }
  throw Failure(exit_usage, "there is no set '" + harmless(wanted) +
                                "': open, no-peer-ip, no-operator-ip or anonymous");
}

void forbid(wherry_reveals& set, const std::string& pair) {
  const std::size_t colon = pair.find(':');
  const std::string who = pair.substr(0, colon);
  const std::string what = colon == std::string::npos ? "" : pair.substr(colon + 1);
  for (int observer = 0; observer < WHERRY_OBSERVER_ROOM; ++observer) {
    if (spoken(observer_name(observer)) != who) continue;
    for (int bit = 0; bit < 32; ++bit) {
      if (spoken(fact_name(std::int64_t{1} << bit)) != what) continue;
      set.facts[observer] &= ~(std::uint32_t{1} << bit);
      return;
    }
  }
  throw Failure(exit_usage, "'" + harmless(pair) +
                                "' is no OBSERVER:FACT, as in home-operator:my-ip; "
                                "`wherry explain CONTACT` shows the names");
}

// What the options say: everything, but what a set or a pair forbids.
wherry_reveals asked_for(const PermitsOptions& options) {
  wherry_reveals set = wherry::permits_preset(WHERRY_PERMITS_OPEN);
  for (const std::string& name : options.sets) {
    const wherry_reveals part = preset_of(name);
    for (int i = 0; i < WHERRY_OBSERVER_ROOM; ++i) set.facts[i] &= part.facts[i];
  }
  for (const std::string& pair : options.forbid) forbid(set, pair);
  return set;
}

void show_profile(const App& app, const wherry::Profile& profile) {
  const wherry_reveals set = profile.permits();
  if (app.json) {
    nlohmann::ordered_json out;
    out["permits"] = set.facts;
    std::cout << out.dump() << "\n";
    return;
  }
  std::cout << "This profile permits to reveal:\n";
  print_reveals(set, "  ");
}

void show_conversation(const App& app, const wherry::Profile& profile, const Person& person) {
  const auto page = profile.conversation_permits(person.conversation);
  if (app.json) {
    std::cout << page.json() << "\n";
    return;
  }
  const wherry_permits_info& info = page[0];
  std::cout << "With " << person.shown << ", all together permit to reveal:\n";
  print_reveals(info.all, "  ");
  std::cout << "You permit here:\n";
  print_reveals(info.mine, "  ");
  std::cout << person.shown << " permits, as far as they have said:\n";
  print_reveals(info.theirs, "  ");
  std::cout << "Revealed so far:\n";
  print_reveals(info.revealed, "  ");
}

}  // namespace

void permits(const App& app, const PermitsOptions& options) {
  const bool change = !options.sets.empty() || !options.forbid.empty();
  const wherry_reveals wanted = asked_for(options);
  wherry::Profile profile = open_profile(app);
  if (options.contact.empty()) {
    if (change) profile.set_permits(wanted);
    show_profile(app, profile);
    return;
  }
  const Person person = find_person(profile, options.contact);
  if (change) profile.set_conversation_permits(person.conversation, wanted);
  show_conversation(app, profile, person);
}

void explain(const App& app, const std::string& contact) {
  const wherry::Profile profile = open_profile(app);
  const Person person = find_person(profile, contact);
  const auto page = profile.explain(person.conversation);
  if (app.json) {
    std::cout << page.json() << "\n";
    return;
  }
  if (page.empty()) std::cout << "No way to " << person.shown << " is known yet.\n";
  for (const wherry_path& path : page) {
    std::cout << "  " << harmless(path.name) << "  "
              << (path.allowed != 0 ? "allowed" : "not allowed")
              << (path.used != 0 ? ", in use" : "");
    if (path.reason != WHERRY_REASON_NONE) std::cout << "  " << wherry_reason_text(path.reason);
    std::cout << "\n    would reveal:\n";
    print_reveals(path.reveals, "      ");
    print_objections("the profile does", path.against_profile);
    print_objections("you do", path.against_mine);
    print_objections("they do", path.against_theirs);
  }
}

}  // namespace cli
