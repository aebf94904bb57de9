// Groups, interfaces and datagrams.
#include "lan_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "beacon.h"

namespace wherry::transports::p2p {
namespace {

const Address kAny4 = *parse_address("0.0.0.0:36717");
const Address kAny6 = *parse_address("[::]:36717");
// Of the IPv4 local scope (RFC 2365, section 6.1), and link-local, not assigned (RFC 4291, 2.7).
const Address kGroup4 = *parse_address("239.255.87.82:36717");
const Address kGroup6 = *parse_address("[ff12::7768:6572:7279]:36717");

template <typename Value>
bool set(int socket, int level, int option, const Value& value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

ip_mreqn membership4(unsigned interface) {
  ip_mreqn request{};
  sockaddr_storage group{};
  to_system(kGroup4, group);
  request.imr_multiaddr = reinterpret_cast<const sockaddr_in&>(group).sin_addr;
  request.imr_ifindex = static_cast<int>(interface);
  return request;
}

ipv6_mreq membership6(unsigned interface) {
  ipv6_mreq request{};
  std::ranges::copy(kGroup6.ip, request.ipv6mr_multiaddr.s6_addr);
  request.ipv6mr_interface = interface;
  return request;
}

// Several programs on one machine may listen there.
Descriptor open_at(const Address& any) {
  const int family = any.is_v4() ? AF_INET : AF_INET6;
  Descriptor opened(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage place{};
  const socklen_t size = to_system(any, place);
  // Of the groups those alone that this socket joins.
  const bool prepared = opened.valid() && set(opened.get(), SOL_SOCKET, SO_REUSEADDR, 1) &&
                        (any.is_v4() ? set(opened.get(), IPPROTO_IP, IP_MULTICAST_ALL, 0)
                                     : set(opened.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
                                           set(opened.get(), IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0));
  if (!prepared || ::bind(opened.get(), reinterpret_cast<const sockaddr*>(&place), size) != 0) {
    return {};
  }
  return opened;
}

// Where this device can be dialled by neighbours.
std::vector<LanAddress> sources_of(const Address& listen) {
  std::vector<LanAddress> sources = lan_addresses();
  std::erase_if(sources, [&](const LanAddress& one) {
    const Address& own = one.address;
    if (!listen.is_any()) return own.ip != listen.ip;
    // Of IPv6 the link-local one is there in any network, and is nobody's name beyond it.
    return !own.is_v4() && (listen.is_v4() || !own.is_link_local());
  });
  return sources;
}

bool send_to(int socket, const Address& to, std::span<const std::uint8_t> datagram) {
  sockaddr_storage place{};
  const socklen_t size = to_system(to, place);
  return ::sendto(socket, datagram.data(), datagram.size(), MSG_NOSIGNAL,
                  reinterpret_cast<const sockaddr*>(&place),
                  size) == static_cast<ssize_t>(datagram.size());
}

}  // namespace

LanSockets::LanSockets(const Address& listen)
    : listen_(listen), sources_(sources_of(listen)), networks_(own_networks()) {
  v4_ = open_at(kAny4);
  v6_ = open_at(kAny6);
  for (const LanAddress& one : sources_) {
    // It fails where an interface has two addresses, and was joined for the first.
    if (one.address.is_v4()) {
      set(v4_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, membership4(one.interface));
    } else {
      set(v6_.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, membership6(one.interface));
    }
  }
}

bool LanSockets::is_outdated() const {
  return sources_ != sources_of(listen_);
}

std::vector<int> LanSockets::descriptors() const {
  std::vector<int> all;
  for (const Descriptor* one : {&v4_, &v6_}) {
    if (one->valid()) all.push_back(one->get());
  }
  return all;
}

std::optional<LanSockets::Datagram> LanSockets::receive(int descriptor) {
  std::array<std::uint8_t, kBeaconSize + 1> buffer{};
  sockaddr_storage place{};
  socklen_t size = sizeof place;
  const ssize_t count = ::recvfrom(descriptor, buffer.data(), buffer.size(), 0,
                                   reinterpret_cast<sockaddr*>(&place), &size);
  if (count < 0) return std::nullopt;
  Datagram datagram;
  const auto from = from_system(reinterpret_cast<const sockaddr&>(place));
  if (!from || std::ranges::none_of(networks_, [&](const AddressRange& network) {
        return network.contains(*from);
      })) {
    return datagram;
  }
  datagram.from = *from;
  datagram.bytes.assign(buffer.begin(), buffer.begin() + count);
  return datagram;
}

bool LanSockets::send(const LanAddress& source, std::span<const std::uint8_t> datagram,
                      bool broadcast) const {
  const bool v4 = source.address.is_v4();
  const Descriptor socket(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage place{};
  const socklen_t size = to_system(source.address, place);
  if (!socket.valid() ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&place), size) != 0) {
    return false;
  }
  if (!v4) {
    return set(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_IF, source.interface) &&
           send_to(socket.get(), kGroup6, datagram);
  }
  const bool sent = set(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, membership4(source.interface)) &&
                    send_to(socket.get(), kGroup4, datagram);
  if (!source.broadcast || (sent && !broadcast)) return sent;
  Address everybody = *source.broadcast;
  everybody.port = kGroup4.port;
  return (set(socket.get(), SOL_SOCKET, SO_BROADCAST, 1) &&
          send_to(socket.get(), everybody, datagram)) ||
         sent;
}

}  // namespace wherry::transports::p2p
