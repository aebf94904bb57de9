// Asking the kernel (rtnetlink(7)).
#include "outage.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace wherry::transports::tor {
namespace {

constexpr std::size_t kRelaysMax = 16;
constexpr std::chrono::minutes kRestMax{5};
constexpr std::uint16_t kAnyPort = 9;
constexpr unsigned kChanges =
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;

Descriptor watch_routes() {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl all{};
  all.nl_family = AF_NETLINK;
  all.nl_groups = kChanges;
  const auto* address = reinterpret_cast<const sockaddr*>(&all);
  if (!socket.valid() || ::bind(socket.get(), address, sizeof(all)) != 0) return {};
  return socket;
}

// To connect a datagram's socket looks for a route, and sends nothing.
bool has_route(int family, const sockaddr* address, socklen_t size) {
  const Descriptor socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket.valid() && ::connect(socket.get(), address, size) == 0;
}

bool has_route(const std::string& numeric) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(kAnyPort);
  if (::inet_pton(AF_INET, numeric.c_str(), &four.sin_addr) == 1) {
    return has_route(AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof(four));
  }
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(kAnyPort);
  return ::inet_pton(AF_INET6, numeric.c_str(), &six.sin6_addr) == 1 &&
         has_route(AF_INET6, reinterpret_cast<const sockaddr*>(&six), sizeof(six));
}

}  // namespace

bool Outage::note(const std::string& relay, Clock::time_point now) {
  if (lasts()) {
    if (relays_.size() < kRelaysMax) relays_.insert(relay);
    return false;
  }
  // Before anybody looks, so that no change is missed.
  routes_ = watch_routes();
  if (!routes_.valid() || has_route(relay)) {
    forget();
    return false;
  }
  relays_.insert(relay);
  until_ = now + kRestMax;
  return true;
}

bool Outage::ends(Clock::time_point now) {
  if (!lasts()) return false;
  // What changed is of no interest: that something did is.
  std::array<char, 8192> changes{};
  while (::recv(routes_.get(), changes.data(), changes.size(), 0) > 0) {
  }
  const auto has_way = [](const std::string& relay) { return has_route(relay); };
  if (*until_ > now && std::ranges::none_of(relays_, has_way)) return false;
  forget();
  return true;
}

void Outage::forget() {
  routes_ = {};
  relays_.clear();
  until_.reset();
}

}  // namespace wherry::transports::tor
