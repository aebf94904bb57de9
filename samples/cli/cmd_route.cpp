// wherry route: by which networks a conversation is sent and received.
#include <algorithm>
#include <iostream>

#include "advice.h"
#include "commands.h"
#include "enum_names.h"
#include "feed.h"
#include "people.h"
#include "plugins.h"
#include "reveals_text.h"
#include "route_advice.h"
#include "text.h"

namespace cli {
namespace {

void show(const char* direction, const std::string& networks, std::int32_t state,
          std::int32_t reason) {
  std::cout << "  " << direction << ": " << (networks.empty() ? "-" : harmless(networks));
  if (state != WHERRY_ROUTE_STATE_SETTLED) std::cout << "  (" << route_state_name(state) << ")";
  if (reason != WHERRY_REASON_NONE) {
    std::cout << "  " << wherry_reason_text(reason);
  } else if (state == WHERRY_ROUTE_STATE_OPENING) {
    std::cout << "  They were not told yet: that takes a message that gets through.";
  }
  std::cout << "\n";
}

// The library's words for one that is not there do not say what is.
void require_networks(const wherry::Profile& profile, const std::string& route) {
  if (route.find_first_not_of(" \t") == std::string::npos) {
    throw Failure(exit_usage, "the route is empty: names of networks with commas between, or auto");
  }
  const auto page = profile.transports();
  for (const std::string& name : networks_in(route)) {
    const auto has_name = [&](const wherry_transport_info& info) { return name == info.name; };
    if (std::any_of(page.begin(), page.end(), has_name)) continue;
    find_plugin(name);
    throw Failure(exit_usage,
                  "you are not on " + harmless(name) + ": wherry transports add " + harmless(name));
  }
}

// The ways that the permits close; without them a route looks as if it were open.
void show_forbidden(const wherry::Profile& profile, const Person& person) {
  const auto paths = profile.explain(person.conversation);
  for (const wherry_path& path : paths) {
    if (path.reason != WHERRY_REASON_PERMITS) continue;
    std::cout << "  not allowed: " << harmless(path.name) << "\n";
    print_objections(path);
  }
  for (const std::string& name : kept_offline(profile, paths)) {
    std::cout << "  not allowed: " << harmless(name) << "\n      " << kept_offline_text << "\n";
  }
}

}  // namespace

void route(const App& app, const RouteOptions& options) {
  wherry::Profile profile = open_profile(app);
  const Person person = find_person(profile, options.contact);
  if (options.route) {
    require_networks(profile, *options.route);
    profile.set_route(person.conversation, *options.route);
  }
  settled(profile);
  const auto page = profile.route(person.conversation);
  if (app.json) {
    std::cout << page.json() << "\n";
    return;
  }
  const wherry_route_info& info = page[0];
  std::cout << "With " << person.shown << ", the route is " << harmless(info.route) << "\n";
  show("sending", info.sending, info.sending_state, info.sending_reason);
  show("receiving", info.receiving, info.receiving_state, info.receiving_reason);
  show_forbidden(profile, person);
  for (const std::string& line : route_advice(profile, person)) std::cout << line << "\n";
  if (options.route && *options.route == "p2p") std::cout << p2p_alone(person);
  for (const std::string& line : advice(profile, person)) std::cout << line << "\n";
}

}  // namespace cli
