// The relay as a program: everything wired together, from a data directory to open doors.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "limits.h"
#include "transports/common/relay_address.h"
#include "transports/common/tor/tor_provider.h"

namespace wherry::relay {

struct RelayOptions {
  std::filesystem::path data;
  std::optional<transports::Authority> listen;        // port 0: any
  std::optional<transports::Authority> advertise;     // what the address names; default: listen
  std::optional<transports::tor::TorSettings> onion;  // it is an onion service too, by this tor
  // A way in is open: what clients configure. Once for each, on any thread.
  std::function<void(const transports::RelayAddress&)> on_open = [](const auto&) {};
  Quotas quotas;
  std::size_t memory_max = std::size_t{256} * 1024 * 1024;  // of queues and buffers, about
  std::uint32_t database_pages_max = 0;                     // of 4 KiB; 0: no bound
  bool full_sync = true;
};

class Relay {
 public:
  virtual ~Relay() = default;
  // What clients configure who do not come over Tor; none: it listens nowhere.
  virtual const std::optional<transports::RelayAddress>& address() const = 0;
  // Called about once a second.
  virtual void tick() = 0;
  // Reads nothing more, commits and answers what was read, says goodbye, ends every stream.
  virtual void drain() = 0;
};

// Null when it cannot, with one line for the operator in `error`.
[[nodiscard]] std::unique_ptr<Relay> start_relay(const RelayOptions& options, std::string& error);

}  // namespace wherry::relay
