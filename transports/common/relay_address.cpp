// Parsing and formatting of the texts that name a relay; the grammar is in the header.
#include "relay_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "crypto.h"
#include "relay_keys.h"
#include "tor/onion_address.h"

namespace wherry::transports {
namespace {

constexpr std::string_view kScheme = "wr1:";
constexpr std::string_view kOnion = ".onion";

// An inbox and its token, one after the other.
using Capability = std::array<std::uint8_t, 32>;

// What stands before the 32 bytes of an Ed25519 key as SubjectPublicKeyInfo.
constexpr std::array<std::uint8_t, 12> kEd25519Info = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

bool is_host_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '.' || character == '-';
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// The text up to the next slash, which is taken off `rest` together with it.
std::string_view take_field(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view field = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return field;
}

template <std::size_t Size>
bool decode(std::string_view text, std::array<std::uint8_t, Size>& out) {
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() != Size) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text, bool allow_port_0) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Authority authority;
  const std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    authority.host = host.substr(1, host.size() - 2);
    if (authority.host.find('\0') != std::string::npos || !is_ipv6(authority.host)) {
      return std::nullopt;
    }
  } else {
    if (host.empty() || !std::all_of(host.begin(), host.end(), is_host_character)) {
      return std::nullopt;
    }
    authority.host = host;
  }
  if (authority.host.size() > kRelayHostSizeMax) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  if (port.empty() || (port.front() == '0' && !(allow_port_0 && port == "0"))) return std::nullopt;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), authority.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return authority;
}

std::string to_text(const Authority& authority) {
  const bool ipv6 = authority.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + authority.host + "]" : authority.host) + ":" +
         std::to_string(authority.port);
}

bool is_onion_name(std::string_view host) {
  std::string name(host);
  std::ranges::transform(name, name.begin(), [](char character) {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                                : character;
  });
  if (name.ends_with('.')) name.pop_back();
  return name.ends_with(kOnion) || tor::parse_address(name);
}

std::optional<std::string> onion_of(const Authority& authority) {
  if (!authority.host.ends_with(kOnion)) return std::nullopt;
  return authority.host.substr(0, authority.host.size() - kOnion.size());
}

std::optional<RelayAddress> onion_relay(std::string_view address) {
  const auto key = tor::parse_address(address);
  if (!key) return std::nullopt;
  std::vector<std::uint8_t> info(kEd25519Info.begin(), kEd25519Info.end());
  info.insert(info.end(), key->begin(), key->end());
  return RelayAddress{{std::string(address) + std::string(kOnion), kOnionPort}, pin_of(info)};
}

namespace {

// Parses the relay's part; what follows it stays in `rest`, and `more` says whether a slash did.
std::optional<RelayAddress> take_relay(std::string_view& rest, bool& more) {
  if (rest.substr(0, kScheme.size()) != kScheme) return std::nullopt;
  rest.remove_prefix(kScheme.size());
  more = rest.find('/') != std::string_view::npos;
  const std::string_view where = take_field(rest);
  if (auto onion = onion_relay(where)) return onion;
  auto authority = parse_authority(where);
  if (!authority || is_onion_name(authority->host)) return std::nullopt;
  RelayAddress address;
  address.authority = std::move(*authority);
  more = rest.find('/') != std::string_view::npos;
  if (!decode(take_field(rest), address.pin)) return std::nullopt;
  return address;
}

}  // namespace

std::optional<RelayAddress> parse_relay_address(std::string_view text) {
  if (text.size() > kRelayEndpointSizeMax) return std::nullopt;
  bool more = false;
  auto address = take_relay(text, more);
  if (more) return std::nullopt;
  return address;
}

std::string to_text(const RelayAddress& address) {
  if (const auto onion = onion_of(address.authority)) return std::string(kScheme) + *onion;
  return std::string(kScheme) + to_text(address.authority) + "/" + base64url(address.pin);
}

std::optional<RelayEndpoint> parse_relay_endpoint(std::string_view text) {
  if (text.size() > kRelayEndpointSizeMax) return std::nullopt;
  bool more = false;
  auto relay = take_relay(text, more);
  if (!relay) return std::nullopt;
  RelayEndpoint endpoint;
  endpoint.relay = std::move(*relay);
  if (onion_of(endpoint.relay.authority)) {
    Capability both{};
    if (!decode(text, both)) return std::nullopt;
    std::copy_n(both.begin(), endpoint.inbox.size(), endpoint.inbox.begin());
    std::copy_n(both.begin() + endpoint.inbox.size(), endpoint.token.size(),
                endpoint.token.begin());
    return endpoint;
  }
  if (!decode(take_field(text), endpoint.inbox)) return std::nullopt;
  // The token is the last field: a slash in what is left is a foreign character to base64url.
  if (!decode(text, endpoint.token)) return std::nullopt;
  return endpoint;
}

std::string to_text(const RelayEndpoint& endpoint) {
  if (onion_of(endpoint.relay.authority)) {
    Capability both{};
    std::copy(endpoint.inbox.begin(), endpoint.inbox.end(), both.begin());
    std::copy(endpoint.token.begin(), endpoint.token.end(), both.begin() + endpoint.inbox.size());
    return to_text(endpoint.relay) + "/" + base64url(both);
  }
  return to_text(endpoint.relay) + "/" + base64url(endpoint.inbox) + "/" +
         base64url(endpoint.token);
}

}  // namespace wherry::transports
