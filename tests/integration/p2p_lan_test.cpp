// Devices on one local network find each other there, although their endpoints name no address.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "p2p_lan_fixture.h"

namespace wherry::test {
namespace {

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
  const std::size_t before = alice().losses(bob().number());
  for (int round = 0; round < 3; ++round) {
    // Somebody new to be found: both addresses are said again, three times.
    const auto unknown = p2p::Endpoint{{}, p2p::Key{static_cast<std::uint8_t>(round + 1)}, {}, {}};
    bob().learn(100 + static_cast<std::uint64_t>(round), p2p::to_text(unknown));
    pump.quiet(5'000);
  }
  EXPECT_EQ(alice().losses(bob().number()), before);
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
