// The texts that name a relay and an inbox on it.
//
//   relay    = "wr1:" ( authority "/" pin | onion )
//   endpoint = "wr1:" ( authority "/" pin "/" inbox "/" token | onion "/" capability )
//                                                 at most 200 bytes
//   authority = host ":" port | "[" ipv6 "]" ":" port
//   host     = 1..100 of [A-Za-z0-9.-]            a name or an IPv4 address
//   port     = 1..65535 in decimal, no leading zero
//   pin      = base64url(first 16 bytes of SHA-256 of the relay's public key as
//              SubjectPublicKeyInfo), 22 characters
//   onion    = the address of an onion service without its ".onion" (tor/onion_address.h)
//   inbox, token = base64url of 16 bytes each, 22 characters
//   capability = base64url of both together, 43 characters: a contact card has no room for more
//
// A relay that is an onion service is known by that address alone, which is its public key. Its pin
// is of that key too, as SubjectPublicKeyInfo (RFC 8410, section 4).
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
inline constexpr std::uint16_t kOnionPort = 80;  // of every service of ours
// A contact card has room for no longer authority, in characters.
inline constexpr std::size_t kRelayAuthorityInCardMax = 32;

// A host and a port, for dialling. `host` has no brackets.
struct Authority {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const Authority&) const = default;
};

struct RelayAddress {
  Authority authority;  // of an onion service: "….onion" and kOnionPort
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

// The address of an onion service, without its ".onion", if that is what the relay is.
[[nodiscard]] std::optional<std::string> onion_of(const Authority& authority);
// Whether that is, or is meant to be, an onion service's name, in any way of writing: nobody is to
// ask name servers for it.
[[nodiscard]] bool is_onion_name(std::string_view host);
// `address`: without its ".onion". None: it is no such address.
[[nodiscard]] std::optional<RelayAddress> onion_relay(std::string_view address);

[[nodiscard]] std::optional<RelayAddress> parse_relay_address(std::string_view text);
[[nodiscard]] std::string to_text(const RelayAddress& address);

[[nodiscard]] std::optional<RelayEndpoint> parse_relay_endpoint(std::string_view text);
[[nodiscard]] std::string to_text(const RelayEndpoint& endpoint);

}  // namespace wherry::transports
