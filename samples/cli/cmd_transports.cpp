// wherry transports: the networks that a profile uses.
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "enum_names.h"
#include "feed.h"
#include "text.h"

namespace cli {
namespace {

struct TransportOptions {
  std::string which;
  std::vector<std::string> settings;  // NAME=VALUE
};

wherry::Settings parse_settings(const std::vector<std::string>& given) {
  wherry::Settings settings;
  for (const std::string& setting : given) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Failure(exit_usage, "a setting is written NAME=VALUE, not " + harmless(setting));
    }
    settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return settings;
}

void done(const App& app, std::uint64_t transport, const char* what) {
  if (app.json) {
    std::cout << nlohmann::json{{"transport", std::to_string(transport)}}.dump() << "\n";
  } else {
    std::cout << "transport " << transport << " " << what << "\n";
  }
}

void list(const App& app) {
  const wherry::Profile profile = open_profile(app);
  const auto page = profile.transports();
  if (app.json) {
    std::cout << page.json() << "\n";
    return;
  }
  if (page.empty()) {
    std::cout << "No transports yet: wherry transports add centralized relay=ENDPOINT\n";
  }
  for (const wherry_transport_info& info : page) {
    std::cout << std::setw(4) << info.transport << "  " << info.name << "  "
              << (info.started != 0 ? transport_state_name(info.state) : "stopped");
    if (info.reason != WHERRY_REASON_NONE) std::cout << "  " << wherry_reason_text(info.reason);
    std::cout << "\n";
  }
}

void describe(const App& app, const TransportOptions& options) {
  const wherry::Profile profile = open_profile(app);
  const std::string text = profile.describe_transport(options.which);
  std::cout << (app.json ? text : nlohmann::ordered_json::parse(text).dump(2)) << "\n";
}

void add(const App& app, const TransportOptions& options) {
  const wherry::Settings settings = parse_settings(options.settings);
  wherry::Profile profile = open_profile(app);
  const std::uint64_t transport = profile.add_transport(options.which, settings);
  profile.start_transport(transport);
  done(app, transport, "is added and started");
}

void set(const App& app, const TransportOptions& options) {
  const wherry::Settings settings = parse_settings(options.settings);
  wherry::Profile profile = open_profile(app);
  const std::uint64_t transport = find_transport(profile, options.which);
  profile.set_transport(transport, settings);
  done(app, transport, "is changed");
}

void start(const App& app, const TransportOptions& options) {
  wherry::Profile profile = open_profile(app);
  const std::uint64_t transport = find_transport(profile, options.which);
  profile.start_transport(transport);
  done(app, transport, "is started");
}

void stop(const App& app, const TransportOptions& options) {
  wherry::Profile profile = open_profile(app);
  const std::uint64_t transport = find_transport(profile, options.which);
  profile.stop_transport(transport);
  done(app, transport, "is stopped");
}

using Action = void (*)(const App&, const TransportOptions&);

void add_action(CLI::App& parent, App& app, const std::string& name, const std::string& description,
                const std::string& examples, bool has_settings, Action action) {
  CLI::App* command = add_command(parent, app, name, description, examples);
  auto options = std::make_shared<TransportOptions>();
  command->add_option("transport", options->which, "A plug-in's name or a transport's number")
      ->required();
  if (has_settings) {
    command->add_option("settings", options->settings, "NAME=VALUE, as `describe` lists them");
  }
  command->callback([&app, options, action] { action(app, *options); });
}

}  // namespace

void add_transports(CLI::App& parent, App& app) {
  CLI::App* command = add_command(parent, app, "transports", "List and change the networks in use",
                                  "  wherry transports\n"
                                  "  wherry transports add centralized relay=ENDPOINT");
  command->require_subcommand(0, 1);
  CLI::App* listing = add_command(*command, app, "list", "List them, with their states",
                                  "  wherry transports list --json");
  listing->callback([&app] { list(app); });
  add_action(*command, app, "add", "Configure a transport and start it",
             "  wherry transports add centralized relay=wr1:relay.example:7443/KEY", true, &add);
  add_action(*command, app, "set", "Change settings of a transport",
             "  wherry transports set centralized proxy=127.0.0.1:9050", true, &set);
  add_action(*command, app, "start", "Start a transport, now and whenever the profile is opened",
             "  wherry transports start 1", false, &start);
  add_action(*command, app, "stop", "Stop a transport until it is started again",
             "  wherry transports stop 1", false, &stop);
  add_action(*command, app, "describe", "What a plug-in is, can do and reveals, and its settings",
             "  wherry transports describe centralized", false, &describe);
  command->callback([&app, command] {
    if (command->get_subcommands().empty()) list(app);
  });
}

}  // namespace cli
