// Devices on one local network, for tests of how they find each other there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lan.h"
#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/p2p/endpoint.h"
#include "transports/p2p/p2p.h"

namespace wherry::test {

namespace p2p = transports::p2p;

inline constexpr std::uint16_t kBeaconPort = 36717;
inline constexpr std::size_t kBeaconSize = 1048;
inline constexpr std::size_t kNonceSize = 24;  // that it begins with
inline constexpr const char* kGroup4 = "239.255.87.82";
inline constexpr const char* kGroup6 = "ff12::7768:6572:7279";
inline constexpr std::int64_t kSoon = 10'000;
inline constexpr std::int64_t kLimit = 60'000;

// One on a host, with the host's number. It gives each other device an inbox with that one's
// number, and knows it as the peer with that number.
class Device {
 public:
  Device(Pump& pump, const Lan& lan, int number)
      : number_(number), place_(lan.host(number)), pump_(pump) {
    set({{"lan", "on"}});
  }

  // For the next start.
  void set(const Settings& settings) {
    host_ = std::make_unique<TransportHost>(*wherry_transport_p2p(), pump_, settings, &memory_);
    at_home([](TransportHost& host) { ASSERT_EQ(host.create(), WHERRY_TRANSPORT_OK); });
  }
  void start() {
    at_home([](TransportHost& host) { ASSERT_TRUE(host.start_and_wait(20'000)); });
  }
  void stop() { ASSERT_TRUE(host_->stop_and_wait(10'000)); }
  // Empty: it was told none.
  std::string endpoint_for(std::uint64_t other, std::int32_t audience = WHERRY_AUDIENCE_CONTACT) {
    Bytes secret(32, static_cast<std::uint8_t>(number_));
    secret[0] = static_cast<std::uint8_t>(other);
    at_home([&](TransportHost& host) {
      EXPECT_EQ(host.open_inbox(other, secret, audience), WHERRY_TRANSPORT_OK);
    });
    pump_.until([&] { return host_->endpoint(other).has_value(); }, kSoon);
    return host_->endpoint(other).value_or("");
  }
  void learn(std::uint64_t other, const std::string& endpoint) {
    at_home([&](TransportHost& host) {
      ASSERT_EQ(host.add_peer(other, endpoint), WHERRY_TRANSPORT_OK) << endpoint;
    });
  }
  void network_changed() {
    at_home([](TransportHost& host) { host.update(WHERRY_CHANGE_NETWORK); });
  }

  // How often it was told that the other is near.
  std::size_t sightings(std::uint64_t other) const {
    const auto reports = host_->peer_reports();
    return static_cast<std::size_t>(std::ranges::count_if(reports, [&](const PeerReport& one) {
      return one.peer == other && one.state == WHERRY_PEER_STATE_UNREACHABLE &&
             one.reason == WHERRY_REASON_NEARBY;
    }));
  }
  // How often a link to the other was lost, or not found.
  std::size_t losses(std::uint64_t other) const {
    const auto reports = host_->peer_reports();
    return static_cast<std::size_t>(std::ranges::count_if(reports, [&](const PeerReport& one) {
      return one.peer == other && one.state == WHERRY_PEER_STATE_UNREACHABLE &&
             one.reason != WHERRY_REASON_NEARBY;
    }));
  }
  // Whether an attempt to reach the other ends without success.
  bool fails_to_reach(std::uint64_t other) {
    const std::size_t before = host_->peer_reports().size();
    EXPECT_EQ(host_->connect_peer(other), WHERRY_TRANSPORT_OK);
    std::optional<std::int32_t> end;
    pump_.until(
        [&] {
          const auto reports = host_->peer_reports();
          for (std::size_t i = before; i < reports.size(); ++i) {
            const PeerReport& one = reports[i];
            if (one.peer == other && one.reason != WHERRY_REASON_NEARBY &&
                one.state >= WHERRY_PEER_STATE_REACHABLE) {
              end = one.state;
            }
          }
          return end.has_value();
        },
        kLimit);
    return end == WHERRY_PEER_STATE_UNREACHABLE;
  }

  std::uint64_t number() const { return static_cast<std::uint64_t>(number_); }
  TransportHost& host() { return *host_; }
  const TransportHost& host() const { return *host_; }

 private:
  // What the plug-in does with the calls, it does in the host's namespace.
  void at_home(const std::function<void(TransportHost&)>& function) {
    const InNamespace there(place_);
    ASSERT_TRUE(there.entered());
    function(*host_);
  }

  const int number_;
  const std::string place_;
  Pump& pump_;
  HostMemory memory_;
  std::unique_ptr<TransportHost> host_;
};

// Somebody on a host who says what he likes, from whatever IPv4 address.
class Stranger {
 public:
  Stranger(const Lan& lan, int number) : there_(lan.host(number)) {}
  // False: it was not sent.
  static bool send(const std::string& source, const std::string& to, const Bytes& payload) {
    const transports::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const ip_mreqn by{{}, {}, static_cast<int>(::if_nametoindex("inside"))};
    const int on = 1;
    const sockaddr_in from = at(source);
    const sockaddr_in there = at(to);
    return ::setsockopt(socket.get(), IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on) == 0 &&
           ::setsockopt(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by) == 0 &&
           ::setsockopt(socket.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 &&
           ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0 &&
           ::sendto(socket.get(), payload.data(), payload.size(), 0,
                    reinterpret_cast<const sockaddr*>(&there),
                    sizeof there) == static_cast<ssize_t>(payload.size());
  }
  bool is_ready() const { return there_.entered(); }

 private:
  static sockaddr_in at(const std::string& address) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(kBeaconPort);
    EXPECT_EQ(::inet_pton(AF_INET, address.c_str(), &out.sin_addr), 1) << address;
    return out;
  }

  const InNamespace there_;  // while it lives
};

class P2pLan : public ::testing::Test {
 protected:
  // False: see Lan::kNeeds.
  bool begin(int hosts, Lan::Addresses addresses = Lan::Addresses::kV4) {
    if (!lan.make(hosts, addresses)) return false;
    for (int number = 1; number <= hosts; ++number) {
      devices.push_back(std::make_unique<Device>(pump, lan, number));
    }
    return true;
  }
  void TearDown() override {
    for (const auto& device : devices) {
      EXPECT_EQ(device->host().violations(), std::vector<std::string>());
    }
  }
  Device& alice() { return *devices[0]; }
  Device& bob() { return *devices[1]; }

  // They are told of each other, and have never been online together.
  void acquaint(Device& one, Device& other) {
    std::vector<std::string> endpoints;
    for (const auto& [device, to] : {std::pair(&one, &other), std::pair(&other, &one)}) {
      device->start();
      endpoints.push_back(device->endpoint_for(to->number()));
      ASSERT_NE(endpoints.back(), "");
      device->stop();
    }
    one.learn(other.number(), endpoints[1]);
    other.learn(one.number(), endpoints[0]);
    const auto endpoint = p2p::parse_endpoint(endpoints[0]);
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint->addresses, std::vector<p2p::Address>());  // nothing that could be dialled
  }
  bool see_each_other(const Device& one, const Device& other, std::int64_t limit_ms = kSoon) {
    return pump.until(
        [&] { return one.sightings(other.number()) > 0 && other.sightings(one.number()) > 0; },
        limit_ms);
  }
  // At the first try.
  bool arrives(Device& from, Device& to) {
    const Bytes envelope(500, static_cast<std::uint8_t>(++envelopes));
    if (from.host().send_one(to.number(), envelope) == 0) return false;
    return pump.until([&] { return has(to, from, envelope); }, kSoon);
  }
  // As hosts do: what failed is sent again when there is news of the other, or after a while.
  bool arrives_at_last(Device& from, Device& to) {
    const Bytes envelope(500, static_cast<std::uint8_t>(++envelopes));
    for (int tries = 0; tries < 10; ++tries) {
      const std::uint64_t id = from.host().send_one(to.number(), envelope);
      const auto is_over = [&] {
        const auto last = from.host().last_sent(id);
        return has(to, from, envelope) || (last && last->outcome == WHERRY_OUTCOME_FAILED_RETRY);
      };
      if (id == 0 || !pump.until(is_over, kLimit)) return false;
      if (has(to, from, envelope)) return true;
      const std::size_t seen = from.sightings(to.number());
      pump.until([&] { return from.sightings(to.number()) > seen; }, 3'000);
    }
    return false;
  }
  static bool has(const Device& device, const Device& from, const Bytes& envelope) {
    return std::ranges::any_of(device.host().received(), [&](const Received& one) {
      return one.inbox == from.number() && one.envelope == envelope;
    });
  }

  // The pump does not see what comes to the tap.
  bool until_tapped(Tap& tap, const std::function<bool(const Packet&)>& is_it,
                    std::int64_t limit_ms = kSoon) {
    constexpr std::int64_t kLookEvery = 20;
    for (std::int64_t ms = 0; ms < limit_ms; ms += kLookEvery) {
      if (std::ranges::any_of(tap.packets(), is_it)) return true;
      pump.quiet(kLookEvery);
    }
    return false;
  }
  static bool is_to_beacon_port(const Packet& packet) {
    return packet.protocol == IPPROTO_UDP && packet.port == kBeaconPort;
  }
  static bool is_beacon_of(const Device& device, const Packet& packet) {
    return is_to_beacon_port(packet) && packet.from == static_cast<int>(device.number());
  }

  // The first that is said since the tap is there. Empty: none is.
  Bytes beacon_of(const Device& device, Tap& tap) {
    const auto is_it = [&](const Packet& one) { return is_beacon_of(device, one); };
    if (!until_tapped(tap, is_it)) return {};
    return std::ranges::find_if(tap.packets(), is_it)->payload;
  }

  RealPump pump;
  Lan lan;
  std::vector<std::unique_ptr<Device>> devices;
  int envelopes = 0;
};

}  // namespace wherry::test
