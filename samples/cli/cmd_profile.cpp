// wherry init, wherry card: making a profile, and the card that others need to write to it.
#include <iostream>
#include <nlohmann/json.hpp>

#include "base64.h"
#include "commands.h"
#include "feed.h"
#include "text.h"

namespace cli {

void init_profile(const App& app, const InitOptions& options) {
  const Interrupt interrupt;
  wherry::Profile profile = create_profile(app);
  const wherry::Identity identity = profile.identity();
  nlohmann::ordered_json result = {{"profile", profile_directory(app)},
                                   {"identity", base64_encode(identity.data(), identity.size())}};
  if (!options.relay.empty()) {
    wherry::Settings settings = {{"relay", options.relay}};
    if (!options.proxy.empty()) settings.emplace_back("proxy", options.proxy);
    const std::uint64_t transport = profile.add_transport("centralized", settings);
    profile.start_transport(transport);
    wait_online(profile, transport, std::chrono::seconds(options.timeout_s), interrupt);
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
