// The texts that name a relay and an inbox on it.
//
//   relay    = "wr1:" authority "/" pin
//   endpoint = relay "/" inbox "/" token          at most 200 bytes
//   authority = host ":" port | "[" ipv6 "]" ":" port
//   host     = 1..100 of [A-Za-z0-9.-]            a name or an IPv4 address
//   port     = 1..65535 in decimal, no leading zero
//   pin      = base64url(first 16 bytes of SHA-256 of the relay's public key as
//              SubjectPublicKeyInfo), 22 characters
//   inbox, token = base64url of 16 bytes each, 22 characters
//
// base64url is RFC 4648 section 5 without padding, unused bits zero: one text for each value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::transports {

using Pin = std::array<std::uint8_t, 16>;
using InboxId = std::array<std::uint8_t, 16>;
using Token = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kRelayEndpointSizeMax = 200;
inline constexpr std::size_t kRelayHostSizeMax = 100;
// A contact card has room for no longer authority, in characters.
inline constexpr std::size_t kRelayAuthorityInCardMax = 32;

// A host and a port, for dialling. `host` has no brackets.
struct Authority {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const Authority&) const = default;
};

struct RelayAddress {
  Authority authority;
  Pin pin{};

  bool operator==(const RelayAddress&) const = default;
};

struct RelayEndpoint {
  RelayAddress relay;
  InboxId inbox{};
  Token token{};

  bool operator==(const RelayEndpoint&) const = default;
};

// "host:port" or "[ipv6]:port". With allow_port_0, as a server's "--listen" has it.
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text,
                                                       bool allow_port_0 = false);
[[nodiscard]] std::string to_text(const Authority& authority);

[[nodiscard]] std::optional<RelayAddress> parse_relay_address(std::string_view text);
[[nodiscard]] std::string to_text(const RelayAddress& address);

[[nodiscard]] std::optional<RelayEndpoint> parse_relay_endpoint(std::string_view text);
[[nodiscard]] std::string to_text(const RelayEndpoint& endpoint);

}  // namespace wherry::transports
