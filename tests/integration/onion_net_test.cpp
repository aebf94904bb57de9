// Links over a private Tor network in which something breaks.
#include "onion_net.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "transports/onion/endpoint.h"

namespace wherry::test {
namespace {

TEST_F(OnionNet, AWrongKeyIsNotLetIn) {
  begin();
  auto endpoint = *transports::onion::parse_endpoint(*bob->endpoint(kInbox));
  (*endpoint.client)[5] ^= 1;
  constexpr std::uint64_t kWrong = 9;
  ASSERT_EQ(ann->add_peer(kWrong, transports::onion::to_text(endpoint)), WHERRY_TRANSPORT_OK);
  ASSERT_EQ(ann->connect_peer(kWrong), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(pump.until([&] { return !ann->peer_reports().empty(); }, kLimit_ms));
  EXPECT_EQ(ann->peer_reports().back().state, WHERRY_PEER_STATE_UNREACHABLE);
  EXPECT_EQ(ann->peer_reports().back().reason, WHERRY_REASON_NOT_ALLOWED);
  EXPECT_TRUE(arrives(1, kLimit_ms));  // who has the right one is let in all the same
}

TEST_F(OnionNet, ARelayThatDiesCostsNoEnvelope) {
  begin();
  ASSERT_TRUE(arrives(1, kLimit_ms));
  ASSERT_TRUE(six_relays().command("kill 1"));
  EXPECT_TRUE(arrives(2, kRecovery_ms));
  ASSERT_TRUE(six_relays().command("start 1"));
  EXPECT_TRUE(arrives(3, kRecovery_ms));
}

// All of it is gone for a while; nobody tells the transport that it is there again.
TEST_F(OnionNet, ANetworkThatComesBackIsUsed) {
  begin();
  ASSERT_TRUE(arrives(1, kLimit_ms));
  ASSERT_TRUE(six_relays().command("stop"));
  EXPECT_FALSE(arrives(2, 20'000));
  ASSERT_TRUE(six_relays().command("continue"));
  EXPECT_TRUE(arrives(3, kRecovery_ms));
}

TEST_F(OnionNet, ContactsBeyondTheLimitShareAnAddress) {
  begin({{"services", "1"}, {"share", "true"}});
  std::vector<transports::onion::Endpoint> endpoints;
  for (std::uint64_t inbox = kInbox; inbox <= kInbox + 2; ++inbox) {
    ASSERT_EQ(bob->open_inbox(inbox, Bytes(32, static_cast<std::uint8_t>(6 + inbox))),
              WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(pump.until([&] { return bob->endpoint(inbox).has_value(); }, kLimit_ms));
    endpoints.push_back(*transports::onion::parse_endpoint(*bob->endpoint(inbox)));
  }
  EXPECT_FALSE(endpoints[0].token);
  EXPECT_NE(endpoints[0].service, endpoints[1].service);
  EXPECT_EQ(endpoints[1].service, endpoints[2].service);
  EXPECT_NE(endpoints[1].token, endpoints[2].token);
  for (std::uint64_t inbox = kInbox + 1; inbox <= kInbox + 2; ++inbox) {
    ASSERT_EQ(ann->add_peer(10 + inbox, *bob->endpoint(inbox)), WHERRY_TRANSPORT_OK);
    const std::size_t before = bob->received_count();
    ASSERT_NE(ann->send_one(10 + inbox, Bytes(60, 1)), 0u);
    ASSERT_TRUE(pump.until([&] { return bob->received_count() > before; }, kLimit_ms));
    EXPECT_EQ(bob->received_since(before)[0].inbox, inbox);
  }
}

TEST_F(OnionNet, WithoutSharingThereIsNoAddressBeyondTheLimit) {
  begin({{"services", "1"}});
  ASSERT_EQ(bob->open_inbox(kInbox + 1, Bytes(32, 8)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(pump.until([&] { return bob->inbox_reports().size() >= 2; }, kLimit_ms));
  EXPECT_EQ(bob->inbox_reports().back().reason, WHERRY_REASON_FULL);
}

// The network is entered by the bridge alone, which tor writes down when it ends.
TEST_F(OnionNet, ABridgeIsTheWayIn) {
  const std::string bridge = six_relays().bridge(2);
  begin({{"folder", six_relays().client_folder("bridged")}, {"bridges", bridge}});
  EXPECT_TRUE(arrives(1, kLimit_ms));
  ASSERT_TRUE(bob->stop_and_wait(2'000));
  std::ifstream state(six_relays().client_folder("bridged") + "/state");
  int guards = 0;
  for (std::string line; std::getline(state, line);) {
    if (!line.starts_with("Guard ")) continue;
    ++guards;
    EXPECT_NE(line.find("in=bridges"), std::string::npos) << line;
    EXPECT_NE(line.find(bridge.substr(bridge.find(' ') + 1)), std::string::npos) << line;
  }
  EXPECT_EQ(guards, 1);
}

// Nothing is left of an app that was killed.
TEST(OnionProcess, TorEndsWithItsApp) {
  ASSERT_FALSE(six_relays().torrc().empty());
  const pid_t app = ::fork();
  ASSERT_GE(app, 0);
  if (app == 0) {
    RealPump pump;
    TransportHost host(*wherry_transport_onion(), pump, settings_of("killed"));
    if (host.create() != WHERRY_TRANSPORT_OK || !host.start_and_wait(kLimit_ms)) ::_exit(1);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(app, &status, 0), app);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it was never online";
  const std::string folder = six_relays().client_folder("killed");
  for (int i = 0; i < 500 && tor_of(folder) != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(tor_of(folder), 0);
}

}  // namespace
}  // namespace wherry::test
