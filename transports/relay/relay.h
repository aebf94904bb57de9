// The relay as a program: everything wired together, from a data directory to a listening port.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "limits.h"
#include "transports/common/relay_address.h"

namespace wherry::relay {

struct RelayOptions {
  std::filesystem::path data;
  transports::Authority listen;                    // port 0: any
  std::optional<transports::Authority> advertise;  // what the address names; default: listen
  Quotas quotas;
  std::size_t memory_max = std::size_t{256} * 1024 * 1024;  // of queues and buffers, about
  std::uint32_t database_pages_max = 0;                     // of 4 KiB; 0: no bound
  bool full_sync = true;
};

class Relay {
 public:
  virtual ~Relay() = default;
  // What clients configure.
  virtual const transports::RelayAddress& address() const = 0;
  // Called about once a second.
  virtual void tick() = 0;
  // Reads nothing more, commits and answers what was read, says goodbye, ends every stream.
  virtual void drain() = 0;
};

// Null when it cannot, with one line for the operator in `error`.
[[nodiscard]] std::unique_ptr<Relay> start_relay(const RelayOptions& options, std::string& error);

}  // namespace wherry::relay
