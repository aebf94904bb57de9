// Settings and what they reveal.
#include "settings.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>

#include "transports/common/tor/local_socket.h"

namespace wherry::transports::onion {
namespace {

// Whoever is on the way to the Tor network sees that this machine uses it, when and how much; not
// what for.
constexpr std::uint32_t kPackets =
    WHERRY_FACT_MY_IP | WHERRY_FACT_TIMING | WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
// The other person has an address of mine that stays the same, sees whether it answers, and gets
// envelopes.
constexpr std::uint32_t kPerson = WHERRY_FACT_USE | WHERRY_FACT_STABLE_ID | WHERRY_FACT_TIMING |
                                  WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
// Directories keep descriptors of services whose names change each day, and see that one is kept up
// or asked for.
constexpr std::uint32_t kDirectory = WHERRY_FACT_TIMING | WHERRY_FACT_PRESENCE;

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

}  // namespace

std::optional<NodeSettings> parse_settings(const wherry_setting* settings, std::size_t count,
                                           std::string& error) {
  NodeSettings parsed;
  std::string bridges;
  std::string bridge_program;
  std::string torrc;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = settings[i].name;
    const std::string value = settings[i].value;
    if (has_line_break(value)) {
      error = "setting " + std::string(name) + ": has to be one line";
      return std::nullopt;
    }
    if (name == "tor") parsed.program = value;
    if (name == "folder") parsed.folder = value;
    if (name == "control") parsed.control = value;
    if (name == "control_password") parsed.password = value;
    if (name == "bridges") bridges = value;
    if (name == "bridge_program") bridge_program = value;
    if (name == "torrc") torrc = value;
    if (name == "share") parsed.share = value == "true";
    if (name == "services") {
      const char* end = value.data() + value.size();
      const auto [at, status] = std::from_chars(value.data(), end, parsed.services);
      if (status != std::errc() || at != end || parsed.services < 1 ||
          parsed.services > kServicesMax) {
        error = "setting services: not a number from 1 to " + std::to_string(kServicesMax);
        return std::nullopt;
      }
    }
  }
  if (!parsed.folder.empty() && !parsed.folder.starts_with('/')) {
    error = "setting folder: not a path from /";
    return std::nullopt;
  }
  if (parsed.control.empty() && parsed.folder.empty() && default_folder("").empty()) {
    error = "setting folder: this user has no home: say where tor keeps its state";
    return std::nullopt;
  }
  if (!parsed.control.empty() && !tor::is_of_this_machine(parsed.control)) {
    error =
        "setting control: not unix:/path, or an address of this machine's own, as 127.0.0.1:9051";
    return std::nullopt;
  }
  if (!parsed.control.empty() && (!bridges.empty() || !torrc.empty() || !parsed.folder.empty())) {
    error = "setting control: a tor that runs already has its own folder, bridges and torrc";
    return std::nullopt;
  }
  if (!bridges.empty()) parsed.more = bridge_lines(bridges, bridge_program);
  if (!torrc.empty()) {
    std::ifstream file(torrc);
    std::stringstream text;
    if (!file || !(text << file.rdbuf())) {
      error = "setting torrc: " + torrc + " can not be read";
      return std::nullopt;
    }
    parsed.more += text.str() + "\n";
  }
  return parsed;
}

std::string default_folder(const std::string& name) {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/wherry/tor-" + name;
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return "";
  return std::string(home) + "/.local/state/wherry/tor-" + name;
}

wherry_reveals reveals_of(const NodeSettings& settings) {
  wherry_reveals reveals{};
  reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] = kPerson;
  // Two contacts who compare see that they have the same address.
  if (settings.share) {
    reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] |= WHERRY_FACT_INBOXES_TOGETHER;
  }
  reveals.facts[WHERRY_OBSERVER_DIRECTORY] = kDirectory;
  reveals.facts[WHERRY_OBSERVER_LOCAL_NETWORK] = kPackets;
  reveals.facts[WHERRY_OBSERVER_NETWORK] = kPackets;
  reveals.facts[WHERRY_OBSERVER_PROXY] = kPackets;  // tor's entry: a guard or a bridge
  return reveals;
}

wherry_reveals reveals_at_worst() {
  NodeSettings settings;
  settings.share = true;
  return reveals_of(settings);
}

}  // namespace wherry::transports::onion
