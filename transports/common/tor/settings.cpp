// Settings of a tor, parsed.
#include "settings.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "local_socket.h"

namespace wherry::transports::tor {
namespace {

constexpr const char* kFolderName = "folder-name";
constexpr const char* kProgram = "tor";

constexpr wherry_setting_description kSettings[] = {
    {"tor", WHERRY_SETTING_TEXT, kProgram, "The program to start: a path, or a name in PATH"},
    {"folder", WHERRY_SETTING_TEXT, "",
     "Where tor keeps its state, such as its guards: a path; empty: in the user's "
     "~/.local/state/wherry"},
    {"bridges", WHERRY_SETTING_TEXT, "",
     "Bridge lines with semicolons between, where the Tor network is blocked; empty: none"},
    {"bridge_program", WHERRY_SETTING_TEXT, "",
     "What the bridges' transport is made by, as \"obfs4 exec /usr/bin/obfs4proxy\"; empty: none"},
    {"torrc", WHERRY_SETTING_TEXT, "",
     "A file with more lines of a torrc, for what has no setting here; empty: none"},
    {"control", WHERRY_SETTING_ADDRESS, "",
     "The control port of a tor that runs already, ADDRESS:PORT or unix:/path; empty: one is "
     "started"},
    {"control_password", WHERRY_SETTING_TEXT, "",
     "The password of that; empty: the cookie that tor has written"},
};

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\n\r\0", 3)) != std::string_view::npos;
}

// "obfs4 1.2.3.4:443 ...; obfs4 5.6.7.8:443 ..." as lines of a torrc.
std::string bridge_lines(std::string_view bridges, std::string_view program) {
  std::string lines = "UseBridges 1\n";
  if (!program.empty()) lines += "ClientTransportPlugin " + std::string(program) + "\n";
  while (!bridges.empty()) {
    const std::size_t end = bridges.find(';');
    std::string_view one = bridges.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (!one.empty()) lines += "Bridge " + std::string(one) + "\n";
    if (end == std::string_view::npos) break;
    bridges.remove_prefix(end + 1);
  }
  return lines;
}

// Of an instance with this name; empty: the user has no home.
std::string default_folder(const std::string& name) {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/wherry/tor-" + name;
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return "";
  return std::string(home) + "/.local/state/wherry/tor-" + name;
}

}  // namespace

std::span<const wherry_setting_description> setting_descriptions() {
  return kSettings;
}

std::vector<wherry_setting_description> joined(std::span<const wherry_setting_description> first,
                                               std::span<const wherry_setting_description> second) {
  std::vector<wherry_setting_description> all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

bool SettingsReader::take(std::string_view name, std::string_view value) {
  std::string* const place = name == "tor"                ? &settings_.own.program
                             : name == "folder"           ? &settings_.own.folder
                             : name == "bridges"          ? &bridges_
                             : name == "bridge_program"   ? &bridge_program_
                             : name == "torrc"            ? &torrc_
                             : name == "control"          ? &settings_.control
                             : name == "control_password" ? &settings_.password
                                                          : nullptr;
  if (place == nullptr) return false;
  *place = value;
  if (settings_.own.program.empty()) settings_.own.program = kProgram;
  if (has_line_break(value)) broken_ = name;
  return true;
}

std::string SettingsReader::first_set() const {
  if (settings_.own.program != kProgram) return "tor";
  if (!settings_.own.folder.empty()) return "folder";
  if (!bridges_.empty()) return "bridges";
  if (!bridge_program_.empty()) return "bridge_program";
  if (!torrc_.empty()) return "torrc";
  if (!settings_.control.empty()) return "control";
  return settings_.password.empty() ? "" : "control_password";
}

std::optional<TorSettings> SettingsReader::finish(std::string& error) const {
  if (!broken_.empty()) {
    error = "setting " + broken_ + ": has to be one line";
    return std::nullopt;
  }
  TorSettings parsed = settings_;
  const bool runs = !parsed.control.empty();
  if (!parsed.own.folder.empty() && !parsed.own.folder.starts_with('/')) {
    error = "setting folder: not a path from /";
    return std::nullopt;
  }
  if (!runs && parsed.own.folder.empty() && default_folder("").empty()) {
    error = "setting folder: this user has no home: say where tor keeps its state";
    return std::nullopt;
  }
  if (runs && !is_of_this_machine(parsed.control)) {
    error =
        "setting control: not unix:/path, or an address of this machine's own, as 127.0.0.1:9051";
    return std::nullopt;
  }
  if (runs && (!bridges_.empty() || !torrc_.empty() || !parsed.own.folder.empty())) {
    error =
        "setting control: a tor that runs already has its own folder, bridges and torrc: clear " +
        std::string(!parsed.own.folder.empty() ? "folder="
                    : !torrc_.empty()          ? "torrc="
                                               : "bridges=");
    return std::nullopt;
  }
  if (!bridges_.empty()) parsed.own.more = bridge_lines(bridges_, bridge_program_);
  if (!torrc_.empty()) {
    std::ifstream file(torrc_);
    std::stringstream text;
    if (!file || !(text << file.rdbuf())) {
      error = "setting torrc: " + torrc_ + " can not be read";
      return std::nullopt;
    }
    parsed.own.more += text.str() + "\n";
  }
  return parsed;
}

void choose_folder(TorSettings& settings, const wherry_transport_host_api& api,
                   wherry_transport_host* host) {
  if (!settings.own.folder.empty() || !settings.control.empty()) return;
  Seed name{};
  if (api.state_get(host, kFolderName, name.data(), name.size()) !=
      static_cast<std::int64_t>(name.size())) {
    random_bytes(name);
    api.state_set(host, kFolderName, {name.data(), name.size()});
  }
  settings.own.folder = default_folder(base64url(std::span(name).first(12)));
}

}  // namespace wherry::transports::tor
