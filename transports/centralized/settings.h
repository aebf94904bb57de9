// What the user configures, parsed; and what that reveals.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "include/wherry/transport.h"
#include "transports/common/relay_address.h"
#include "transports/common/tor/tor_provider.h"

namespace wherry::transports::centralized {

struct ClientSettings {
  RelayAddress relay;
  std::optional<Authority> proxy;       // SOCKS5; it resolves the relay's name
  std::optional<tor::TorSettings> tor;  // by which a relay that is an onion service is reached
};

// Empty when a setting is missing or malformed, with one line in `error`.
[[nodiscard]] std::optional<ClientSettings> parse_settings(const wherry_setting* settings,
                                                           std::size_t count, std::string& error);

// Who learns what on the way to and from the relay. The same for every endpoint, since all are at
// the one relay, and for listening, which is logging in there.
[[nodiscard]] wherry_reveals reveals_of(const ClientSettings& settings);

// The superset of every answer of reveals_of.
[[nodiscard]] wherry_reveals reveals_at_worst();

}  // namespace wherry::transports::centralized
