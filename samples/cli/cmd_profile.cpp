// wherry init, wherry card: making a profile, and the card that others need to write to it.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base64.h"
#include "commands.h"
#include "feed.h"
#include "text.h"

namespace cli {
namespace {

struct InitOptions {
  std::string relay;
  std::string proxy;
  unsigned timeout_s = 15;
};

struct CardOptions {
  std::string transport;
  unsigned valid_days = 30;
  unsigned timeout_s = 15;
};

void init(App& app, const InitOptions& options) {
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

void card(App& app, const CardOptions& options) {
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

}  // namespace

void add_init(CLI::App& parent, App& app) {
  CLI::App* command = add_command(
      parent, app, "init", "Make a new profile with a new identity",
      "  wherry init --relay wr1:relay.example:7443/KEY\n"
      "  wherry init --profile /tmp/alice --passphrase-file alice.txt --relay \"$RELAY\"");
  auto options = std::make_shared<InitOptions>();
  command->add_option("--relay", options->relay, "The relay to use, as wherry-relay prints it")
      ->type_name("ENDPOINT");
  command->add_option("--proxy", options->proxy, "Reach the relay through this SOCKS5 proxy")
      ->type_name("HOST:PORT")
      ->needs("--relay");
  command->add_option("--timeout", options->timeout_s, "How long to wait for the relay, in seconds")
      ->capture_default_str();
  command->callback([&app, options] { init(app, *options); });
}

void add_card(CLI::App& parent, App& app) {
  CLI::App* command =
      add_command(parent, app, "card", "Print a contact card, which lets its holder write to you",
                  "  wherry card\n"
                  "  wherry card --valid 7 | qrencode -t utf8");
  auto options = std::make_shared<CardOptions>();
  command->add_option("--valid", options->valid_days, "For how many days")
      ->check(CLI::Range(1, 365))
      ->capture_default_str();
  command->add_option("--transport", options->transport, "The network it leads to")
      ->type_name("NAME");
  command->add_option("--timeout", options->timeout_s, "How long to wait for it, in seconds")
      ->capture_default_str();
  command->callback([&app, options] { card(app, *options); });
}

}  // namespace cli
