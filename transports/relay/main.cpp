// wherry-relay: the command line of the relay.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>

#include "relay.h"
#include "transports/common/tor/settings.h"

namespace {

using wherry::relay::RelayOptions;
using wherry::transports::parse_authority;
using wherry::transports::RelayAddress;
using wherry::transports::tor::SettingsReader;
using wherry::transports::tor::TorSettings;

struct CommandLine {
  RelayOptions options;
  std::string data;
  std::string listen;
  std::string advertise;
  bool onion = false;
  std::string tor = "tor";
  std::string torrc;
  std::string control;
  std::string log_level = "info";
  std::size_t memory_mib = 256;
  std::size_t database_mib = 0;
  std::int64_t time_to_live_days = 21;
  bool fast_sync = false;
};

std::string check_authority(const std::string& text, bool allow_port_0) {
  return parse_authority(text, allow_port_0) ? "" : "not HOST:PORT or [IPV6]:PORT: " + text;
}

std::string check_advertised(const std::string& text) {
  const auto authority = parse_authority(text, true);
  if (authority && wherry::transports::is_onion_name(authority->host)) {
    return "an onion service of your own tor: let the relay be one by --onion";
  }
  if (text.size() <= wherry::transports::kRelayAuthorityInCardMax)
    return check_authority(text, true);
  return "longer than " + std::to_string(wherry::transports::kRelayAuthorityInCardMax) +
         " characters: contact cards have no room for it, give the relay a shorter name";
}

constexpr const char* kPassword = "WHERRY_RELAY_CONTROL_PASSWORD";

constexpr std::size_t kOnionDatabaseMib = 4096;

constexpr int kWrongArguments = 1;
constexpr int kCannotStart = 2;

void declare(CLI::App& app, CommandLine& line) {
  app.footer(
      "\nExit codes: 0 stopped by SIGTERM or SIGINT; 1 wrong arguments; 2 it can not start "
      "(address in "
      "use, disk, another relay on the same data).");
  app.set_version_flag("--version", std::string("wherry-relay ") + WHERRY_RELAY_VERSION);
  app.add_option("--data", line.data,
                 "Directory of the key and the database; made if missing (required)");
  app.add_option("--listen", line.listen,
                 "HOST:PORT to listen at; port 0: any free one; not needed with --onion")
      ->check([](const std::string& text) { return check_authority(text, true); });
  app.add_option("--advertise", line.advertise,
                 "HOST:PORT that clients dial, if it differs from --listen; port 0: as listened")
      ->needs("--listen")
      ->check([](const std::string& text) { return check_advertised(text); });
  app.add_flag(
      "--onion", line.onion,
      "Be an onion service, which clients reach over Tor and nobody can locate; its key is "
      "onion.key in the data directory");
  app.add_option("--tor", line.tor, "Of that: the program tor that is started")
      ->needs("--onion")
      ->capture_default_str();
  app.add_option("--torrc", line.torrc, "Of that: a file with more lines of a torrc, as bridges")
      ->needs("--onion");
  app.add_option("--control", line.control,
                 std::string("Of that: the control port of a tor that runs already, unix:/path or "
                             "127.0.0.1:PORT; its password, if it has one, in the variable ") +
                     kPassword)
      ->needs("--onion");
  auto& quotas = line.options.quotas;
  app.add_option("--inbox-envelopes", quotas.inbox_envelopes_max, "Most envelopes in one inbox")
      ->check(CLI::Range(1U, 1000000U))
      ->capture_default_str();
  app.add_option("--time-to-live-days", line.time_to_live_days,
                 "How long an envelope waits for its reader")
      ->check(CLI::Range(1, 365))
      ->capture_default_str();
  app.add_option("--rate", quotas.address_envelopes_per_second,
                 "Envelopes a second that one network address may send")
      ->check(CLI::Range(1U, 10000000U))
      ->capture_default_str();
  app.add_option("--tor-connections", quotas.tor_connections_max,
                 "Connections over Tor at once; beyond, the oldest has to go")
      ->check(CLI::Range(1U, 100000U))
      ->capture_default_str();
  app.add_option("--memory-mib", line.memory_mib,
                 "Bound of queues, buffers and readers' windows, about")
      ->check(CLI::Range(32, 1048576))
      ->capture_default_str();
  app.add_option("--database-mib", line.database_mib,
                 "Bound of the database file; 0: the disk's, but " +
                     std::to_string(kOnionDatabaseMib) +
                     " with --onion, where nobody knows who fills it")
      ->check(CLI::Range(0, 4194303))
      ->capture_default_str();
  app.add_flag("--fast-sync", line.fast_sync,
               "Do not wait for the disk: a power failure may lose acknowledged envelopes");
  app.add_option("--log-level", line.log_level, "What is logged to standard error")
      ->check(CLI::IsMember({"error", "warn", "info", "debug"}))
      ->capture_default_str();
}

// Which tor makes it an onion service. None: `error` says why.
std::optional<TorSettings> tor_settings(const CommandLine& line, std::string& error) {
  SettingsReader reader;
  reader.take("tor", line.tor);
  reader.take("torrc", line.torrc);
  reader.take("control", line.control);
  const char* password = std::getenv(kPassword);
  reader.take("control_password", password != nullptr ? password : "");
  if (line.control.empty()) {
    reader.take("folder", (std::filesystem::absolute(line.data) / "tor").string());
  }
  return reader.finish(error);
}

// Throws CLI::ValidationError.
void finish(CommandLine& line) {
  RelayOptions& options = line.options;
  options.data = line.data;
  // Not by the parser, which would name it before an option that it does not know.
  if (line.data.empty()) throw CLI::ValidationError("--data", "give the relay's directory");
  if (line.listen.empty() && !line.onion) {
    throw CLI::ValidationError("nobody could come", "give --listen HOST:PORT, --onion, or both");
  }
  if (line.onion) {
    std::string error;
    options.onion = tor_settings(line, error);
    if (!options.onion) throw CLI::ValidationError("--onion", error);
  }
  if (!line.listen.empty()) options.listen = parse_authority(line.listen, true);
  if (!line.advertise.empty()) options.advertise = parse_authority(line.advertise, true);
  options.memory_max = line.memory_mib * 1024 * 1024;
  if (line.onion && line.database_mib == 0) line.database_mib = kOnionDatabaseMib;
  options.database_pages_max = static_cast<std::uint32_t>(line.database_mib * 256);
  options.quotas.envelope_time_to_live_s = line.time_to_live_days * 86400;
  options.full_sync = !line.fast_sync;
}

// Each connection over Tor has two.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A way in is open.
void announce(const RelayAddress& address) {
  std::puts(to_text(address).c_str());
  std::fflush(stdout);
  const std::string& host = address.authority.host;
  if (host == "0.0.0.0" || host == "::") {
    spdlog::warn("nobody can connect to {}: give the address for clients by --advertise", host);
  }
}

// Runs until one of `signals` comes.
void serve(wherry::relay::Relay& relay, const sigset_t& signals) {
  const timespec second{1, 0};
  while (true) {
    const int signal = sigtimedwait(&signals, nullptr, &second);
    if (signal > 0) {
      spdlog::info("{} received: committing what is queued",
                   signal == SIGTERM ? "SIGTERM" : "SIGINT");
      return;
    }
    relay.tick();
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "The relay of Wherry's centralized network: keeps sealed envelopes until their "
      "reader fetches them. Prints its address on one line when it is ready, and another one, of "
      "its onion service, when that can be found.");
  CommandLine line;
  declare(app, line);
  try {
    app.parse(argc, argv);
    finish(line);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongArguments;
  }
  // The log has this program's own words; whoever wants gRPC's too sets the variable.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("wherry-relay"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(line.log_level));

  // Blocked before any thread starts, so that they come to serve() alone.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  raise_descriptor_limit();
  std::string error;
  line.options.on_open = announce;
  const auto relay = wherry::relay::start_relay(line.options, error);
  if (!relay) {
    spdlog::error("{}", error);
    return kCannotStart;
  }
  spdlog::info("ready");
  serve(*relay, signals);
  relay->drain();
  spdlog::info("stopped");
  return 0;
}
