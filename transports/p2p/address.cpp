// Addresses and ranges.
#include "address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

namespace wherry::transports::p2p {
namespace {

constexpr int kV4Bits = 96;
constexpr Ip kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool shares(const Ip& a, const Ip& b, int bits) {
  const int whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  if (bits % 8 == 0) return true;
  const auto at = static_cast<std::size_t>(whole);
  const int mask = 0xff << (8 - bits % 8);
  return ((a.at(at) ^ b.at(at)) & mask) == 0;
}

std::optional<Ip> parse_ip(const std::string& text) {
  Ip ip{};
  if (::inet_pton(AF_INET6, text.c_str(), ip.data()) == 1) return ip;
  ip = kV4Prefix;
  if (::inet_pton(AF_INET, text.c_str(), ip.data() + 12) == 1) return ip;
  return std::nullopt;
}

template <typename Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// Of those that are up and have an address.
template <typename Function>
void for_each_interface(Function&& function) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr != nullptr && (one->ifa_flags & IFF_UP) != 0) function(*one);
  }
}

AddressRange range(const char* text) {
  return *parse_range(text);
}

}  // namespace

bool Address::is_v4() const {
  return shares(ip, kV4Prefix, kV4Bits);
}

bool Address::is_any() const {
  return ip == Ip{} || ip == kV4Prefix;
}

bool Address::is_loopback() const {
  static const AddressRange v4 = range("127.0.0.0/8");
  static const AddressRange v6 = range("::1/128");
  return v4.contains(*this) || v6.contains(*this);
}

bool Address::is_link_local() const {
  static const AddressRange link_local = range("fe80::/10");
  return link_local.contains(*this);
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string host(text.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const std::optional<Ip> ip = parse_ip(host);
  Address address;
  if (!ip || !parse_number(text.substr(colon + 1), address.port)) return std::nullopt;
  address.ip = *ip;
  if (to_text(address) != text) return std::nullopt;
  return address;
}

std::string to_text(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  const std::string port = ":" + std::to_string(address.port);
  if (address.is_v4()) {
    ::inet_ntop(AF_INET, address.ip.data() + 12, text, sizeof text);
    return text + port;
  }
  ::inet_ntop(AF_INET6, address.ip.data(), text, sizeof text);
  const std::string zone = address.scope == 0 ? "" : "%" + std::to_string(address.scope);
  return "[" + std::string(text) + zone + "]" + port;
}

bool is_public(const Address& address) {
  static const std::vector<AddressRange> others = {
      range("0.0.0.0/8"),      range("10.0.0.0/8"),     range("100.64.0.0/10"),
      range("127.0.0.0/8"),    range("169.254.0.0/16"), range("172.16.0.0/12"),
      range("192.0.0.0/24"),   range("192.0.2.0/24"),   range("192.88.99.0/24"),
      range("192.168.0.0/16"), range("198.18.0.0/15"),  range("198.51.100.0/24"),
      range("203.0.113.0/24"), range("224.0.0.0/4"),    range("240.0.0.0/4"),
      range("2001:0000::/23"), range("2001:db8::/32"),  range("2002::/16"),
      range("3fff::/20"),
  };
  static const AddressRange global = range("2000::/3");
  if (!address.is_v4() && !global.contains(address)) return false;
  return std::ranges::none_of(others,
                              [&](const AddressRange& other) { return other.contains(address); });
}

bool may_meet(const Address& address) {
  return address.port != 0 && address.port != UINT16_MAX;
}

Address next_port(const Address& address) {
  return {address.ip, static_cast<std::uint16_t>(address.port + 1)};
}

bool AddressRange::contains(const Address& address) const {
  return shares(ip, address.ip, bits);
}

std::optional<AddressRange> parse_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<Ip> ip = parse_ip(std::string(text.substr(0, slash)));
  int bits = 0;
  if (!ip || !parse_number(text.substr(slash + 1), bits) || bits < 0) return std::nullopt;
  const bool v4 = text.find(':') == std::string_view::npos;
  if (bits > (v4 ? 32 : 128)) return std::nullopt;
  return AddressRange{*ip, v4 ? bits + kV4Bits : bits};
}

std::optional<Address> from_system(const sockaddr& address) {
  Address out;
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    out.ip = kV4Prefix;
    std::memcpy(out.ip.data() + 12, &in.sin_addr, 4);
    out.port = ntohs(in.sin_port);
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    std::memcpy(out.ip.data(), &in.sin6_addr, 16);
    out.port = ntohs(in.sin6_port);
    if (out.is_link_local()) out.scope = in.sin6_scope_id;
  } else {
    return std::nullopt;
  }
  return out;
}

socklen_t to_system(const Address& address, sockaddr_storage& out) {
  out = {};
  if (address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.ip.data() + 12, 4);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(address.port);
  in.sin6_scope_id = address.scope;
  std::memcpy(&in.sin6_addr, address.ip.data(), address.ip.size());
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

std::vector<LanAddress> lan_addresses() {
  std::vector<LanAddress> own;
  for_each_interface([&](const ifaddrs& one) {
    const unsigned flags = one.ifa_flags;
    auto address = from_system(*one.ifa_addr);
    if (!address || (flags & IFF_MULTICAST) == 0 ||
        (flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) != 0) {
      return;
    }
    address->port = 0;
    LanAddress lan{*address, ::if_nametoindex(one.ifa_name), std::nullopt};
    if (address->is_v4() && (flags & IFF_BROADCAST) != 0 && one.ifa_broadaddr != nullptr) {
      lan.broadcast = from_system(*one.ifa_broadaddr);
    }
    own.push_back(lan);
  });
  return own;
}

std::vector<Address> own_addresses() {
  static const AddressRange automatic = range("169.254.0.0/16");
  std::vector<Address> own;
  for_each_interface([&](const ifaddrs& one) {
    auto address = from_system(*one.ifa_addr);
    if (!address || (one.ifa_flags & IFF_LOOPBACK) != 0 || address->is_link_local() ||
        automatic.contains(*address)) {
      return;
    }
    address->port = 0;
    own.push_back(*address);
  });
  const auto rank = [](const Address& address) {
    return std::pair((is_public(address) ? 0 : 2) + (address.is_v4() ? 1 : 0), address.ip);
  };
  std::ranges::sort(own, {}, rank);
  own.erase(std::unique(own.begin(), own.end()), own.end());
  return own;
}

std::vector<AddressRange> own_networks() {
  std::vector<AddressRange> own;
  for_each_interface([&](const ifaddrs& one) {
    const auto address = from_system(*one.ifa_addr);
    if (!address || one.ifa_netmask == nullptr) return;
    const auto mask = from_system(*one.ifa_netmask);
    if (!mask) return;
    const int none = mask->is_v4() ? kV4Bits : 0;
    int bits = none;
    while (bits < 128 &&
           (mask->ip.at(static_cast<std::size_t>(bits / 8)) << bits % 8 & 0x80) != 0) {
      ++bits;
    }
    // A tunnel's "network" of all addresses says nothing.
    if (bits > none) own.push_back({address->ip, bits});
  });
  return own;
}

}  // namespace wherry::transports::p2p
