// What neighbours and contacts on a local network can do to those who find each other there: who
// was told no endpoint learns nothing, and misleads nobody.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "p2p_lan_fixture.h"
#include "transports/p2p/beacon.h"

namespace wherry::test {
namespace {

// Bob is the contact who is not to be trusted.
class P2pLanHostile : public P2pLan {
 protected:
  // By which Bob knows himself to Alice, who knows his endpoint.
  std::optional<p2p::Key> told_pass() {
    acquaint(alice(), bob());
    bob().start();
    const auto endpoint = p2p::parse_endpoint(bob().endpoint_for(alice().number()));
    bob().stop();
    return endpoint ? std::optional(endpoint->pass) : std::nullopt;
  }
  static Bytes beacon_by(const p2p::Key& pass, const p2p::Ip& source, std::uint16_t port) {
    const auto made = p2p::make_beacon(std::vector{pass}, p2p::epoch_of(std::time(nullptr)), source,
                                       {port, false});
    return {made.begin(), made.end()};
  }
  static p2p::Address group(const char* ip) {
    const std::string text = ip == kGroup6 ? "[" + std::string(ip) + "]" : ip;
    return *p2p::parse_address(text + ":" + std::to_string(kBeaconPort));
  }

  // Where Alice knocks when she has something to send to Bob, who names printers one after the
  // other.
  std::set<std::string> knocked_at(const std::string& to, int printers) {
    std::set<std::string> knocked;
    const auto pass = told_pass();
    EXPECT_TRUE(pass);
    Tap tap = lan.tap();
    alice().start();
    for (int i = 0; pass && i < printers; ++i) {
      const std::string printer = "192.168.87." + std::to_string(50 + i);
      EXPECT_TRUE(lan.run_at(3, "ip address add " + printer + "/24 dev inside"));
      {
        const Stranger mallory(lan, 2);
        EXPECT_TRUE(mallory.is_ready());
        const p2p::Ip ip = p2p::parse_address(printer + ":0")->ip;
        EXPECT_TRUE(Stranger::send(printer, to, beacon_by(*pass, ip, 9100)));
      }
      const std::size_t seen = alice().sightings(2);
      pump.until([&] { return alice().sightings(2) > seen; }, 1'000);
      alice().fails_to_reach(2);
    }
    pump.quiet(1'000);
    for (const Packet& one : tap.packets()) {
      if (one.from == 1 && one.protocol == IPPROTO_TCP) {
        knocked.insert(one.destination + ":" + std::to_string(one.port));
      }
    }
    return knocked;
  }
};

// Mallory hears all that Bob says, and Alice hears nothing of Bob but what Mallory says again.
TEST_F(P2pLanHostile, WhatAnotherSaysAgainLeadsNobodyToThem) {
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
  const Bytes beacon = beacon_of(bob(), tap);
  ASSERT_NE(beacon, Bytes());
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

TEST_F(P2pLanHostile, GarbageDoesNoHarm) {
  constexpr int kMallory = 3;
  constexpr int kDatagrams = 20'000;
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  Bytes beacon;
  {
    Tap tap = lan.tap();
    bob().start();
    beacon = beacon_of(bob(), tap);
    bob().stop();
  }
  ASSERT_NE(beacon, Bytes());
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

// Beacons of one epoch have tags in common: that all 32 are there tells nobody how many contacts
// there are.
TEST_F(P2pLanHostile, TwoBeaconsDoNotTellHowManyContactsThereAre) {
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

// Who recorded a beacon says it again, from where they were: that cuts no link.
TEST_F(P2pLanHostile, WhatIsSaidAgainFromWhereTheyWereCutsNoLink) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  ASSERT_NO_FATAL_FAILURE(acquaint(alice(), bob()));
  Tap tap = lan.tap();
  alice().start();
  bob().start();
  const Bytes beacon = beacon_of(bob(), tap);
  ASSERT_NE(beacon, Bytes());
  ASSERT_TRUE(see_each_other(alice(), bob()));
  ASSERT_TRUE(lan.run_at(2,
                         "ip address del 192.168.87.2/24 dev inside && "
                         "ip address add 192.168.87.200/24 broadcast 192.168.87.255 dev inside"));
  bob().network_changed();
  pump.quiet(4'000);
  EXPECT_TRUE(arrives_at_last(alice(), bob()));
  pump.quiet(4'000);
  const std::size_t before = alice().losses(2);
  for (int i = 0; i < 3; ++i) {
    {
      const Stranger mallory(lan, 3);
      ASSERT_TRUE(mallory.is_ready());
      ASSERT_TRUE(Stranger::send(Lan::address(2), kGroup4, beacon));
    }
    pump.quiet(3'500);
    arrives(alice(), bob());
  }
  EXPECT_EQ(alice().losses(2), before);
}

// A contact names a printer's address, by a datagram to this machine alone, as from anywhere.
TEST_F(P2pLanHostile, WhatIsSentToOneAloneMakesNobodyKnock) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  EXPECT_EQ(knocked_at(Lan::address(1), 3), std::set<std::string>());
}

// Likewise by multicast, from the network itself: it can not be told from a beacon, but is seldom.
TEST_F(P2pLanHostile, AContactMakesThisMachineKnockSeldom) {
  if (!begin(3)) GTEST_SKIP() << Lan::kNeeds;
  EXPECT_LE(knocked_at(kGroup4, 10).size(), 5u);
}

// A contact names this machine's own IPv6 address.
TEST_F(P2pLanHostile, OnesOwnAddressIsNobodyElses) {
  if (!begin(3, Lan::Addresses::kLinkLocal)) GTEST_SKIP() << Lan::kNeeds;
  const auto pass = told_pass();
  ASSERT_TRUE(pass);
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
    const Bytes made = beacon_by(*pass, own.ip, 5432);
    sockaddr_storage from{};
    sockaddr_storage to{};
    const auto from_size = p2p::to_system(own, from);
    const auto to_size = p2p::to_system(group(kGroup6), to);
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
TEST_F(P2pLanHostile, AFloodOfNothingHidesNobody) {
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
    const auto size = p2p::to_system(group(kGroup4), to);
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

}  // namespace
}  // namespace wherry::test
