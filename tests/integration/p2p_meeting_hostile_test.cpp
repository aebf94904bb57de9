// Contacts who name a place where links are opened from both ends, and are not there, or are not
// who they say. Moments to meet are 20 s apart.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/common/net.h"
#include "transports/p2p/endpoint.h"
#include "transports/p2p/limits.h"
#include "transports/p2p/meeting.h"
#include "transports/p2p/p2p.h"

namespace wherry::test {
namespace {

namespace p2p = transports::p2p;

constexpr std::int64_t kMoment_ms = 26'000;  // from any time to the end of the next one

// Whoever is at an address: takes connections, and says nothing.
class Server {
 public:
  enum class Manner { kSilent, kHangsUp };

  Server(const std::string& address, Manner manner) : manner_(manner) {
    const p2p::Address at = *p2p::parse_address(address);
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(at.port);
    std::copy(at.ip.begin() + 12, at.ip.end(), reinterpret_cast<std::uint8_t*>(&in.sin_addr));
    socket_ = transports::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    listens_ = ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&in), sizeof in) == 0 &&
               ::listen(socket_.get(), 1'000) == 0;
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    stop_ = true;
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bool listens() const { return listens_; }
  std::size_t came() const { return came_; }
  std::size_t most() const { return most_; }  // at once

 private:
  void serve() {
    std::vector<transports::Descriptor> open;
    while (!stop_) {
      pollfd one{socket_.get(), POLLIN, 0};
      if (::poll(&one, 1, 10) == 1) {
        open.emplace_back(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ++came_;
        if (manner_ == Manner::kHangsUp) {
          // Not before it is seen who that is.
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
          const linger at_once{1, 0};
          ::setsockopt(open.back().get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
          open.clear();
        }
      }
      std::erase_if(open, [](const transports::Descriptor& connection) {
        pollfd end{connection.get(), POLLRDHUP, 0};
        return ::poll(&end, 1, 0) == 1;
      });
      most_ = std::max(most_.load(), open.size());
    }
  }

  const Manner manner_;
  transports::Descriptor socket_;
  bool listens_ = false;
  std::atomic<std::size_t> came_ = 0;
  std::atomic<std::size_t> most_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class P2pMeetingHostile : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(ann.create(), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(ann.start_and_wait(20'000));
  }
  void TearDown() override { EXPECT_EQ(ann.violations(), std::vector<std::string>()); }

  // A port, which with the three after it nobody else uses.
  static std::uint16_t ports(int which) {
    return static_cast<std::uint16_t>(11'000 + (::getpid() % 1'000) * 20 + which * 4);
  }
  static std::string at(const std::string& ip, int port) { return ip + ":" + std::to_string(port); }
  static std::string endpoint_at(const std::string& address) {
    p2p::Endpoint endpoint;
    endpoint.listener = p2p::public_key({1});
    endpoint.pass = {2};
    endpoint.meeting = p2p::parse_address(address);
    return p2p::to_text(endpoint);
  }
  void ask(std::uint64_t peer, const std::string& endpoint) {
    ASSERT_EQ(ann.add_peer(peer, endpoint), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(ann.connect_peer(peer), WHERRY_TRANSPORT_OK);
  }
  static bool in_time(const std::function<bool()>& predicate, std::int64_t limit_ms) {
    for (std::int64_t waited = 0; !predicate(); waited += 20) {
      if (waited >= limit_ms) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  // So that what follows is all before the next moment.
  static void wait_for_a_moment_to_end() {
    std::this_thread::sleep_for(p2p::until_next_meeting() + p2p::kMeetingLimit);
  }
  // As a host does, it asks again when it was told that nobody is there.
  bool meets(std::uint64_t peer, int times) {
    for (; times > 0; --times) {
      const std::size_t before = ann.peer_reports().size();
      EXPECT_EQ(ann.connect_peer(peer), WHERRY_TRANSPORT_OK);
      if (!pump.until([&] { return ann.peer_reports().size() > before; }, 2 * kMoment_ms)) {
        return false;
      }
      if (ann.peer_reports().back().state == WHERRY_PEER_STATE_REACHABLE) return true;
    }
    return false;
  }

  RealPump pump;
  TransportHost ann{
      *wherry_transport_p2p(),
      pump,
      {{"listen", ""}, {"meet", at("127.0.0.1", ports(0))}, {"allow", "127.0.0.0/8"}}};
};

// Where the next port is somebody's who hangs up, it is tried no more often than where nobody is.
TEST_F(P2pMeetingHostile, WhoHangsUpIsTriedTenTimesASecondAtMost) {
  Server victim(at("127.0.0.1", ports(1) + 1), Server::Manner::kHangsUp);
  ASSERT_TRUE(victim.listens());
  ask(2, endpoint_at(at("127.0.0.1", ports(1))));
  ASSERT_TRUE(in_time([&] { return victim.came() > 0; }, kMoment_ms));
  std::this_thread::sleep_for(p2p::kMeetingLimit + std::chrono::seconds(1));
  EXPECT_LE(victim.came(), p2p::kMeetingLimit / p2p::kMeetingAgain + 5);
}

// What bounds dialling bounds it at a moment too, where all who wait for it begin at once.
TEST_F(P2pMeetingHostile, AMomentOpensNoMoreLinksThanAreDialledAtOnce) {
  constexpr int kPeers = 100;
  Server everywhere(at("0.0.0.0", ports(1)), Server::Manner::kSilent);
  ASSERT_TRUE(everywhere.listens());
  wait_for_a_moment_to_end();
  for (int i = 1; i <= kPeers; ++i) {
    ask(static_cast<std::uint64_t>(i), endpoint_at(at("127.0.1." + std::to_string(i), ports(1))));
  }
  ASSERT_TRUE(in_time([&] { return everywhere.came() > 0; }, kMoment_ms));
  std::this_thread::sleep_for(p2p::kMeetingLimit);
  EXPECT_LE(everywhere.most(), p2p::kDiallingMax);
}

// Eight contacts name eight places each where nobody is. Who came after them has a turn as well.
TEST_F(P2pMeetingHostile, PlacesWhereNobodyIsKeepNobodyElseWaiting) {
  Server honest(at("127.0.3.1", ports(1) + 1), Server::Manner::kSilent);
  ASSERT_TRUE(honest.listens());
  wait_for_a_moment_to_end();
  for (std::size_t i = 1; i <= p2p::kMeetingsMax; ++i) {
    ask(i, endpoint_at(at("127.0.2." + std::to_string(i), ports(1))));
  }
  ask(1'000, endpoint_at(at("127.0.3.1", ports(1))));
  EXPECT_TRUE(in_time([&] { return honest.came() > 0; }, 3 * kMoment_ms));
}

// Mallory knows Bob too, and says that she is where he is: with the endpoint that he gave her, by
// which he lets Ann in. He and Ann meet all the same.
TEST_F(P2pMeetingHostile, WhoNamesAnothersPlaceDoesNotTakeIt) {
  const std::string place = at("127.0.0.1", ports(2));
  // His router forwards the port, so that on one machine it is enough if Ann dials.
  TransportHost bob(*wherry_transport_p2p(), pump, {{"listen", place}, {"allow", "127.0.0.0/8"}});
  ASSERT_EQ(bob.create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(bob.start_and_wait(20'000));
  const auto endpoint_for = [&](std::uint64_t inbox) {
    EXPECT_EQ(bob.open_inbox(inbox, Bytes(32, static_cast<std::uint8_t>(inbox))),
              WHERRY_TRANSPORT_OK);
    EXPECT_TRUE(pump.until([&] { return bob.endpoint(inbox).has_value(); }, 20'000));
    p2p::Endpoint endpoint = *p2p::parse_endpoint(*bob.endpoint(inbox));
    endpoint.addresses.clear();
    endpoint.meeting = p2p::parse_address(place);
    return p2p::to_text(endpoint);
  };
  constexpr std::uint64_t kMallory = 10;
  constexpr std::uint64_t kBob = 11;
  ASSERT_EQ(ann.add_peer(kMallory, endpoint_for(1)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(meets(kMallory, 2));
  ASSERT_EQ(ann.add_peer(kBob, endpoint_for(2)), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(meets(kBob, 3));
  EXPECT_EQ(bob.violations(), std::vector<std::string>());
}

// In the middle of a moment: not one more packet goes to a contact who was removed.
TEST_F(P2pMeetingHostile, WhoIsRemovedIsNotMetAnyMore) {
  Server victim(at("127.0.0.1", ports(1) + 1), Server::Manner::kHangsUp);
  ASSERT_TRUE(victim.listens());
  wait_for_a_moment_to_end();
  ask(2, endpoint_at(at("127.0.0.1", ports(1))));
  ask(3, endpoint_at(at("127.0.0.1", ports(3))));  // nobody is there
  ASSERT_TRUE(in_time([&] { return victim.came() > 0; }, kMoment_ms));
  ASSERT_EQ(ann.remove_peer(3), WHERRY_TRANSPORT_OK);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  Server late(at("127.0.0.1", ports(3) + 1), Server::Manner::kSilent);
  ASSERT_TRUE(late.listens());
  std::this_thread::sleep_for(p2p::kMeetingLimit);
  EXPECT_EQ(late.came(), 0u);
}

}  // namespace
}  // namespace wherry::test
