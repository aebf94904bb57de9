// Two nodes on loopback, of which Bob has an inbox, for tests of what goes wrong between them.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <thread>
#include <zmq.hpp>

#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/common/links/frames.h"
#include "transports/common/net.h"
#include "transports/p2p/endpoint.h"
#include "transports/p2p/p2p.h"

namespace wherry::test {

namespace p2p = transports::p2p;

inline constexpr std::int64_t kLimitMs = 20'000;
inline constexpr std::uint64_t kInbox = 1;
inline constexpr std::uint64_t kPeer = 2;

// At 127.0.0.1.
inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

class TwoNodes : public ::testing::Test {
 protected:
  // `allow`: what both may dial of this machine's own networks.
  explicit TwoNodes(const std::string& allow)
      : settings{{"listen", "127.0.0.1:0"}, {"allow", allow}} {}

  void SetUp() override { begin(); }
  void begin() {
    for (TransportHost* host : {&alice, &bob}) {
      ASSERT_EQ(host->create(), WHERRY_TRANSPORT_OK);
      ASSERT_TRUE(host->start_and_wait(kLimitMs));
    }
    ASSERT_EQ(bob.open_inbox(kInbox, Bytes(32, 7)), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(until([&] { return bob.endpoint(kInbox).has_value(); }));
    endpoint = *p2p::parse_endpoint(*bob.endpoint(kInbox));
  }
  void TearDown() override {
    EXPECT_EQ(alice.violations(), std::vector<std::string>());
    EXPECT_EQ(bob.violations(), std::vector<std::string>());
  }
  bool until(const std::function<bool()>& predicate, std::int64_t limit_ms = kLimitMs) {
    return pump.until(predicate, limit_ms);
  }
  // By a new peer.
  bool link_works() {
    const std::uint64_t peer = next_peer++;
    EXPECT_EQ(alice.add_peer(peer, *bob.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
    const std::size_t before = bob.received_count();
    const std::uint64_t id = alice.send_one(peer, Bytes(50, 2));
    return id != 0 && until([&] { return bob.received_count() > before; }, 10'000);
  }

  RealPump pump;
  const Settings settings;
  HostMemory bobs_memory;
  TransportHost alice{*wherry_transport_p2p(), pump, settings};
  TransportHost bob{*wherry_transport_p2p(), pump, settings, &bobs_memory};
  p2p::Endpoint endpoint;
  std::uint64_t next_peer = 100;
};

}  // namespace wherry::test
