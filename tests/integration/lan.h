// A local network: hosts on one bridge, each in a network namespace that a test makes, and a tap at
// the bridge, which sees what each of them sends. Needs root, `ip` and `nft`.
#pragma once

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "in_namespace.h"
#include "transports/common/net.h"

namespace wherry::test {

// What a host sent.
struct Packet {
  int from = 0;  // the host's number
  std::string source;
  std::string destination;
  int protocol = 0;        // IPPROTO_TCP or IPPROTO_UDP
  std::uint16_t port = 0;  // where to
  std::vector<std::uint8_t> payload;
};

// TCP and UDP as they come in at the ports of a bridge. For one thread at a time.
class Tap {
 public:
  // Of the namespace that this thread is in. In: ports, each interface with its host's number.
  explicit Tap(std::map<unsigned, int> ports)
      : ports_(std::move(ports)),
        socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL))) {
    const int room = 1 << 26;
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    ::setsockopt(socket_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  }
  // Since it is there.
  const std::vector<Packet>& packets() {
    std::array<std::uint8_t, 65'536> frame{};
    sockaddr_ll at{};
    for (;;) {
      socklen_t size = sizeof at;
      const ssize_t got = ::recvfrom(socket_.get(), frame.data(), frame.size(), 0,
                                     reinterpret_cast<sockaddr*>(&at), &size);
      if (got < 0) return packets_;
      const auto port = ports_.find(static_cast<unsigned>(at.sll_ifindex));
      if (port == ports_.end()) continue;
      take(port->second, {frame.data(), static_cast<std::size_t>(got)});
    }
  }
  // Whether nothing was lost: without that, what was not seen may yet have been sent.
  bool is_complete() {
    tpacket_stats lost{};
    socklen_t size = sizeof lost;
    return ::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &lost, &size) == 0 &&
           lost.tp_drops == 0;
  }

 private:
  void take(int from, std::span<const std::uint8_t> frame) {
    constexpr std::size_t kV4Header = 20;
    constexpr std::size_t kV6Header = 40;
    constexpr std::size_t kPorts = 4;
    constexpr std::size_t kUdpHeader = 8;
    if (frame.size() < sizeof(ether_header)) return;
    const int type = frame[12] << 8 | frame[13];
    const auto ip = frame.subspan(sizeof(ether_header));
    Packet packet;
    packet.from = from;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto address = [&](int family, std::size_t at) {
      return std::string(::inet_ntop(family, &ip[at], text.data(), text.size()));
    };
    std::size_t header = 0;
    if (type == ETHERTYPE_IP && ip.size() >= kV4Header) {
      if ((ip[6] & 0x1f) != 0 || ip[7] != 0) return;  // not the first part of what was too large
      header = static_cast<std::size_t>(ip[0] & 0xf) * 4;
      packet.protocol = ip[9];
      packet.source = address(AF_INET, 12);
      packet.destination = address(AF_INET, 16);
    } else if (type == ETHERTYPE_IPV6 && ip.size() >= kV6Header) {
      header = kV6Header;
      packet.protocol = ip[6];
      packet.source = address(AF_INET6, 8);
      packet.destination = address(AF_INET6, 24);
    }
    const bool is_udp = packet.protocol == IPPROTO_UDP;
    if (!is_udp && packet.protocol != IPPROTO_TCP) return;
    if (ip.size() < header + (is_udp ? kUdpHeader : kPorts)) return;
    const auto body = ip.subspan(header);
    packet.port = static_cast<std::uint16_t>(body[2] << 8 | body[3]);
    if (is_udp) packet.payload.assign(body.begin() + kUdpHeader, body.end());
    packets_.push_back(std::move(packet));
  }

  const std::map<unsigned, int> ports_;
  const transports::Descriptor socket_;
  std::vector<Packet> packets_;
};

// Hosts are numbered from 1. Each has the interface `inside`.
class Lan {
 public:
  enum class Addresses {
    kV4,         // 192.168.87.NUMBER, and IPv6 is off
    kLinkLocal,  // IPv6 fe80::, and there is no IPv4 address
  };

  static constexpr const char* kNeeds =
      "this machine does not let the test make network namespaces with nftables (root, ip, nft)";

  // False: see kNeeds.
  bool make(int hosts, Addresses addresses) {
    hosts_ = hosts;
    // A bridge that listens to who joined which group sends on what nobody has joined yet only
    // sometimes.
    if (!run("ip netns add " + bridge()) ||
        !run_in(bridge(),
                "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; "
                "ip link add bridge type bridge mcast_snooping 0 && "
                "ip link set bridge up && nft list tables")) {
      return false;
    }
    for (int number = 1; number <= hosts; ++number) {
      if (!add_host(number, addresses)) return false;
    }
    return true;
  }
  ~Lan() {
    for (int number = 1; number <= hosts_; ++number) {
      static_cast<void>(run("ip netns delete " + host(number)));
    }
    static_cast<void>(run("ip netns delete " + bridge()));
  }

  std::string host(int number) const { return prefix_ + std::to_string(number); }
  static std::string address(int number) { return "192.168.87." + std::to_string(number); }
  static constexpr const char* kBroadcast = "192.168.87.255";

  // In a host. Not by `ip netns exec` and `ip -n`: they change how the root is mounted, which fails
  // in a chroot, where it need not be a mount point.
  bool run_at(int number, const std::string& command) const {
    return run_in(host(number), command);
  }
  Tap tap() const {
    const InNamespace there(bridge());
    std::map<unsigned, int> ports;
    for (int number = 1; number <= hosts_; ++number) {
      ports[::if_nametoindex(("port-" + std::to_string(number)).c_str())] = number;
    }
    return Tap(std::move(ports));
  }

 private:
  bool add_host(int number, Addresses addresses) const {
    const std::string port = "port-" + std::to_string(number);
    const std::string own =
        addresses == Addresses::kV4
            ? "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && ip address add " +
                  address(number) + "/24 broadcast " + kBroadcast + " dev inside && "
            // An address that is not yet known to be nobody else's could not be used at once.
            : "echo 0 >/proc/sys/net/ipv6/conf/inside/accept_dad && ";
    return run("ip netns add " + host(number) + " && ip link add inside netns " + host(number) +
               " type veth peer name " + port + " netns " + bridge()) &&
           run_in(bridge(),
                  "ip link set " + port + " master bridge && ip link set " + port + " up") &&
           run_in(host(number), own + "ip link set lo up && ip link set inside up");
  }

  static bool run_in(const std::string& name, const std::string& command) {
    const InNamespace there(name);
    return there.entered() && run(command);
  }
  static bool run(const std::string& command) {
    return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0;
  }
  std::string bridge() const { return prefix_ + "bridge"; }

  const std::string prefix_ = "wherry-test-" + std::to_string(::getpid()) + "-lan-";
  int hosts_ = 0;
};

}  // namespace wherry::test
