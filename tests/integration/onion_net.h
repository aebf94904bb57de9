// Ann, who has a link to Bob over a private Tor network of which one relay may die.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "tests/integration/tornet/tornet.h"
#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/onion/onion.h"

namespace wherry::test {

inline constexpr std::uint64_t kInbox = 1;
inline constexpr std::uint64_t kPeer = 2;
inline constexpr std::int64_t kLimit_ms = 60'000;
// Tor launches 28 circuits to introduction points of a service in five minutes, and no more: where
// the relay that dies is the only way in of its tor, they may be used up in seconds.
inline constexpr std::int64_t kRecovery_ms = 360'000;

inline TorNet& six_relays() {
  static TorNet six(6);  // one may die
  return six;
}

inline Settings settings_of(const std::string& name) {
  return {{"folder", six_relays().client_folder(name)}, {"torrc", six_relays().torrc()}};
}

class OnionNet : public ::testing::Test {
 protected:
  void begin(const Settings& more_of_bob = {}, const Settings& of_ann = settings_of("ann")) {
    Settings of_bob = settings_of("bob");
    of_bob.insert(of_bob.end(), more_of_bob.begin(), more_of_bob.end());
    ann.emplace(*wherry_transport_onion(), pump, of_ann);
    bob.emplace(*wherry_transport_onion(), pump, of_bob);
    for (TransportHost* host : {&*ann, &*bob}) {
      ASSERT_EQ(host->create(), WHERRY_TRANSPORT_OK);
      ASSERT_TRUE(host->start_and_wait(kLimit_ms));
    }
    ASSERT_EQ(bob->open_inbox(kInbox, Bytes(32, 7)), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(pump.until([&] { return bob->endpoint(kInbox).has_value(); }, kLimit_ms));
    ASSERT_EQ(ann->add_peer(kPeer, *bob->endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  }
  void TearDown() override {
    for (auto* host : {&ann, &bob}) {
      if (!*host) continue;
      EXPECT_TRUE((*host)->stop_and_wait(2'000));
      (*host)->destroy();
      EXPECT_EQ((*host)->violations(), std::vector<std::string>());
    }
  }
  // Sends it again and again, as a host does, until it is there.
  bool arrives(std::uint8_t which, std::int64_t limit_ms) {
    const std::size_t before = bob->received_count();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
    while (std::chrono::steady_clock::now() < deadline) {
      const std::uint64_t id = ann->send_one(kPeer, Bytes(100, which));
      const auto ended = [&] {
        const auto report = ann->last_sent(id);
        return bob->received_count() > before ||
               (report && report->outcome == WHERRY_OUTCOME_FAILED_RETRY);
      };
      pump.until(ended, kLimit_ms);
      if (bob->received_count() > before) return true;
      const auto report = ann->last_sent(id);
      if (report) EXPECT_NE(report->reason, WHERRY_REASON_NOT_ALLOWED) << "tor has lost the key";
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    return false;
  }

  RealPump pump;
  std::optional<TransportHost> ann;
  std::optional<TransportHost> bob;
};

}  // namespace wherry::test
