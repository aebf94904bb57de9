// wherry init, wherry card: making a profile, and the card that others need to write to it.
#include <wherry/transport.h>
#include <wherry/transports/centralized.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "base64.h"
#include "commands.h"
#include "feed.h"
#include "text.h"

namespace cli {

namespace {

bool fits_centralized(const std::vector<wherry_setting>& settings) {
  wherry_reveals unused{};
  return wherry_transport_centralized()->listening(settings.data(), settings.size(), &unused) ==
         WHERRY_TRANSPORT_OK;
}

// Before anything is made: a profile that its user did not want so would be in the way of the next
// init.
void check_relay(const InitOptions& options) {
  const auto refuse = [](const std::string& what) {
    throw wherry::Error(WHERRY_E_SETTING, WHERRY_REASON_NONE, what + "\nNothing was made");
  };
  const wherry_setting relay{"relay", options.relay.c_str()};
  const wherry_setting proxy{"proxy", options.proxy.c_str()};
  if (!fits_centralized({relay})) {
    refuse("'" + harmless(options.relay) +
           "' is no address of a relay, as wherry-relay prints it: wr1:HOST:PORT/KEY, or "
           "wr1:ADDRESS of an onion service");
  }
  if (!options.proxy.empty() && !fits_centralized({relay, proxy})) {
    refuse(
        "'" + harmless(options.proxy) +
        "' is no address of a proxy for it: HOST:PORT, and on this machine for an onion service");
  }
}

std::uint64_t use_relay(wherry::Profile& profile, const InitOptions& options) {
  wherry::Settings settings = {{"relay", options.relay}};
  if (!options.proxy.empty()) settings.emplace_back("proxy", options.proxy);
  try {
    return add_started(profile, "centralized", settings);
  } catch (const wherry::Error& error) {
    throw wherry::Error(
        error.status(), error.reason(),
        std::string(error.what()) + "\nThe profile is made, and needs no other init");
  }
}

void wait_for_relay(wherry::Profile& profile, std::uint64_t transport, const InitOptions& options) {
  const Interrupt interrupt;
  try {
    wait_online(profile, transport, std::chrono::seconds(options.timeout_s), interrupt);
  } catch (const Failure& failure) {
    throw Failure(failure.code(),
                  std::string(failure.what()) + "\nThe profile is made, and tries " +
                      harmless(options.relay) +
                      " whenever it is open. Another one: wherry transports set centralized "
                      "relay=ENDPOINT");
  }
}

// Whether a network keeps this person's keys for whoever holds the card. Without them nobody can
// write first.
bool can_carry_cards(const wherry::Profile& profile, const std::string& network) {
  const auto about = nlohmann::json::parse(profile.describe_transport(network));
  return (about.at("abilities").get<std::uint32_t>() & WHERRY_ABILITY_BUNDLES) != 0;
}

struct CardTransport {
  std::uint64_t id = 0;
  std::string name;
};

// The transport that a card leads to: the one that was named, or the only one that can carry cards.
CardTransport card_transport(const wherry::Profile& profile, const std::string& which) {
  const auto page = profile.transports();
  const bool any = which.empty() && !page.empty();
  const std::uint64_t named = any ? 0 : find_transport(profile, which);
  std::vector<CardTransport> fit;
  for (const wherry_transport_info& info : page) {
    if ((any || info.transport == named) && can_carry_cards(profile, info.name)) {
      fit.push_back({info.transport, info.name});
    }
  }
  if (fit.empty()) {
    throw Failure(exit_usage,
                  (any ? "none of your networks" : "'" + harmless(which) + "' is no network that") +
                      " can be named in a card: it has to keep your keys while you are away, as a "
                      "relay does: wherry transports add centralized relay=ENDPOINT");
  }
  if (fit.size() > 1) throw Failure(exit_usage, "which transport? give --transport NAME");
  return fit.front();
}

}  // namespace

void init_profile(const App& app, const InitOptions& options) {
  if (!options.relay.empty()) check_relay(options);
  wherry::Profile profile = create_profile(app);
  const wherry::Identity identity = profile.identity();
  nlohmann::ordered_json result = {{"profile", profile_directory(app)},
                                   {"identity", base64_encode(identity.data(), identity.size())}};
  if (!options.relay.empty()) {
    const std::uint64_t transport = use_relay(profile, options);
    wait_for_relay(profile, transport, options);
    result["transport"] = std::to_string(transport);
  }
  if (app.json) {
    std::cout << result.dump() << "\n";
    return;
  }
  std::cout << "A new profile is in " << harmless(profile_directory(app)) << "\nIdentity "
            << hex(identity) << "\n";
  std::cout << (options.relay.empty()
                    ? "Next: wherry transports add centralized relay=ENDPOINT\n"
                    : "The relay answers. Next: wherry card, and give the card to a friend.\n");
}

void make_card(const App& app, const CardOptions& options) {
  const Interrupt interrupt;
  wherry::Profile profile = open_profile(app);
  const CardTransport transport = card_transport(profile, options.transport);
  wait_online(profile, transport.id, std::chrono::seconds(options.timeout_s), interrupt);
  const std::string text =
      profile.make_card(transport.id, std::chrono::hours(24) * options.valid_days);
  profile.close();  // before the card is shown: by then its keys are where its holder looks
  if (app.json) {
    std::cout << nlohmann::ordered_json{{"card", text}, {"transport", std::to_string(transport.id)}}
                     .dump()
              << "\n";
  } else {
    std::cerr << "This card leads to you by " << transport.name << ":" << std::endl;
    std::cout << text << "\n";
  }
}

}  // namespace cli
