// What is said on a local network, without a network.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "transports/p2p/beacon.h"

namespace wherry::transports::p2p {
namespace {

constexpr std::uint32_t kNow = 2'000'000;
constexpr std::uint64_t kBob = 7;
const Ip kHere = parse_address("192.168.1.2:0")->ip;
const Ip kThere = parse_address("192.168.1.3:0")->ip;

Key pass(std::uint8_t fill) {
  Key key;
  key.fill(fill);
  return key;
}

std::vector<Key> passes(std::size_t count) {
  std::vector<Key> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(pass(static_cast<std::uint8_t>(i)));
  return all;
}

// Whom somebody who knows Bob by his fifth pass understands.
std::vector<Recognizer::Sighting> understood(std::span<const std::uint8_t> datagram,
                                             const Ip& source = kHere, std::uint32_t epoch = kNow) {
  Recognizer alice;
  alice.add(kBob, pass(5));
  return alice.read(datagram, source, epoch);
}

// Eight bytes at the beginning of each slot.
std::set<std::vector<std::uint8_t>> tags(const Beacon& beacon) {
  std::set<std::vector<std::uint8_t>> all;
  for (std::size_t i = 0; i < kBeaconSlots; ++i) {
    const auto begin = beacon.begin() + static_cast<std::ptrdiff_t>(kNonceSize + i * kSlotSize);
    all.emplace(begin, begin + 8);
  }
  return all;
}

TEST(P2pBeacon, IsUnderstoodByWhomItIsFor) {
  for (const Whereabouts& where :
       {Whereabouts{1234, false}, Whereabouts{65535, true}, Whereabouts{1, true, true}}) {
    const auto seen = understood(make_beacon(passes(kBeaconSlots), kNow, kHere, where));
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].peer, kBob);
    EXPECT_EQ(seen[0].where, where);
  }
  EXPECT_TRUE(understood(make_beacon(passes(5), kNow, kHere, {1234, false})).empty());
  Recognizer nobody;
  nobody.add(kBob, pass(5));
  nobody.remove(kBob);
  EXPECT_TRUE(nobody.read(make_beacon(passes(9), kNow, kHere, {1, false}), kHere, kNow).empty());
}

TEST(P2pBeacon, IsWorthNothingFromElsewhereOrChanged) {
  const Beacon beacon = make_beacon(passes(kBeaconSlots), kNow, kHere, {1234, false});
  EXPECT_TRUE(understood(beacon, kThere).empty());
  for (std::size_t i = 0; i < beacon.size(); ++i) {
    Beacon changed = beacon;
    changed.at(i) ^= 1;
    const auto seen = understood(changed);
    EXPECT_TRUE(seen.empty() || seen[0].where == (Whereabouts{1234, false})) << i;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, beacon.size() - 1}) {
    EXPECT_TRUE(understood(std::span(beacon).first(size)).empty());
  }
  std::vector<std::uint8_t> longer(beacon.begin(), beacon.end());
  longer.push_back(0);
  EXPECT_TRUE(understood(longer).empty());
}

TEST(P2pBeacon, ClocksMayDifferByAnEpoch) {
  const Beacon beacon = make_beacon(passes(kBeaconSlots), kNow, kHere, {1234, false});
  Recognizer alice;
  alice.add(kBob, pass(5));
  for (const auto& [epoch, seen] : std::map<std::uint32_t, std::size_t>{
           {kNow - 2, 0}, {kNow - 1, 1}, {kNow, 1}, {kNow + 1, 1}, {kNow + 2, 0}}) {
    EXPECT_EQ(alice.read(beacon, kHere, epoch).size(), seen) << epoch;
  }
  EXPECT_EQ(epoch_of(900 * 5 + 899), 5u);
  EXPECT_EQ(epoch_of(900 * 6), 6u);
}

// Clocks that were never set begin there, and one may be behind it.
TEST(P2pBeacon, TheFirstEpochIsOneAsWell) {
  for (const std::uint32_t epoch : {epoch_of(5), epoch_of(-5)}) {
    const Beacon beacon = make_beacon(passes(kBeaconSlots), epoch, kHere, {1234, false});
    EXPECT_EQ(understood(beacon, kHere, epoch).size(), 1u);
  }
  EXPECT_NE(epoch_of(-5), epoch_of(5));
}

// Two of one device have nothing in common but the tags of one epoch: two epochs, nothing.
TEST(P2pBeacon, NamesNobody) {
  const auto said = [](std::uint32_t epoch) {
    return make_beacon(passes(3), epoch, kHere, {1234, false});
  };
  const auto in_common = [](const Beacon& a, const Beacon& b) {
    const auto left = tags(a);
    const auto right = tags(b);
    std::vector<std::vector<std::uint8_t>> both;
    std::ranges::set_intersection(left, right, std::back_inserter(both));
    return both.size();
  };
  EXPECT_EQ(in_common(said(kNow), said(kNow)), 3u);
  EXPECT_EQ(in_common(said(kNow), said(kNow + 1)), 0u);
  // What is sealed differs each time, also in what every beacon of this device has: the port.
  const Beacon one = said(kNow);
  const Beacon other = said(kNow);
  std::set<std::vector<std::uint8_t>> windows;
  for (std::size_t i = 0; i + 9 <= one.size(); ++i) {
    windows.emplace(one.begin() + static_cast<std::ptrdiff_t>(i),
                    one.begin() + static_cast<std::ptrdiff_t>(i + 9));
  }
  for (std::size_t i = 0; i + 9 <= other.size(); ++i) {
    EXPECT_FALSE(windows.contains({other.begin() + static_cast<std::ptrdiff_t>(i),
                                   other.begin() + static_cast<std::ptrdiff_t>(i + 9)}))
        << i;
  }
}

// A place in it tells nothing either.
TEST(P2pBeacon, PlacesAreDrawn) {
  std::set<std::size_t> places;
  for (int i = 0; i < 300; ++i) {
    const Beacon beacon = make_beacon(passes(1), kNow, kHere, {1234, false});
    const Beacon again = make_beacon(passes(1), kNow, kHere, {1234, false});
    const auto left = tags(beacon);
    for (std::size_t slot = 0; slot < kBeaconSlots; ++slot) {
      const auto begin = again.begin() + static_cast<std::ptrdiff_t>(kNonceSize + slot * kSlotSize);
      if (left.contains({begin, begin + 8})) places.insert(slot);
    }
  }
  EXPECT_GT(places.size(), kBeaconSlots * 3 / 4);
}

// What anybody can compute who has the pass: by Python's hashlib (BLAKE2b, RFC 7693).
TEST(P2pBeacon, HasTheTagOfItsContext) {
  const Beacon beacon = make_beacon(std::vector{pass(5)}, kNow, kHere, {1234, false});
  EXPECT_TRUE(tags(beacon).contains({0x79, 0xf1, 0x1b, 0x3a, 0x82, 0x7c, 0x93, 0x7a}));
}

}  // namespace
}  // namespace wherry::transports::p2p
