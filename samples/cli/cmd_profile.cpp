// wherry init, wherry card: making a profile, and the card that others need to write to it.
#include <iostream>
#include <nlohmann/json.hpp>

#include "base64.h"
#include "commands.h"
#include "feed.h"
#include "text.h"

namespace cli {

namespace {

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

}  // namespace

void init_profile(const App& app, const InitOptions& options) {
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
  const std::uint64_t transport = find_transport(profile, options.transport);
  wait_online(profile, transport, std::chrono::seconds(options.timeout_s), interrupt);
  const std::string text =
      profile.make_card(transport, std::chrono::hours(24) * options.valid_days);
  profile.close();  // before the card is shown: by then its keys are where its holder looks
  if (app.json) {
    std::cout << nlohmann::json{{"card", text}}.dump() << "\n";
  } else {
    std::cout << text << "\n";
  }
}

}  // namespace cli
