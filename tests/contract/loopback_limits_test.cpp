// What the contract cannot ask of every transport: the loopback's own limits and settings.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/transport_host.h"
#include "transports/loopback/hub.h"
#include "transports/loopback/limits.h"
#include "transports/loopback/loopback.h"

namespace wherry::test {
namespace {

using loopback::Address;
using loopback::Hub;
using loopback::Token;

constexpr std::int64_t kLimitMs = 10'000;

struct SilentReader final : loopback::Reader {
  void wake() override {}
};

TEST(LoopbackHub, RefusesMoreThanAnInboxHoldsAndDropsNothing) {
  Hub hub;
  SilentReader reader;
  ASSERT_TRUE(hub.attach(Address{1}, Token{1}, &reader));
  for (std::size_t i = 0; i < loopback::kInboxEnvelopesMax; ++i) {
    ASSERT_EQ(hub.store(Address{1}, Token{1}, Bytes(10)), WHERRY_REASON_NONE);
  }
  EXPECT_EQ(hub.store(Address{1}, Token{1}, Bytes(10)), WHERRY_REASON_FULL);
  const auto kept = hub.fetch(Address{1}, 2 * loopback::kInboxEnvelopesMax);
  ASSERT_EQ(kept.size(), loopback::kInboxEnvelopesMax);
  hub.erase(Address{1}, kept.front().id);
  EXPECT_EQ(hub.store(Address{1}, Token{1}, Bytes(10)), WHERRY_REASON_NONE);
}

TEST(LoopbackHub, CountsTheBytesOfAnInbox) {
  Hub hub;
  SilentReader reader;
  ASSERT_TRUE(hub.attach(Address{1}, Token{1}, &reader));
  const Bytes large(WHERRY_ENVELOPE_SIZE_MAX);
  std::size_t stored = 0;
  while (hub.store(Address{1}, Token{1}, large) == WHERRY_REASON_NONE) ++stored;
  EXPECT_EQ(stored, loopback::kInboxBytesMax / large.size());
  EXPECT_EQ(hub.store(Address{1}, Token{1}, large), WHERRY_REASON_FULL);
  ASSERT_TRUE(hub.attach(Address{2}, Token{2}, &reader));
  EXPECT_EQ(hub.store(Address{2}, Token{2}, large), WHERRY_REASON_NONE) << "a limit of each inbox";
}

TEST(LoopbackHub, TellsAWrongTokenFromAnUnknownInbox) {
  Hub hub;
  SilentReader reader;
  ASSERT_TRUE(hub.attach(Address{1}, Token{1}, &reader));
  EXPECT_EQ(hub.store(Address{1}, Token{2}, Bytes(10)), WHERRY_REASON_NOT_ALLOWED);
  EXPECT_EQ(hub.store(Address{2}, Token{1}, Bytes(10)), WHERRY_REASON_NOT_FOUND);
}

TEST(LoopbackHub, ForgetsABundleWhenItsTimeIsOver) {
  Hub hub;
  EXPECT_EQ(hub.put_bundle({1}, {1}, Bytes(10), std::chrono::seconds(0)), WHERRY_REASON_NONE);
  EXPECT_FALSE(hub.get_bundle({1}).has_value());
  EXPECT_EQ(hub.put_bundle({1}, {2}, Bytes(10), std::chrono::seconds(60)), WHERRY_REASON_NONE);
  EXPECT_TRUE(hub.get_bundle({1}).has_value());
}

TEST(Loopback, RefusesABadHubName) {
  RealPump pump;
  for (const std::string& hub : {std::string(), std::string("Hub"), std::string("a/b"),
                                 std::string(33, 'a'), std::string("a b")}) {
    TransportHost host(*wherry_transport_loopback(), pump, {{"hub", hub}});
    EXPECT_EQ(host.create(), WHERRY_TRANSPORT_E_SETTING) << hub;
    EXPECT_FALSE(host.log_lines().empty()) << hub;
  }
}

// After a restart of the process the hub is another one: what was STORED there is gone.
TEST(Loopback, SaysThatTheHubIsAnother) {
  RealPump pump;
  HostMemory memory;
  const Bytes secret(WHERRY_TRANSPORT_SECRET_SIZE, 3);
  for (const std::string hub : {"limits-before", "limits-after"}) {
    TransportHost bob(*wherry_transport_loopback(), pump, {{"hub", hub}});
    ASSERT_EQ(bob.create(), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(bob.open_inbox(1, secret), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(bob.start_and_wait(kLimitMs));
    ASSERT_TRUE(pump.until([&] { return bob.endpoint(1).has_value(); }, kLimitMs));

    TransportHost alice(*wherry_transport_loopback(), pump, {{"hub", hub}}, &memory);
    ASSERT_EQ(alice.create(), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(alice.add_peer(2, *bob.endpoint(1)), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(alice.start_and_wait(kLimitMs));
    ASSERT_TRUE(alice.stop_and_wait(kLimitMs));
    const auto reports = alice.peer_reports();
    const bool reset = std::any_of(reports.begin(), reports.end(), [](const PeerReport& report) {
      return report.peer == 2 && report.state == WHERRY_PEER_STATE_RESET;
    });
    EXPECT_EQ(reset, hub == "limits-after");
  }
}

}  // namespace
}  // namespace wherry::test
