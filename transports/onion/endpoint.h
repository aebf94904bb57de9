// Where a contact dials: "zo1:ADDRESS[/KEY[/TOKEN]]/CHECK". ADDRESS is the service's, of 56
// characters (onion_address.h). KEY is the secret of the X25519 key without which nobody finds the
// service (Tor's rend-spec-v3, client authorisation); a card's service has none, since anybody may
// ask. TOKEN says for whom an envelope is where contacts share a service. So an endpoint is a
// capability: who has it may send to the inbox. CHECK is 6 bytes of BLAKE2b of all before it,
// against slips. The last three are base64url.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transports/common/tor/provider.h"

namespace wherry::transports::onion {

using Token = std::array<std::uint8_t, 16>;

struct Endpoint {
  PublicKey service{};              // Ed25519
  std::optional<tor::Seed> client;  // X25519, secret
  std::optional<Token> token;       // only with a client's key

  bool operator==(const Endpoint&) const = default;
};

[[nodiscard]] std::string to_text(const Endpoint& endpoint);
// Strict: each endpoint has one text.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace wherry::transports::onion
