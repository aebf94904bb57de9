// The contract: inboxes, endpoints, peers, and what a path reveals.
#include <algorithm>
#include <cstring>

#include "tests/contract/contract.h"

namespace wherry::test {
namespace {

TEST_P(TransportContract, OpensAnInboxOnceHoweverOftenItIsAsked) {
  ASSERT_EQ(bob().create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(bob().start_and_wait(kLimitMs));
  const std::string first = open(bob(), kInbox, 1);
  ASSERT_FALSE(first.empty());
  const std::size_t before = bob().inbox_reports().size();
  ASSERT_EQ(bob().open_inbox(kInbox, secret(1)), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(until([&] { return bob().inbox_reports().size() > before; })) << "no second answer";
  EXPECT_EQ(bob().endpoint(kInbox), first);
}

TEST_P(TransportContract, OpensBeforeStart) {
  ASSERT_EQ(bob().create(), WHERRY_TRANSPORT_OK);
  ASSERT_EQ(bob().open_inbox(kInbox, secret(1)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(bob().start_and_wait(kLimitMs));
  EXPECT_TRUE(until([&] { return bob().endpoint(kInbox).has_value(); }));
}

TEST_P(TransportContract, DerivesTheEndpointFromTheSecretAlone) {
  const std::string first = connect();
  const std::string other = open(bob(), kInbox + 1, 2);
  EXPECT_NE(first, other);
  ASSERT_TRUE(bob().stop_and_wait(kStopLimitMs));
  bob().destroy();
  renew(1);
  ASSERT_EQ(bob().create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(bob().start_and_wait(kLimitMs));
  EXPECT_EQ(open(bob(), 77, 1), first);
  EXPECT_EQ(open(bob(), 78, 2), other);
}

TEST_P(TransportContract, RefusesTruncatedEndpoints) {
  const std::string endpoint = connect();
  for (std::size_t length = 0; length < endpoint.size(); ++length) {
    EXPECT_EQ(alice().add_peer(kPeer + 1, endpoint.substr(0, length)), WHERRY_TRANSPORT_E_ENDPOINT)
        << "the first " << length << " characters of " << endpoint;
  }
}

TEST_P(TransportContract, RefusesEndpointsWithForeignCharacters) {
  const std::string endpoint = connect();
  for (int character = 1; character < 256; ++character) {
    const bool printable = character > ' ' && character <= '~';
    if (printable) continue;
    for (const std::size_t at : {std::size_t{0}, endpoint.size() / 2, endpoint.size()}) {
      std::string changed = endpoint;
      changed.insert(at, 1, static_cast<char>(character));
      EXPECT_EQ(alice().add_peer(kPeer + 1, changed), WHERRY_TRANSPORT_E_ENDPOINT)
          << "character " << character << " at " << at;
    }
  }
}

TEST_P(TransportContract, RefusesLongAndForeignEndpoints) {
  const std::string endpoint = connect();
  const std::vector<std::string> foreign = {
      endpoint + "A",
      endpoint + "=",
      endpoint + "/",
      endpoint + endpoint,
      endpoint + std::string(WHERRY_ENDPOINT_SIZE_MAX, 'A'),
      std::string(WHERRY_ENDPOINT_SIZE_MAX, 'A'),
      std::string(1'000'000, 'A'),
      "A" + endpoint,
      "zz9:" + endpoint,
      "zz9:" + endpoint.substr(std::min<std::size_t>(4, endpoint.size())),
      ":",
      "/",
      "//",
      "https://127.0.0.1/",
      "127.0.0.1:1",
  };
  for (const std::string& text : foreign) {
    EXPECT_EQ(alice().add_peer(kPeer + 1, text), WHERRY_TRANSPORT_E_ENDPOINT)
        << text.substr(0, 300);
  }
  const Bytes bytes = envelope(10, 1);
  EXPECT_EQ(alice().send_one(kPeer + 1, bytes), 0U) << "a refused endpoint became a peer";
}

// A flipped bit is refused, or names another inbox: it never leads to the one that was meant.
TEST_P(TransportContract, FlippedBitsNeverReachTheInbox) {
  const std::string endpoint = connect();
  std::uint64_t peer = kPeer;
  std::vector<std::uint64_t> sent;
  for (std::size_t at = 0; at < endpoint.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = endpoint;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
      if (changed[at] == '\0') continue;
      const std::int32_t status = alice().add_peer(++peer, changed);
      ASSERT_TRUE(status == WHERRY_TRANSPORT_OK || status == WHERRY_TRANSPORT_E_ENDPOINT);
      if (bit == 7) {
        EXPECT_EQ(status, WHERRY_TRANSPORT_E_ENDPOINT) << "not ASCII: " << at;
      }
      if (status != WHERRY_TRANSPORT_OK) continue;
      for (const std::uint64_t id : send_all(alice(), peer, {envelope(50, 1)})) sent.push_back(id);
    }
  }
  exchange(2);
  for (const std::uint64_t id : sent) {
    EXPECT_GE(outcome(alice(), id).outcome, WHERRY_OUTCOME_FAILED_RETRY) << "claimed delivered";
  }
  EXPECT_FALSE(holds(bob(), envelope(50, 1)));
}

TEST_P(TransportContract, AnInboxThatWasClosedFailsAloud) {
  connect();
  const std::string closed = open(bob(), kInbox + 1, 9);
  ASSERT_EQ(bob().close_inbox(kInbox + 1), WHERRY_TRANSPORT_OK);
  quiet();
  ASSERT_EQ(alice().add_peer(kPeer + 1, closed), WHERRY_TRANSPORT_OK);
  const auto ids = send_all(alice(), kPeer + 1, {envelope(50, 1)});
  EXPECT_GE(outcome(alice(), ids.front()).outcome, WHERRY_OUTCOME_FAILED_RETRY);
  EXPECT_FALSE(holds(bob(), envelope(50, 1)));
}

TEST_P(TransportContract, RevealsNoMoreThanItsWorstCaseAndAlwaysTheSame) {
  const std::string endpoint = connect();
  wherry_reveals first{};
  wherry_reveals again{};
  std::memset(&first, 0xa5, sizeof(first));
  ASSERT_EQ(alice().add_peer(kPeer + 1, endpoint, &first), WHERRY_TRANSPORT_OK);
  for (std::size_t i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
    EXPECT_EQ(first.facts[i] & ~description().reveals_worst.facts[i], 0U) << "observer " << i;
  }
  ASSERT_EQ(alice().remove_peer(kPeer + 1), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(alice().stop_and_wait(kStopLimitMs));
  std::memset(&again, 0x5a, sizeof(again));
  ASSERT_EQ(alice().add_peer(kPeer + 1, endpoint, &again), WHERRY_TRANSPORT_OK);
  EXPECT_EQ(std::memcmp(&first, &again, sizeof(first)), 0);
}

// What is permitted is asked before there is an instance.
TEST_P(TransportContract, SaysWhatBeingOnlineRevealsFromItsSettingsAlone) {
  if (plugin().listening == nullptr) GTEST_SKIP() << "its worst case counts";
  const Settings& settings = fixture_.settings[0];
  std::vector<wherry_setting> list;
  for (const auto& [name, value] : settings) list.push_back({name.c_str(), value.c_str()});
  wherry_reveals reveals{};
  std::memset(&reveals, 0xa5, sizeof(reveals));
  ASSERT_EQ(plugin().listening(list.data(), list.size(), &reveals), WHERRY_TRANSPORT_OK);
  for (std::size_t i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
    EXPECT_EQ(reveals.facts[i] & ~description().reveals_worst.facts[i], 0U) << "observer " << i;
  }
}

TEST_P(TransportContract, ForgetsARemovedPeer) {
  const std::string endpoint = connect();
  ASSERT_EQ(alice().remove_peer(kPeer), WHERRY_TRANSPORT_OK);
  EXPECT_EQ(alice().send_one(kPeer, envelope(10, 1)), 0U);
  EXPECT_EQ(alice().remove_peer(kPeer), WHERRY_TRANSPORT_E_ARGUMENT);
  ASSERT_EQ(alice().add_peer(kPeer, endpoint), WHERRY_TRANSPORT_OK);
  exchange(2);
}

TEST_P(TransportContract, RemovesAPeerWithEnvelopesQueued) {
  const std::string endpoint = connect();
  ASSERT_EQ(alice().add_peer(kPeer + 1, endpoint), WHERRY_TRANSPORT_OK);
  for (std::uint32_t i = 0; i < 100; ++i) alice().send_one(kPeer, envelope(500, i));
  ASSERT_EQ(alice().remove_peer(kPeer), WHERRY_TRANSPORT_OK);
  const Bytes last = envelope(500, 1000);
  send_all(alice(), kPeer + 1, {last});
  EXPECT_TRUE(arrives(bob(), {last}));
}

// Whatever was half done for a peer when it was removed must not stand in the way of another one.
TEST_P(TransportContract, RemovesPeersWhileTheyAreConnected) {
  const std::string endpoint = connect();
  ASSERT_EQ(alice().add_peer(kPeer + 1, endpoint), WHERRY_TRANSPORT_OK);
  for (std::uint32_t i = 0; i < 100; ++i) {
    alice().send_one(kPeer, envelope(100, i));
    fixture_.pump->quiet(i % 4);
    ASSERT_EQ(alice().remove_peer(kPeer), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(alice().add_peer(kPeer, endpoint), WHERRY_TRANSPORT_OK);
  }
  const Bytes last = envelope(100, 1000);
  send_all(alice(), kPeer + 1, {last});
  EXPECT_TRUE(arrives(bob(), {last}));
}

TEST_P(TransportContract, SaysWhatBecameOfEnvelopesForAPeerThatWasAddedAgain) {
  const std::string endpoint = connect();
  exchange(1);
  std::vector<Bytes> sent;
  for (std::uint32_t i = 0; i < 50; ++i) {
    send_all(alice(), kPeer, std::vector<Bytes>(20, envelope(5'000, i)));  // so that it is busy
    ASSERT_EQ(alice().remove_peer(kPeer), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(alice().add_peer(kPeer, endpoint), WHERRY_TRANSPORT_OK);
    const Bytes bytes = envelope(100, 100 + i);
    const auto ids = send_all(alice(), kPeer, {bytes});
    if (outcome(alice(), ids.front()).outcome <= WHERRY_OUTCOME_STORED) sent.push_back(bytes);
  }
  EXPECT_TRUE(arrives(bob(), sent));
}

TEST_P(TransportContract, KeepsTwoInboxesApart) {
  connect();
  const std::string second = open(bob(), kInbox + 1, 2);
  ASSERT_EQ(alice().add_peer(kPeer + 1, second), WHERRY_TRANSPORT_OK);
  std::vector<Bytes> all;
  for (std::uint32_t i = 0; i < 40; ++i) {
    all.push_back(envelope(100, i));
    send_all(alice(), kPeer + i % 2, {all.back()});
  }
  ASSERT_TRUE(arrives(bob(), all));
  for (const Received& one : bob().received()) {
    EXPECT_EQ(one.inbox, kInbox + one.envelope[0] % 2);
  }
}

TEST_P(TransportContract, NothingArrivesAtAClosedInbox) {
  connect();
  const std::string second = open(bob(), kInbox + 1, 2);
  ASSERT_EQ(bob().close_inbox(kInbox), WHERRY_TRANSPORT_OK);
  quiet();
  send_all(alice(), kPeer, {envelope(100, 1)});
  ASSERT_EQ(alice().add_peer(kPeer + 1, second), WHERRY_TRANSPORT_OK);
  send_all(alice(), kPeer + 1, {envelope(100, 2)});
  ASSERT_TRUE(arrives(bob(), {envelope(100, 2)}));
  quiet();
  EXPECT_FALSE(holds(bob(), envelope(100, 1)));
  EXPECT_EQ(bob().close_inbox(kInbox), WHERRY_TRANSPORT_E_ARGUMENT);
}

}  // namespace
}  // namespace wherry::test
