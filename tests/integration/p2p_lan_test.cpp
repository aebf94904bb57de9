// Devices on one local network find each other there, although their endpoints name no address; who
// was told no endpoint learns nothing, and misleads nobody.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "lan.h"
#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/p2p/beacon.h"
#include "transports/p2p/endpoint.h"
#include "transports/p2p/p2p.h"

namespace wherry::test {
namespace {

namespace p2p = transports::p2p;

constexpr std::uint16_t kBeaconPort = 36717;
constexpr std::size_t kBeaconSize = 1048;
constexpr std::size_t kNonceSize = 24;  // that it begins with
constexpr const char* kGroup4 = "239.255.87.82";
constexpr const char* kGroup6 = "ff12::7768:6572:7279";
constexpr std::int64_t kSoon = 10'000;
constexpr std::int64_t kLimit = 60'000;

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

  RealPump pump;
  Lan lan;
  std::vector<std::unique_ptr<Device>> devices;
  int envelopes = 0;
};

// Which addresses they have, and whether Bob comes first.
class P2pLanOrders : public P2pLan,
                     public ::testing::WithParamInterface<std::tuple<Lan::Addresses, bool>> {};

TEST_P(P2pLanOrders, TheyFindEachOther) {
  const auto [addresses, bob_first] = GetParam();
  if (!begin(2, addresses)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  Device& first = bob_first ? bob() : alice();
  Device& second = bob_first ? alice() : bob();
  first.start();
  EXPECT_TRUE(first.fails_to_reach(second.number()));
  second.start();
  ASSERT_TRUE(see_each_other(alice(), bob()));
  EXPECT_TRUE(arrives(alice(), bob()));
  EXPECT_TRUE(arrives(bob(), alice()));
}

std::string name_of(Lan::Addresses addresses) {
  return addresses == Lan::Addresses::kV4 ? "IPv4" : "LinkLocal";
}

INSTANTIATE_TEST_SUITE_P(Lan, P2pLanOrders,
                         ::testing::Combine(::testing::Values(Lan::Addresses::kV4,
                                                              Lan::Addresses::kLinkLocal),
                                            ::testing::Bool()),
                         [](const auto& one) {
                           return name_of(std::get<0>(one.param)) +
                                  (std::get<1>(one.param) ? "BobFirst" : "AliceFirst");
                         });

// Both are online for long when they are told of each other, as when one adds the other's card.
TEST_F(P2pLan, WhoIsLearntOfWhileOnlineIsFound) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  alice().start();
  bob().start();
  pump.quiet(5'000);  // what is said at the start was said
  const std::string to_alice = alice().endpoint_for(bob().number());
  const std::string to_bob = bob().endpoint_for(alice().number());
  alice().learn(bob().number(), to_bob);
  bob().learn(alice().number(), to_alice);
  EXPECT_TRUE(arrives_at_last(alice(), bob()));
  EXPECT_TRUE(arrives_at_last(bob(), alice()));
}

constexpr const char* kNoMulticastOut =
    "nft 'table ip lan { chain leaving { type filter hook output priority 0; "
    "ip daddr 224.0.0.0/4 udp dport 36717 drop; }; }'";
constexpr const char* kNoMulticastIn =
    "nft 'table ip lan { chain coming { type filter hook input priority 0; "
    "ip daddr 224.0.0.0/4 udp dport 36717 drop; }; }'";

TEST_F(P2pLan, WhereMulticastCanNotBeSentBroadcastDoes) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  for (const int number : {1, 2}) ASSERT_TRUE(lan.run_at(number, kNoMulticastOut));
  Tap tap = lan.tap();
  alice().start();
  bob().start();
  ASSERT_TRUE(see_each_other(alice(), bob()));
  EXPECT_TRUE(arrives(alice(), bob()));
  EXPECT_TRUE(arrives(bob(), alice()));
  for (const Packet& one : tap.packets()) {
    EXPECT_NE(one.destination, kGroup4);
    EXPECT_TRUE(!is_to_beacon_port(one) || one.destination == Lan::kBroadcast) << one.destination;
  }
}

TEST_F(P2pLan, WhereMulticastIsLostBroadcastIsHeard) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  for (const int number : {1, 2}) ASSERT_TRUE(lan.run_at(number, kNoMulticastIn));
  Tap tap = lan.tap();
  alice().start();
  bob().start();
  ASSERT_TRUE(see_each_other(alice(), bob()));
  EXPECT_TRUE(arrives(alice(), bob()));
  EXPECT_TRUE(arrives(bob(), alice()));
  EXPECT_TRUE(std::ranges::any_of(tap.packets(),
                                  [](const Packet& one) { return one.destination == kGroup4; }));
}

