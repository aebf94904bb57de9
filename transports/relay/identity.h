// The relay's key, which its address pins, and a certificate made from it at each start. Clients
// look at the key alone, so that a new certificate changes nothing for them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "transports/common/relay_address.h"
#include "transports/common/tor/provider.h"

namespace wherry::relay {

struct Identity {
  std::string key_pem;
  std::string certificate_pem;
  transports::Pin pin{};
};

// Reads DIRECTORY/relay.key, or makes it (ECDSA P-256, readable by the owner alone). Empty when it
// cannot, with one line for the operator in `error`.
[[nodiscard]] std::optional<Identity> load_identity(const std::filesystem::path& directory,
                                                    std::string& error);

// The key of the relay's onion service: reads DIRECTORY/onion.key (32 bytes), or makes it.
[[nodiscard]] std::optional<transports::tor::Seed> load_onion_key(
    const std::filesystem::path& directory, std::string& error);

}  // namespace wherry::relay
