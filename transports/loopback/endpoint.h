// The endpoint of a loopback inbox, and what is derived from the inbox's secret.
//
//   endpoint = "lo1:" hub "/" address "/" token
//   hub      = 1*32( a-z / 0-9 / "-" )
//   address  = 22 base64url characters: 16 bytes, derived from the inbox's secret
//   token    = 22 base64url characters: 16 bytes, derived from the inbox's secret
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transports/loopback/hub.h"

namespace wherry::loopback {

struct Endpoint {
  std::string hub;
  Address address{};
  Token token{};
};

bool is_hub_name(std::string_view text);

// In: secret, 32 bytes. The same secret gives the same endpoint; two show nothing in common.
Endpoint endpoint_of(std::string hub, const std::uint8_t* secret);

std::string to_text(const Endpoint& endpoint);

// Foreign text: empty unless it is, to the last bit, what to_text would write.
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace wherry::loopback