// Where one alone can not be heard by multicast, it is the others who have to answer.
TEST_F(P2pLan, WhoseMulticastIsLostIsAnsweredAllTheSame) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  ASSERT_TRUE(lan.run_at(1, kNoMulticastIn));
  alice().start();
  bob().start();
  EXPECT_TRUE(arrives_at_last(alice(), bob()));
  EXPECT_TRUE(arrives_at_last(bob(), alice()));
}

// Carol is heard at once. Bob, who was there long before, hears no multicast.
TEST_F(P2pLan, OneContactsAnswerKeepsNoOtherFromBeingFound) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), *devices[2]));
  ASSERT_TRUE(lan.run_at(2, kNoMulticastIn));
  bob().start();
  devices[2]->start();
  pump.quiet(5'000);  // what is said at the start was said
  alice().start();
  EXPECT_TRUE(see_each_other(alice(), *devices[2]));
  EXPECT_TRUE(see_each_other(alice(), bob()));
}

TEST_F(P2pLan, WhoDoesNotTakePartSaysNothingAndIsNotFound) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  bob().set({{"lan", "off"}, {"allow", "192.168.87.0/24"}});
  Tap tap = lan.tap();
  bob().start();
  EXPECT_NE(bob().endpoint_for(alice().number()), "");  // the inbox is there
  alice().start();
  EXPECT_TRUE(alice().fails_to_reach(bob().number()));
  ASSERT_TRUE(until_tapped(tap, [&](const Packet& one) { return is_beacon_of(alice(), one); }));
  bob().network_changed();
  pump.quiet(5'000);
  EXPECT_EQ(alice().sightings(bob().number()), 0u);
  for (const Packet& one : tap.packets()) {
    EXPECT_FALSE(one.from == 2 && one.protocol == IPPROTO_UDP) << one.destination;
  }
  EXPECT_TRUE(tap.is_complete());
}

// lan=on is a setting like others: without it nothing is said, also not by default.
TEST_F(P2pLan, ByDefaultNothingIsSaid) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  bob().set({{"allow", "192.168.87.0/24"}});
  Tap tap = lan.tap();
  alice().start();
  bob().start();
  EXPECT_NE(bob().endpoint_for(alice().number()), "");
  ASSERT_TRUE(until_tapped(tap, [&](const Packet& one) { return is_beacon_of(alice(), one); }));
  pump.quiet(3'000);
  EXPECT_TRUE(std::ranges::none_of(tap.packets(), [](const Packet& one) {
    return one.from == 2 && one.protocol == IPPROTO_UDP;
  }));
  EXPECT_TRUE(tap.is_complete());
}

// An endpoint for anybody may be public: it leads nobody to a device that is near.
TEST_F(P2pLan, WhoHasACardFindsNobody) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  Device& carol = *devices[2];
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));  // so that Alice has something to say
  alice().start();
  const auto known = p2p::parse_endpoint(*alice().host().endpoint(bob().number()));
  ASSERT_TRUE(known);
  // The card may have no endpoint here, so its pass is made as the plug-in does.
  constexpr std::uint64_t kCard = 77;
  Bytes secret(32, 0xca);
  ASSERT_EQ(alice().host().open_inbox(kCard, secret, WHERRY_AUDIENCE_ANYBODY), WHERRY_TRANSPORT_OK);
  p2p::Endpoint card = *known;
  card.pass = p2p::pass_of(std::span<const std::uint8_t, 32>(secret.data(), 32));
  carol.start();
  EXPECT_NE(carol.endpoint_for(alice().number()), "");
  carol.learn(alice().number(), p2p::to_text(card));
  bob().start();
  ASSERT_TRUE(see_each_other(alice(), bob()));
  EXPECT_TRUE(carol.fails_to_reach(alice().number()));
  EXPECT_EQ(carol.sightings(alice().number()), 0u);
}

