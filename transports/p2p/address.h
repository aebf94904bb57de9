// Addresses that stand in endpoints: numeric, so that dialling asks no directory.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::transports::p2p {

using Ip = std::array<std::uint8_t, 16>;

// An IP address and a port. IPv4 is kept as its IPv6 form, ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
struct Address {
  Ip ip{};
  std::uint16_t port = 0;
  std::uint32_t scope = 0;  // the interface of a link-local one (RFC 4007); no text that is read

  bool is_v4() const;
  bool is_any() const;  // 0.0.0.0 or [::]: every address of this machine
  bool is_loopback() const;
  bool is_link_local() const;  // IPv6
  auto operator<=>(const Address&) const = default;
};

// "1.2.3.4:5" or "[2001:db8::1]:5", in the one form that to_text gives; port 0 too.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);
[[nodiscard]] std::string to_text(const Address& address);

// Whether it is of the Internet: not of a private or local network, this machine, a documentation,
// a multicast or a reserved one (IANA's special-purpose address registries, RFC 6890).
[[nodiscard]] bool is_public(const Address& address);

// Whether links may be opened from both ends there: it has the next port too.
[[nodiscard]] bool may_meet(const Address& address);
[[nodiscard]] Address next_port(const Address& address);

// A range of addresses, "10.0.0.0/8" or "fd00::/8".
struct AddressRange {
  Ip ip{};
  int bits = 128;

  bool contains(const Address& address) const;
};
[[nodiscard]] std::optional<AddressRange> parse_range(std::string_view text);

// None: of another family.
[[nodiscard]] std::optional<Address> from_system(const sockaddr& address);
// Out: its length. IPv4 as that.
socklen_t to_system(const Address& address, sockaddr_storage& out);

// Addresses of this machine's interfaces that are up, without the loop, link-local and multicast
// ones: the Internet's first, IPv6 before IPv4. Their port is 0.
[[nodiscard]] std::vector<Address> own_addresses();

// An address of an interface that is up, neither a loop nor a tunnel, and carries multicast.
struct LanAddress {
  Address address;  // with the scope, if it is link-local; port 0
  unsigned interface = 0;
  std::optional<Address> broadcast;  // of IPv4

  bool operator==(const LanAddress&) const = default;
};
[[nodiscard]] std::vector<LanAddress> lan_addresses();

// The networks that this machine's interfaces are in now, of whatever kind.
[[nodiscard]] std::vector<AddressRange> own_networks();

}  // namespace wherry::transports::p2p
