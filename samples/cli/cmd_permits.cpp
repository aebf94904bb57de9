// wherry permits, explain: what may be revealed, and what the ways to a person would reveal.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "advice.h"
#include "commands.h"
#include "enum_names.h"
#include "feed.h"
#include "interrupt.h"
#include "passphrase.h"
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
  const auto is_named = [](const std::string& name, const std::string& wanted) {
    return name != "unknown" && spoken(name) == wanted;
  };
  for (int observer = 0; observer < WHERRY_OBSERVER_ROOM; ++observer) {
    if (!is_named(observer_name(observer), who)) continue;
    for (int bit = 0; bit < 32; ++bit) {
      if (!is_named(fact_name(std::int64_t{1} << bit), what)) continue;
      set.facts[observer] &= ~(std::uint32_t{1} << bit);
      return;
    }
  }
  throw Failure(exit_usage, "'" + harmless(pair) +
                                "' is no OBSERVER:FACT, as in home-operator:my-ip; "
                                "`wherry explain CONTACT` shows the names");
}

// What the options say: the sets, or else what is permitted now, without what a pair forbids.
wherry_reveals asked_for(const PermitsOptions& options, const wherry_reveals& now) {
  wherry_reveals set = options.sets.empty() ? now : wherry::permits_preset(WHERRY_PERMITS_OPEN);
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
  if (info.leaving != 0) {
    std::cout << "A network that is not permitted is listened to until " << person.shown
              << " is told of another.\n";
  }
}

// Until the last word on a network that is not permitted any more has left. True: it has.
bool wait_until_left(wherry::Profile& profile, const Person& person) {
  constexpr std::chrono::seconds patience(30);
  const Interrupt interrupt;
  const Clock::time_point deadline = Clock::now() + patience;
  Feed feed(profile);
  bool said = false;
  while (profile.conversation_permits(person.conversation)[0].leaving != 0) {
    if (!said) std::cerr << "telling " << person.shown << " where else you are ..." << std::endl;
    said = true;
    if (interrupt.requested() || Clock::now() >= deadline) {
      std::cerr << "wherry: " << person.shown << " could not be told yet. Until that is done, by"
                << " `wherry listen` or any other command that is online, the old network is"
                << " listened to; `wherry permits " << person.contact
                << " --now` leaves it at once.\n";
      said = false;
      break;
    }
    feed.step(deadline);
  }
  feed.finish();
  return said;
}

// There are ways, and none is allowed.
bool is_stranded(const wherry::Profile& profile, const Person& person) {
  const auto paths = profile.explain(person.conversation);
  return !paths.empty() && std::none_of(paths.begin(), paths.end(),
                                        [](const wherry_path& path) { return path.allowed != 0; });
}

// Says so if no way is left. `told`: they know already where else this person is.
void warn_if_stranded(const wherry::Profile& profile, const Person& person, bool told) {
  if (!is_stranded(profile, person)) return;
  if (told) {
    std::cerr << "wherry: " << person.shown << " was told where else you are; messages wait until"
              << " they answer from there.\n";
    return;
  }
  std::cerr << "wherry: no way to " << person.shown << " is left; messages wait.\n";
  for (const std::string& line : advice(profile, person)) std::cerr << "  " << line << "\n";
}

// Says which networks and people the profile's permits leave behind. The profile is online as far
// as they let it.
void warn_if_anybody_is_stranded(wherry::Profile& profile) {
  settled(profile);
  bool any = false;
  for (const wherry_transport_info& info : profile.transports()) {
    if (info.started == 0 || info.reason != WHERRY_REASON_PERMITS) continue;
    std::cerr << "wherry: " << harmless(info.name) << " stays offline: " << kept_offline_text
              << "\n";
    any = true;
  }
  std::string names;
  for (const Person& person : all_people(profile)) {
    if (is_stranded(profile, person)) names += (names.empty() ? "" : ", ") + person.shown;
  }
  if (!names.empty()) {
    std::cerr << "wherry: no way to " << names << " is left; messages wait.\n";
  }
  if (!any && names.empty()) return;
  std::cerr << "  To permit everything again: wherry permits --set open\n"
               "  To keep it forbidden, a network is needed that reveals less: wherry transports "
               "add\n";
}

bool is_being_left(const wherry::Profile& profile, const Person& person) {
  return profile.conversation_permits(person.conversation)[0].leaving != 0;
}

[[noreturn]] void refuse_now() {
  throw Failure(exit_usage,
                "nothing that is forbidden is listened to still: --now goes with --set or "
                "--forbid");
}

// Which permits nothing else, and ends what goes on from before.
bool is_only_now(const PermitsOptions& options) {
  return options.sets.empty() && options.forbid.empty() && options.now;
}

bool is_change(const PermitsOptions& options) {
  return !options.sets.empty() || !options.forbid.empty() || options.now;
}

void permits_of_profile(const App& app, const PermitsOptions& options, std::int32_t tightening) {
  const Passphrase passphrase = get_passphrase(app.passphrase_file, false);
  {
    // Not online before it is known what may be revealed by that.
    wherry::Profile profile = open_profile(app, Networks::off, passphrase);
    if (is_only_now(options)) {
      const auto people = all_people(profile);
      const auto waits = [&](const Person& person) { return is_being_left(profile, person); };
      if (std::none_of(people.begin(), people.end(), waits)) refuse_now();
    }
    if (is_change(options)) {
      profile.set_permits(asked_for(options, profile.permits()), tightening);
    }
    show_profile(app, profile);
  }
  if (!is_change(options)) return;
  wherry::Profile profile = open_profile(app, Networks::on, passphrase);
  warn_if_anybody_is_stranded(profile);
}

}  // namespace

void permits(const App& app, const PermitsOptions& options) {
  const bool change = is_change(options);
  const std::int32_t tightening = options.now ? WHERRY_TIGHTENING_NOW : WHERRY_TIGHTENING_ANNOUNCE;
  asked_for(options, wherry_reveals{});  // wrong words change nothing
  if (!options.contact) {
    permits_of_profile(app, options, tightening);
    return;
  }
  wherry::Profile profile = open_profile(app, change ? Networks::on : Networks::off);
  const Person person = find_person(profile, *options.contact);
  if (is_only_now(options) && !is_being_left(profile, person)) refuse_now();
  bool told = false;
  if (change) {
    const auto page = profile.conversation_permits(person.conversation);
    profile.set_conversation_permits(person.conversation, asked_for(options, page[0].mine),
                                     tightening);
    told = wait_until_left(profile, person);
  }
  show_conversation(app, profile, person);
  if (change) warn_if_stranded(profile, person, told);
}

void explain(const App& app, const std::string& contact) {
  wherry::Profile profile = open_profile(app);
  const Person person = find_person(profile, contact);
  const Feed feed = settled(profile);
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
    if (path.reason != WHERRY_REASON_NONE) {
      std::cout << "  " << why_text(path.reason, feed.phase(path.transport));
    }
    if (path.succeeded_ms != 0) {
      std::cout << "\n    worked last at " << local_time(path.succeeded_ms);
    }
    std::cout << "\n    would reveal:\n";
    print_reveals(path.reveals, "      ");
    print_objections(path);
  }
  for (const std::string& name : kept_offline(profile, page)) {
    std::cout << "  " << harmless(name) << "  not allowed  " << kept_offline_text << "\n";
  }
  for (const std::string& line : advice(profile, person)) std::cout << line << "\n";
}

}  // namespace cli