TEST_F(P2pLan, AmongManyOnlyContactsFindEachOther) {
  constexpr int kHosts = 20;
  constexpr std::size_t kContacts = 3;
  constexpr int kDatagramsMax = 20;  // of one host in these 10 s
  if (!begin(kHosts)) GTEST_SKIP() << Lan::kNeeds;
  for (std::size_t one = 0; one < kContacts; ++one) {
    for (std::size_t other = one + 1; other < kContacts; ++other) {
      ASSERT_NO_FATAL_FAILURE(acquaint(*devices[one], *devices[other]));
    }
  }
  // The others know one of the three by a pass that nobody has: all else in it is right.
  auto unknown = p2p::parse_endpoint(*alice().host().endpoint(bob().number()));
  ASSERT_TRUE(unknown);
  unknown->pass[0] ^= 1;
  Tap tap = lan.tap();
  for (const auto& device : devices) {
    device->start();
    if (device->number() <= kContacts) continue;
    EXPECT_NE(device->endpoint_for(alice().number()), "");
    device->learn(alice().number(), p2p::to_text(*unknown));
  }
  for (std::size_t one = 0; one < kContacts; ++one) {
    for (std::size_t other = 0; other < kContacts; ++other) {
      if (one == other) continue;
      EXPECT_TRUE(see_each_other(*devices[one], *devices[other]));
      EXPECT_TRUE(arrives(*devices[one], *devices[other])) << one << " to " << other;
    }
  }
  pump.quiet(10'000);
  std::map<int, int> said;
  for (const Packet& one : tap.packets()) said[one.from] += is_to_beacon_port(one) ? 1 : 0;
  EXPECT_EQ(said.size(), std::size_t{kHosts});
  for (const auto& [host, count] : said) EXPECT_LE(count, kDatagramsMax) << host;
  EXPECT_TRUE(tap.is_complete());
  for (const auto& device : devices) {
    for (const PeerReport& report : device->host().peer_reports()) {
      EXPECT_TRUE(device->number() <= kContacts || report.reason != WHERRY_REASON_NEARBY)
          << device->number();
    }
  }
}

class P2pLanSizes : public P2pLan, public ::testing::WithParamInterface<Lan::Addresses> {};

TEST_P(P2pLanSizes, AllBeaconsHaveOneSize) {
  const bool v4 = GetParam() == Lan::Addresses::kV4;
  if (!begin(2, GetParam())) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  // Of whom one has many contacts.
  alice().start();
  for (std::uint64_t other = 100; other < 110; ++other) {
    EXPECT_NE(alice().endpoint_for(other), "");
  }
  Tap tap = lan.tap();
  alice().network_changed();
  bob().start();
  ASSERT_TRUE(see_each_other(alice(), bob()));
  EXPECT_TRUE(arrives(alice(), bob()));
  std::map<int, int> said;
  for (const Packet& one : tap.packets()) {
    if (one.protocol != IPPROTO_UDP) continue;
    ++said[one.from];
    EXPECT_EQ(one.port, kBeaconPort);
    EXPECT_EQ(one.payload.size(), kBeaconSize);
    EXPECT_TRUE(one.destination == (v4 ? kGroup4 : kGroup6) ||
                (v4 && one.destination == Lan::kBroadcast))
        << one.destination;
  }
  EXPECT_EQ(said.size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Lan, P2pLanSizes,
                         ::testing::Values(Lan::Addresses::kV4, Lan::Addresses::kLinkLocal),
                         [](const auto& one) { return name_of(one.param); });

// Mallory hears all that Bob says, and Alice hears nothing of Bob but what Mallory says again.
TEST_F(P2pLan, WhatAnotherSaysAgainLeadsNobodyToThem) {
  constexpr int kMallory = 3;
  constexpr const char* kNotFromBob =
      "nft 'table ip lan { set deaf { type ether_addr; }; chain coming { type filter hook input "
      "priority 0; udp dport 36717 ether saddr @deaf drop; }; }' && nft add element ip lan deaf "
      "{ 02:00:00:00:00:02 }";
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  ASSERT_TRUE(lan.run_at(2, "ip link set inside address 02:00:00:00:00:02"));
  ASSERT_TRUE(lan.run_at(1, kNotFromBob));
  Tap tap = lan.tap();
  alice().start();
  bob().start();
  ASSERT_TRUE(until_tapped(tap, [&](const Packet& one) { return is_beacon_of(bob(), one); }));
  const auto of_bob = std::ranges::find_if(
      tap.packets(), [&](const Packet& one) { return is_beacon_of(bob(), one); });
  const Bytes beacon = of_bob->payload;
  const auto say_again = [&](const std::string& source, const std::string& to) {
    const Stranger mallory(lan, kMallory);
    return mallory.is_ready() && Stranger::send(source, to, beacon);
  };
  for (const std::string& to :
       {std::string(kGroup4), std::string(Lan::kBroadcast), Lan::address(1)}) {
    ASSERT_TRUE(say_again(Lan::address(kMallory), to));
  }
  EXPECT_TRUE(alice().fails_to_reach(bob().number()));
  EXPECT_EQ(alice().sightings(bob().number()), 0u);
  EXPECT_TRUE(std::ranges::none_of(tap.packets(), [](const Packet& one) {
    return one.from == 1 && one.protocol == IPPROTO_TCP;
  }));
  // It came to her ears, for the same with Bob's address leads to Bob.
  ASSERT_TRUE(say_again(Lan::address(2), kGroup4));
  ASSERT_TRUE(pump.until([&] { return alice().sightings(bob().number()) > 0; }, kSoon));
  EXPECT_TRUE(arrives(alice(), bob()));
  ASSERT_TRUE(say_again(Lan::address(kMallory), kGroup4));
  ASSERT_TRUE(lan.run_at(1, "nft flush ruleset"));
  EXPECT_TRUE(arrives(alice(), bob()));
  EXPECT_TRUE(arrives_at_last(bob(), alice()));
  EXPECT_TRUE(std::ranges::none_of(tap.packets(), [](const Packet& one) {
    return one.protocol == IPPROTO_TCP && one.destination == Lan::address(kMallory);
  }));
  EXPECT_TRUE(tap.is_complete());
}

TEST_F(P2pLan, GarbageDoesNoHarm) {
  constexpr int kMallory = 3;
  constexpr int kDatagrams = 20'000;
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  Bytes beacon;
  {
    Tap tap = lan.tap();
    bob().start();
    ASSERT_TRUE(until_tapped(tap, [&](const Packet& one) { return is_beacon_of(bob(), one); }));
    beacon = std::ranges::find_if(tap.packets(), [&](const Packet& one) {
               return is_beacon_of(bob(), one);
             })->payload;
    bob().stop();
  }
  alice().start();
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same each time
  {
    const Stranger mallory(lan, kMallory);
    ASSERT_TRUE(mallory.is_ready());
    const auto drawn = [&](std::size_t size) {
      Bytes bytes(size);
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
      return bytes;
    };
    const std::vector<std::string> to = {kGroup4, Lan::kBroadcast, Lan::address(1)};
    for (const std::size_t size : {0u, 1u, 23u, 24u, 1047u, 1049u, 1472u, 9000u}) {
      for (const std::string& one : to) {
        EXPECT_TRUE(Stranger::send(Lan::address(kMallory), one, drawn(size))) << size;
      }
    }
    for (int i = 0; i < kDatagrams; ++i) {
      // Each second one is nearly Bob's, from his address: its tags are right, and no slot opens.
      const bool is_near = i % 2 == 0;
      Bytes bytes = is_near ? beacon : drawn(kBeaconSize);
      if (is_near) bytes[random() % kNonceSize] ^= 0x10;
      const std::string& one = to[static_cast<std::size_t>(i) % to.size()];
      ASSERT_TRUE(Stranger::send(Lan::address(is_near ? 2 : kMallory), one, bytes)) << i;
    }
  }
  EXPECT_EQ(alice().sightings(bob().number()), 0u);
  bob().start();
  EXPECT_TRUE(arrives_at_last(alice(), bob()));
  EXPECT_TRUE(arrives_at_last(bob(), alice()));
}

TEST_F(P2pLan, WhoMovesToAnotherAddressIsFoundThere) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  alice().start();
  bob().start();
  ASSERT_TRUE(see_each_other(alice(), bob()));
  EXPECT_TRUE(arrives(alice(), bob()));
  Tap tap = lan.tap();
  ASSERT_TRUE(lan.run_at(2,
                         "ip address del 192.168.87.2/24 dev inside && "
                         "ip address add 192.168.87.200/24 broadcast 192.168.87.255 dev inside"));
  bob().network_changed();
  EXPECT_TRUE(arrives_at_last(alice(), bob()));
  EXPECT_TRUE(arrives_at_last(bob(), alice()));
  EXPECT_TRUE(std::ranges::any_of(tap.packets(), [](const Packet& one) {
    return one.protocol == IPPROTO_TCP && one.destination == Lan::address(200);
  }));
}

// As a laptop that is in the same network by a cable and without one: each beacon names one of its
// addresses, and a link to the other one is as good.
TEST_F(P2pLan, ALinkToWhoHasTwoAddressesStays) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  ASSERT_TRUE(
      lan.run_at(2, "ip address add 192.168.87.200/24 broadcast 192.168.87.255 dev inside"));
  alice().start();
  bob().start();
  ASSERT_TRUE(see_each_other(alice(), bob()));
  EXPECT_TRUE(arrives(alice(), bob()));
  pump.quiet(4'000);  // what is said at the start was said
  const std::size_t before = alice().host().peer_reports().size();
  for (int round = 0; round < 3; ++round) {
    // Somebody new to be found: both addresses are said again, three times.
    const auto unknown = p2p::Endpoint{{}, p2p::Key{static_cast<std::uint8_t>(round + 1)}, {}, {}};
    bob().learn(100 + static_cast<std::uint64_t>(round), p2p::to_text(unknown));
    pump.quiet(5'000);
  }
  const auto reports = alice().host().peer_reports();
  EXPECT_TRUE(std::none_of(reports.begin() + static_cast<std::ptrdiff_t>(before), reports.end(),
                           [](const PeerReport& one) {
                             return one.state == WHERRY_PEER_STATE_UNREACHABLE &&
                                    one.reason != WHERRY_REASON_NEARBY;
                           }));
}

// Beacons of one epoch have tags in common: that all 32 are there tells nobody how many contacts
// there are.
TEST_F(P2pLan, TwoBeaconsDoNotTellHowManyContactsThereAre) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  Tap tap = lan.tap();
  alice().start();
  const auto said = [&] {
    std::vector<Bytes> beacons;
    for (const Packet& one : tap.packets()) {
      if (is_beacon_of(alice(), one)) beacons.push_back(one.payload);
    }
    return beacons;
  };
  for (int i = 0; i < 100 && said().size() < 2; ++i) pump.quiet(100);
  ASSERT_GE(said().size(), 2u);
  const auto tags = [](const Bytes& beacon) {
    std::set<Bytes> all;
    for (std::size_t at = kNonceSize; at < beacon.size(); at += 32) {
      all.emplace(beacon.begin() + static_cast<std::ptrdiff_t>(at),
                  beacon.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    }
    return all;
  };
  EXPECT_TRUE(tags(said()[0]) == tags(said()[1]));
}

// How often a link to the other one was lost, or not found.
std::size_t losses(const Device& device, std::uint64_t other) {
  const auto reports = device.host().peer_reports();
  return static_cast<std::size_t>(std::ranges::count_if(reports, [&](const PeerReport& one) {
    return one.peer == other && one.state == WHERRY_PEER_STATE_UNREACHABLE &&
           one.reason != WHERRY_REASON_NEARBY;
  }));
}

// Who recorded a beacon says it again, from where they were: that cuts no link.
TEST_F(P2pLan, WhatIsSaidAgainFromWhereTheyWereCutsNoLink) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  Tap tap = lan.tap();
  alice().start();
  bob().start();
  ASSERT_TRUE(until_tapped(tap, [&](const Packet& one) { return is_beacon_of(bob(), one); }));
  const Bytes beacon = std::ranges::find_if(tap.packets(), [&](const Packet& one) {
                         return is_beacon_of(bob(), one);
                       })->payload;
  ASSERT_TRUE(see_each_other(alice(), bob()));
  ASSERT_TRUE(lan.run_at(2,
                         "ip address del 192.168.87.2/24 dev inside && "
                         "ip address add 192.168.87.200/24 broadcast 192.168.87.255 dev inside"));
  bob().network_changed();
  pump.quiet(4'000);
  EXPECT_TRUE(arrives_at_last(alice(), bob()));
  pump.quiet(4'000);
  const std::size_t before = losses(alice(), 2);
  for (int i = 0; i < 3; ++i) {
    {
      const Stranger mallory(lan, 3);
      ASSERT_TRUE(mallory.is_ready());
      ASSERT_TRUE(Stranger::send(Lan::address(2), kGroup4, beacon));
    }
    pump.quiet(3'500);
    arrives(alice(), bob());
  }
  EXPECT_EQ(losses(alice(), 2), before);
}

// A contact names a printer's address, by a datagram to this machine alone, as from anywhere.
TEST_F(P2pLan, WhatIsSentToOneAloneMakesNobodyKnock) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  bob().start();
  const auto of_bob = p2p::parse_endpoint(bob().endpoint_for(alice().number()));
  bob().stop();
  ASSERT_TRUE(of_bob);
  Tap tap = lan.tap();
  alice().start();
  std::set<std::string> knocked;
  for (int i = 0; i < 3; ++i) {
    const std::string printer = "192.168.87." + std::to_string(50 + i);
    ASSERT_TRUE(lan.run_at(3, "ip address add " + printer + "/24 dev inside"));
    {
      const Stranger mallory(lan, 2);
      ASSERT_TRUE(mallory.is_ready());
      const std::int64_t now = ::time(nullptr);
      const auto made = p2p::make_beacon(std::vector{of_bob->pass}, p2p::epoch_of(now),
                                         p2p::parse_address(printer + ":0")->ip, {9100, false});
      ASSERT_TRUE(Stranger::send(printer, Lan::address(1), Bytes(made.begin(), made.end())));
    }
    const std::size_t seen = alice().sightings(2);
    pump.until([&] { return alice().sightings(2) > seen; }, 1'000);
    alice().fails_to_reach(2);  // what the engine does when it has something to send
    pump.quiet(1'000);
  }
  for (const Packet& one : tap.packets()) {
    if (one.from == 1 && one.protocol == IPPROTO_TCP) {
      knocked.insert(one.destination + ":" + std::to_string(one.port));
    }
  }
  EXPECT_TRUE(knocked.empty());
}

// Likewise by multicast, from the network itself: it can not be told from a beacon, but is seldom.
TEST_F(P2pLan, AContactMakesThisMachineKnockSeldom) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  bob().start();
  const auto of_bob = p2p::parse_endpoint(bob().endpoint_for(alice().number()));
  bob().stop();
  ASSERT_TRUE(of_bob);
  Tap tap = lan.tap();
  alice().start();
  std::set<std::string> knocked;
  for (int i = 0; i < 10; ++i) {
    const std::string printer = "192.168.87." + std::to_string(50 + i);
    ASSERT_TRUE(lan.run_at(3, "ip address add " + printer + "/24 dev inside"));
    {
      const Stranger mallory(lan, 2);
      ASSERT_TRUE(mallory.is_ready());
      const auto made =
          p2p::make_beacon(std::vector{of_bob->pass}, p2p::epoch_of(std::time(nullptr)),
                           p2p::parse_address(printer + ":0")->ip, {9100, false});
      ASSERT_TRUE(Stranger::send(printer, kGroup4, Bytes(made.begin(), made.end())));
    }
    const std::size_t seen = alice().sightings(2);
    pump.until([&] { return alice().sightings(2) > seen; }, 1'000);
    alice().fails_to_reach(2);
  }
  for (const Packet& one : tap.packets()) {
    if (one.from == 1 && one.protocol == IPPROTO_TCP) {
      knocked.insert(one.destination + ":" + std::to_string(one.port));
    }
  }
  EXPECT_LE(knocked.size(), 5u);
}

// A contact names this machine's own IPv6 address.
TEST_F(P2pLan, OnesOwnAddressIsNobodyElses) {
  if (!begin(3, Lan::Addresses::kLinkLocal)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  bob().start();
  const auto of_bob = p2p::parse_endpoint(bob().endpoint_for(alice().number()));
  bob().stop();
  ASSERT_TRUE(of_bob);
  alice().start();
  p2p::Address own;
  {
    const InNamespace there(lan.host(1));
    own = p2p::lan_addresses().at(0).address;
  }
  {
    const InNamespace there(lan.host(2));
    const transports::Descriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    const unsigned by = ::if_nametoindex("inside");
    own.scope = by;
    own.port = 5000;
    const auto made = p2p::make_beacon(std::vector{of_bob->pass}, p2p::epoch_of(std::time(nullptr)),
                                       own.ip, {5432, false});
    sockaddr_storage from{};
    sockaddr_storage to{};
    const auto from_size = p2p::to_system(own, from);
    const auto to_size = p2p::to_system(*p2p::parse_address("[ff12::7768:6572:7279]:36717"), to);
    ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on), 0);
    ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_IF, &by, sizeof by), 0);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&from), from_size), 0);
    ASSERT_GT(::sendto(socket.get(), made.data(), made.size(), 0, reinterpret_cast<sockaddr*>(&to),
                       to_size),
              0);
  }
  pump.until([&] { return alice().sightings(2) > 0; }, 3'000);
  EXPECT_EQ(alice().sightings(2), 0u);
}

