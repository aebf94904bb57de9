// See advice.h.
#include "advice.h"

#include <wherry/transport.h>
#include <wherry/transports/centralized.h>

#include <algorithm>

#include "enum_names.h"
#include "feed.h"
#include "plugins.h"
#include "reveals_text.h"
#include "route_advice.h"
#include "text.h"

namespace cli {
namespace {

using Paths = wherry::Page<wherry_path>;

bool is_empty(const wherry_reveals& set) {
  return std::all_of(std::begin(set.facts), std::end(set.facts),
                     [](std::uint32_t facts) { return facts == 0; });
}

// Those who would see this person's address, besides who carries the packets of any network; "":
// nobody.
std::string who_sees_me(const wherry_reveals& set) {
  std::string names;
  for (int observer = 0; observer < WHERRY_OBSERVER_ROOM; ++observer) {
    const bool carries = observer == WHERRY_OBSERVER_LOCAL_NETWORK ||
                         observer == WHERRY_OBSERVER_NETWORK || observer == WHERRY_OBSERVER_PROXY;
    if (carries || (set.facts[observer] & WHERRY_FACT_MY_IP) == 0) continue;
    names += (names.empty() ? "" : ", ") + spoken(observer_name(observer));
  }
  return names;
}

// Of an advice, after it. `how`: "That shows".
void warn(const char* how, const wherry_reveals& set, std::vector<std::string>& lines) {
  const std::string who = who_sees_me(set);
  if (!who.empty()) lines.push_back(std::string(how) + " your address to " + who);
}

// What being online there shows, as far as that does not depend on more settings.
wherry_reveals reveals_with(const wherry_transport_plugin& plugin, const wherry_setting& setting) {
  wherry_reveals reveals{};
  if (plugin.listening(&setting, 1, &reveals) != WHERRY_TRANSPORT_OK) return {};
  return reveals;
}

// At worst; nothing of a network that this program has not.
wherry_reveals worst_of(const std::string& network) {
  for (const wherry_transport_plugin* plugin : plugins()) {
    if (network == plugin->describe()->name) return plugin->describe()->reveals_worst;
  }
  return {};
}

bool has_path(const Paths& paths, std::uint64_t transport) {
  return std::any_of(paths.begin(), paths.end(),
                     [&](const wherry_path& path) { return path.transport == transport; });
}

// A network of this profile that is permitted and by which the other person is not known; "": none.
std::string other_network(const wherry::Profile& profile, const Person& person,
                          const Paths& paths) {
  const wherry_reveals permitted = profile.conversation_permits(person.conversation)[0].all;
  for (const wherry_transport_info& info : profile.transports()) {
    if (!has_path(paths, info.transport) && info.started != 0 && is_within(info.name, permitted)) {
      return info.name;
    }
  }
  return "";
}

// Whether this person was told that messages are received by a network.
bool is_told_of(const wherry::Profile& profile, const Person& person, const std::string& network) {
  const auto page = profile.route(person.conversation);
  const std::vector<std::string> told = networks_in(page[0].receiving);
  return std::find(told.begin(), told.end(), network) != told.end();
}

void about_permits(const wherry::Profile& profile, const Person& person, const Paths& paths,
                   std::vector<std::string>& lines) {
  bool by_profile = false;
  bool by_me = false;
  bool by_them = false;
  wherry_reveals forbidden{};
  for (const wherry_path& path : paths) {
    for (int i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
      forbidden.facts[i] |= path.against_profile.facts[i] | path.against_mine.facts[i];
    }
    by_profile = by_profile || !is_empty(path.against_profile);
    by_me = by_me || !is_empty(path.against_mine);
    by_them = by_them || !is_empty(path.against_theirs);
  }
  const std::string number = std::to_string(person.contact);
  if (by_profile) lines.push_back("To permit everything again: wherry permits --set open");
  if (by_me) {
    lines.push_back("To permit everything again: wherry permits " + number + " --set open");
  }
  warn("That shows", forbidden, lines);
  const std::string other = other_network(profile, person, paths);
  const bool fixed = has_fixed_route(profile, person);
  if (by_them) {
    lines.push_back(person.shown + " does not permit it: only they can change that");
    if (fixed && !other.empty()) {
      lines.push_back("To go by another network: wherry route " + number + " auto");
    }
    return;
  }
  if (other.empty()) {
    lines.push_back("To keep it forbidden, another network is needed: wherry transports add");
    return;
  }
  // It is the side with a fixed route that keeps the other one to it.
  const std::string theirs = "`wherry route ... auto` on the side of " + person.shown;
  if (!fixed && is_told_of(profile, person, other)) {
    lines.push_back("To go by " + other + " instead, nothing more is needed here. If their route " +
                    "is fixed: " + theirs);
    return;
  }
  const std::string heals = fixed ? "on your side wherry route " + number + " auto" : theirs;
  lines.push_back("To go by " + other + " instead: permit it again; then " + heals + ";");
  lines.push_back("and forbid it when a message was delivered: " + person.shown + " is told of " +
                  other + " first");
}

// The relay in an endpoint of the centralized network, as `relay` is set.
std::string relay_in(const std::string& endpoint) {
  const std::size_t authority = endpoint.find('/');
  // An onion service has no port, and no key beside its address.
  if (endpoint.find(':', endpoint.find(':') + 1) > authority) return endpoint.substr(0, authority);
  return endpoint.substr(0, endpoint.find('/', authority == std::string::npos ? 0 : authority + 1));
}

void about_refused_endpoint(const Person& person, const wherry_path& path,
                            std::vector<std::string>& lines) {
  const std::string name = path.name;
  if (name == "centralized") {
    const std::string relay = harmless(relay_in(path.endpoint));
    lines.push_back(person.shown + " is known at another relay than yours: " + relay);
    lines.push_back("Both of you need the same: wherry transports set centralized relay=" + relay);
    const wherry_setting setting{"relay", relay.c_str()};
    warn("Without a proxy that shows", reveals_with(*wherry_transport_centralized(), setting),
         lines);
    // Once they talk, only what is said there counts.
    const bool by_card = person.state == WHERRY_CONTACT_STATE_ADDED;
    lines.push_back(by_card ? "If it has moved, ask them for a new card: wherry add CARD"
                            : "If it has moved, it has to be reached at that address again: a new "
                              "card does not help");
  } else if (name == "p2p") {
    const bool listens = !needs_both_ends(path);
    if (std::string_view(path.endpoint).starts_with("zd1:~")) {
      lines.push_back(
          person.shown +
          " is behind a router that forwards nothing. Links are opened from both ends: "
          "wherry transports set p2p meet=ADDRESS:PORT, the outside of your own router");
    }
    if (listens) {
      lines.push_back(person.shown +
                      " is at an address that is not of the Internet, or of your own "
                      "network; to dial it: wherry transports set p2p allow=RANGE");
    }
    // Unless they are told already where to dial.
    if (who_sees_me(path.reveals).empty())
      warn("Without a proxy that shows", worst_of(name), lines);
  }
}

// Of a network that keeps no messages.
void about_absence(const wherry::Profile& profile, const Person& person, const wherry_path& path,
                   const Paths& paths, std::vector<std::string>& lines) {
  const std::string name = path.name;
  if (needs_both_ends(path)) {
    lines.push_back(person.shown + both_ends_text);
  } else {
    lines.push_back("By " + harmless(name) + " a message waits until both of you are online: " +
                    person.shown + " has to run wherry too, as by `wherry listen`");
  }
  // Else it has an advice of its own.
  const bool has_other = std::any_of(paths.begin(), paths.end(), [](const wherry_path& other) {
    return keeps_messages(other.name);
  });
  if (has_other) return;
  std::string relay;
  for (const wherry_transport_info& info : profile.transports()) {
    if (keeps_messages(info.name)) relay = info.name;
  }
  const std::string add =
      relay.empty() ? "wherry transports add centralized relay=ENDPOINT, then " : "";
  lines.push_back("A relay keeps messages for who is away; on both sides: " + add +
                  "wherry route " + std::to_string(person.contact) + " " + harmless(name) + "," +
                  (relay.empty() ? "centralized" : harmless(relay)));
}

void about_path(const wherry::Profile& profile, const Person& person, const wherry_path& path,
                const Paths& paths, std::vector<std::string>& lines) {
  const std::string name = harmless(path.name);
  switch (path.reason) {
    case WHERRY_REASON_NONE:
      lines.push_back(name + " works, but is not on the route: wherry route " +
                      std::to_string(person.contact) + " auto");
      warn("That shows", path.reveals, lines);
      return;
    case WHERRY_REASON_NO_TRANSPORT:
      lines.push_back("You are not on " + name + ": wherry transports add " + name);
      warn("By its settings that may show", worst_of(path.name), lines);
      return;
    case WHERRY_REASON_TRANSPORT_OFF:
      lines.push_back("It is stopped: wherry transports start " + name);
      warn("That shows", path.reveals, lines);
      return;
    case WHERRY_REASON_CANNOT_LISTEN:
      lines.push_back(other_port(name));
      return;
    case WHERRY_REASON_SETTING:
      lines.push_back("Its settings: wherry transports set " + name + " NAME=VALUE");
      return;
    case WHERRY_REASON_ENDPOINT_REFUSED:
      about_refused_endpoint(person, path, lines);
      return;
    case WHERRY_REASON_UNREACHABLE:
    case WHERRY_REASON_UNPROVEN:
    case WHERRY_REASON_BOTH_ENDS:
    case WHERRY_REASON_NEARBY:
      if (!keeps_messages(path.name)) about_absence(profile, person, path, paths, lines);
      return;
    default:
      return;
  }
}

}  // namespace

std::vector<std::string> advice(const wherry::Profile& profile, const Person& person) {
  const Paths paths = profile.explain(person.conversation);
  std::vector<std::string> lines;
  if (std::any_of(paths.begin(), paths.end(),
                  [](const wherry_path& path) { return path.used != 0; })) {
    return lines;
  }
  const auto is_forbidden = [](const wherry_path& path) {
    return path.reason == WHERRY_REASON_PERMITS;
  };
  if (!paths.empty() && std::all_of(paths.begin(), paths.end(), is_forbidden)) {
    about_permits(profile, person, paths, lines);
    return lines;
  }
  for (const wherry_path& path : paths) about_path(profile, person, path, paths, lines);
  return lines;
}

bool is_within(const std::string& network, const wherry_reveals& permitted) {
  const wherry_reveals worst = worst_of(network);
  for (int i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
    if ((worst.facts[i] & ~permitted.facts[i]) != 0) return false;
  }
  return true;
}

bool keeps_messages(const std::string& network) {
  const auto& all = plugins();
  return std::any_of(all.begin(), all.end(), [&](const wherry_transport_plugin* plugin) {
    const wherry_transport_description& about = *plugin->describe();
    return network == about.name && (about.abilities & WHERRY_ABILITY_OFFLINE) != 0;
  });
}

bool has_fixed_route(const wherry::Profile& profile, const Person& person) {
  return std::string_view(profile.route(person.conversation)[0].route) != "auto";
}

bool needs_both_ends(const wherry_path& path) {
  const std::string_view endpoint = path.endpoint;
  return std::string_view(path.name) == "p2p" && endpoint.starts_with("zd1:~") &&
         endpoint.find(',') == std::string_view::npos;
}

std::vector<std::string> kept_offline(const wherry::Profile& profile, const Paths& paths) {
  std::vector<std::string> names;
  for (const wherry_transport_info& info : profile.transports()) {
    if (info.reason == WHERRY_REASON_PERMITS && !has_path(paths, info.transport)) {
      names.push_back(info.name);
    }
  }
  return names;
}

}  // namespace cli
