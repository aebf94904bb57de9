// wherry transports: the networks that a profile uses.
#include <wherry/transport.h>

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "enum_names.h"
#include "feed.h"
#include "plugins.h"
#include "reveals_text.h"
#include "text.h"

namespace cli {
namespace {

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

// As the library describes a plug-in, which it does for an open profile only.
nlohmann::ordered_json description_of(const wherry_transport_plugin& plugin) {
  const wherry_transport_description& about = *plugin.describe();
  nlohmann::ordered_json settings = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < about.setting_count; ++i) {
    const wherry_setting_description& one = about.settings[i];
    const nlohmann::ordered_json preset = one.default_value == nullptr
                                              ? nlohmann::ordered_json()
                                              : nlohmann::ordered_json(one.default_value);
    settings.push_back(
        {{"name", one.name}, {"type", one.type}, {"default", preset}, {"help", one.help}});
  }
  return {{"name", about.name},
          {"version", about.version},
          {"help", about.help},
          {"architecture", about.architecture},
          {"abilities", about.abilities},
          {"latency", about.latency},
          {"envelope_size_max", about.envelope_size_max},
          {"reveals", about.reveals_worst.facts},
          {"settings", settings}};
}

// What `describe` says to people: the settings first, since they are asked for.
void print_description(const nlohmann::ordered_json& about) {
  std::cout << about.at("name").get<std::string>() << ": " << about.at("help").get<std::string>()
            << "\n\nSettings:\n";
  for (const auto& setting : about.at("settings")) {
    std::cout << "  " << setting.at("name").get<std::string>() << "  "
              << setting.at("help").get<std::string>();
    const auto& preset = setting.at("default");
    if (preset.is_string() && !preset.get<std::string>().empty()) {
      std::cout << " (" << preset.get<std::string>() << ")";
    }
    std::cout << "\n";
  }
  wherry_reveals worst{};
  const auto& facts = about.at("reveals");
  for (std::size_t i = 0; i < facts.size() && i < WHERRY_OBSERVER_ROOM; ++i) {
    worst.facts[i] = facts[i].get<std::uint32_t>();
  }
  std::cout << "\nReveals at worst:\n";
  print_reveals(worst, "  ");
  std::cout << "\nAn envelope has at most " << about.at("envelope_size_max") << " bytes.\n";
}

// Says also if it does not work: nobody looks who was told that all is done.
void done(const App& app, wherry::Profile& profile, std::uint64_t transport, const char* what) {
  if (app.json) {
    std::cout << nlohmann::json{{"transport", std::to_string(transport)}}.dump() << "\n";
    return;
  }
  std::cout << "transport " << transport << " " << what << std::endl;
  const Feed feed = show_progress(profile, transport);
  for (const wherry_transport_info& info : profile.transports()) {
    if (info.transport != transport || info.reason == WHERRY_REASON_NONE) continue;
    std::cerr << "wherry: it does not work now: " << why_text(info.reason, feed.phase(transport))
              << "\n";
    if (info.reason == WHERRY_REASON_PERMITS) {  // which are not waited for
      std::cerr << "  " << remedy_of_permits(harmless(info.name)) << "\n";
      continue;
    }
    std::cerr << "  `wherry listen` goes on trying; `wherry doctor` says how to mend it\n";
  }
}

}  // namespace

void list_transports(const App& app) {
  wherry::Profile profile = open_profile(app);
  const Feed feed = settled(profile);
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
    if (info.reason != WHERRY_REASON_NONE) {
      std::cout << "  " << why_text(info.reason, feed.phase(info.transport));
    }
    std::cout << "\n";
  }
}

void add_transport(const App& app, const TransportOptions& options) {
  const wherry::Settings settings = parse_settings(options.settings);
  find_plugin(options.which);
  wherry::Profile profile = open_profile(app);
  const std::uint64_t transport = add_started(profile, options.which, settings);
  done(app, profile, transport, "is added and started");
}

void set_transport(const App& app, const TransportOptions& options) {
  const wherry::Settings settings = parse_settings(options.settings);
  if (settings.empty()) {
    throw Failure(exit_usage,
                  "there is nothing to change: NAME=VALUE is missing, as `wherry "
                  "transports describe " +
                      harmless(options.which) + "` lists them");
  }
  wherry::Profile profile = open_profile(app);
  const std::uint64_t transport = find_transport(profile, options.which);
  profile.set_transport(transport, settings);
  done(app, profile, transport, "is changed");
}

void start_transport(const App& app, const TransportOptions& options) {
  wherry::Profile profile = open_profile(app);
  const std::uint64_t transport = find_transport(profile, options.which);
  try {
    profile.start_transport(transport);
  } catch (const wherry::Error& error) {
    if (error.status() != WHERRY_E_PERMITS) throw;
    throw wherry::Error(
        error.status(), error.reason(),
        std::string(error.what()) + "\n" + remedy_of_permits(harmless(options.which)));
  }
  done(app, profile, transport, "is started");
}

void stop_transport(const App& app, const TransportOptions& options) {
  wherry::Profile profile = open_profile(app);
  const std::uint64_t transport = find_transport(profile, options.which);
  profile.stop_transport(transport);
  done(app, profile, transport, "is stopped");
}

void describe_transport(const App& app, const TransportOptions& options) {
  const nlohmann::ordered_json about = description_of(find_plugin(options.which));
  if (app.json) {
    std::cout << about.dump() << "\n";
  } else {
    print_description(about);
  }
}

}  // namespace cli