// Small datagrams of a stranger take no place from what is worth a look.
TEST_F(P2pLan, AFloodOfNothingHidesNobody) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  alice().start();
  std::atomic<bool> over{false};
  std::thread flood([&] {
    const Stranger mallory(lan, 3);
    const transports::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const ip_mreqn by{{}, {}, static_cast<int>(::if_nametoindex("inside"))};
    ::setsockopt(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by);
    sockaddr_storage to{};
    const auto size = p2p::to_system(*p2p::parse_address("239.255.87.82:36717"), to);
    while (!over) {
      for (int i = 0; i < 200; ++i) {
        ::sendto(socket.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&to), size);
      }
      ::usleep(10'000);
    }
  });
  pump.quiet(2'000);
  bob().start();
  const bool seen = see_each_other(alice(), bob(), 10'000);
  over = true;
  flood.join();
  EXPECT_TRUE(seen);
}

// Whether the app is told of it, and tells the transport.
class P2pLanLate : public P2pLan, public ::testing::WithParamInterface<bool> {};

// A device that was started without a network, as a laptop whose lid is opened on the way.
TEST_P(P2pLanLate, WhoComesIntoTheNetworkIsFound) {
  constexpr std::int64_t kNextLook = 20'000;
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  ASSERT_TRUE(lan.run_at(2, "ip link set inside down && ip address flush dev inside"));
  alice().start();
  bob().start();
  ASSERT_TRUE(lan.run_at(2,
                         "ip address add 192.168.87.2/24 broadcast 192.168.87.255 dev inside && "
                         "ip link set inside up"));
  if (GetParam()) bob().network_changed();
  ASSERT_TRUE(see_each_other(alice(), bob(), kNextLook));
  EXPECT_TRUE(arrives(alice(), bob()));
  EXPECT_TRUE(arrives(bob(), alice()));
}

INSTANTIATE_TEST_SUITE_P(Lan, P2pLanLate, ::testing::Bool(), [](const auto& one) {
  return one.param ? "AndItIsSaid" : "AndNobodySaysSo";
});

// Bob's endpoint names a place where packets vanish. He comes while Alice waits for it.
TEST_F(P2pLan, WhoIsFoundWhileTriedElsewhereIsReachedAtOnce) {
  if (!begin(2)) GTEST_SKIP() << Lan::kNeeds;
  bob().set({{"lan", "on"}, {"advertise", "203.0.113.9:5000"}});
  alice().set({{"lan", "on"}, {"allow", "203.0.113.0/24"}});
  for (const auto& [device, other] : {std::pair(&alice(), &bob()), std::pair(&bob(), &alice())}) {
    device->start();
    const std::string endpoint = device->endpoint_for(other->number());
    device->stop();
    other->learn(device->number(), endpoint);
  }
  ASSERT_TRUE(lan.run_at(1, "ip route add 203.0.113.9 via " + Lan::address(2)));
  alice().start();
  const Bytes envelope(500, 9);
  const std::uint64_t id = alice().host().send_one(bob().number(), envelope);
  pump.quiet(500);
  EXPECT_FALSE(alice().host().last_sent(id));
  bob().start();
  EXPECT_TRUE(pump.until([&] { return has(bob(), alice(), envelope); }, kSoon));
}

}  // namespace
}  // namespace wherry::test
