// See advice.h.
#include "advice.h"

#include <wherry/transport.h>
#include <wherry/transports/centralized.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "enum_names.h"
#include "plugins.h"
#include "reveals_text.h"
#include "text.h"

namespace cli {
namespace {

using Paths = wherry::Page<wherry_path>;

bool is_empty(const wherry_reveals& set) {
  return std::all_of(std::begin(set.facts), std::end(set.facts),
                     [](std::uint32_t facts) { return facts == 0; });
}

// Whether a network shows nothing beyond this set, whatever its settings are.
bool is_within(const wherry::Profile& profile, const std::string& network,
               const wherry_reveals& permitted) {
  const auto about = nlohmann::json::parse(profile.describe_transport(network));
  const auto& worst = about.at("reveals");
  for (std::size_t i = 0; i < worst.size(); ++i) {
    const std::uint32_t allowed = i < WHERRY_OBSERVER_ROOM ? permitted.facts[i] : 0;
    if ((worst[i].get<std::uint32_t>() & ~allowed) != 0) return false;
  }
  return true;
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
    if (!has_path(paths, info.transport) && info.started != 0 &&
        is_within(profile, info.name, permitted)) {
      return info.name;
    }
  }
  return "";
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
  if (by_them) {
    lines.push_back(person.shown + " does not permit it: only they can change that");
    return;
  }
  const std::string other = other_network(profile, person, paths);
  if (other.empty()) {
    lines.push_back("To keep it forbidden, another network is needed: wherry transports add");
    return;
  }
  lines.push_back("To go by " + other + " instead: permit it again; then wherry route " + number +
                  " auto, on both sides;");
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

void about_path(const Person& person, const wherry_path& path, std::vector<std::string>& lines) {
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
    case WHERRY_REASON_SETTING:
    case WHERRY_REASON_CANNOT_LISTEN:
      lines.push_back("Its settings: wherry transports set " + name + " NAME=VALUE");
      return;
    case WHERRY_REASON_ENDPOINT_REFUSED:
      about_refused_endpoint(person, path, lines);
      return;
    case WHERRY_REASON_UNREACHABLE:
    case WHERRY_REASON_UNPROVEN:
    case WHERRY_REASON_BOTH_ENDS:
      if (needs_both_ends(path)) lines.push_back(person.shown + both_ends_text);
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
  for (const wherry_path& path : paths) about_path(person, path, lines);
  return lines;
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
