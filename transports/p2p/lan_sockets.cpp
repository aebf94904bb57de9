// Groups, interfaces and datagrams.
#include "lan_sockets.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

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

// What has another size takes no place from beacons, neither in the kernel's queue nor among those
// that are looked at.
bool take_beacons_only(int socket) {
  constexpr std::uint32_t kUdpHeader = 8;
  std::array<sock_filter, 4> steps = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kBeaconSize + kUdpHeader, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  return set(socket, SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog{steps.size(), steps.data()});
}

// Several programs on one machine may listen there.
Descriptor open_at(const Address& any) {
  const int family = any.is_v4() ? AF_INET : AF_INET6;
  Descriptor opened(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage place{};
  const socklen_t size = to_system(any, place);
  // Of the groups those alone that this socket joins.
  const auto set_up = [&](int level, int option, int value) {
    return set(opened.get(), level, option, value);
  };
  const bool prepared =
      opened.valid() && set_up(SOL_SOCKET, SO_REUSEADDR, 1) && take_beacons_only(opened.get()) &&
      (any.is_v4()
           ? set_up(IPPROTO_IP, IP_MULTICAST_ALL, 0) && set_up(IPPROTO_IP, IP_PKTINFO, 1)
           : set_up(IPPROTO_IPV6, IPV6_V6ONLY, 1) && set_up(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) &&
                 set_up(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
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

// Whether it was sent to all, which comes from no other network. Whoever is elsewhere could send it
// to this machine alone, with the address of a neighbour as its source.
bool is_to_all(const msghdr& message) {
  for (const cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr;
       one = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(one))) {
    if (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_PKTINFO) {
      in_pktinfo to{};
      std::memcpy(&to, CMSG_DATA(one), sizeof to);
      return to.ipi_addr.s_addr != to.ipi_spec_dst.s_addr;  // the latter is this machine's own
    }
    if (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo to{};
      std::memcpy(&to, CMSG_DATA(one), sizeof to);
      return std::ranges::equal(kGroup6.ip, to.ipi6_addr.s6_addr);
    }
  }
  return false;
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
  for (const LanAddress& one : lan_addresses()) {
    if (!one.address.is_v4()) own6_.push_back(one.address.ip);
  }
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
  iovec bytes{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
  msghdr message{};
  message.msg_name = &place;
  message.msg_namelen = sizeof place;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(descriptor, &message, 0);
  if (count < 0) return std::nullopt;
  Datagram datagram;
  const auto from = from_system(reinterpret_cast<const sockaddr&>(place));
  // Of IPv4 the kernel takes from no neighbour what has this machine's own address as its source.
  // Of IPv6 it does: a contact is not to have it dial itself.
  if (!from || !is_to_all(message) || from->is_loopback() ||
      std::ranges::find(own6_, from->ip) != own6_.end() ||
      std::ranges::none_of(networks_,
                           [&](const AddressRange& network) { return network.contains(*from); })) {
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
