// Direct links by IPv6, and through a SOCKS5 proxy: with that, nothing is dialled but the proxy.
#include <poll.h>

#include <atomic>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "p2p_fixture.h"

namespace wherry::test {
namespace {

using transports::Descriptor;

// On loopback. Out: the port.
Descriptor listen_anywhere(std::uint16_t& port) {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener.get(), 8), 0);
  EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  port = ntohs(address.sin_port);
  return listener;
}

// A SOCKS5 server (RFC 1928) for one connection at a time, which counts them and remembers the port
// that was asked for last.
class SocksServer {
 public:
  SocksServer() : listener_(listen_anywhere(port)) {
    thread_ = std::thread([this] { run(); });
  }
  SocksServer(const SocksServer&) = delete;
  SocksServer& operator=(const SocksServer&) = delete;
  ~SocksServer() {
    stopped_ = true;
    thread_.join();
  }

  std::uint16_t port = 0;
  std::atomic<int> connections = 0;
  std::atomic<std::uint16_t> asked_port = 0;

 private:
  void run() {
    while (!stopped_) {
      pollfd entry{listener_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 50) <= 0) continue;
      const Descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ++connections;
      serve(client.get());
    }
  }

  static bool read(int from, void* bytes, std::size_t size) {
    return ::recv(from, bytes, size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }

  void serve(int client) {
    std::uint8_t bytes[10];  // an IPv4 address and a port after four others
    if (!read(client, bytes, 2) || !read(client, bytes, bytes[1])) return;
    const std::uint8_t no_login[] = {5, 0};
    ::send(client, no_login, sizeof no_login, MSG_NOSIGNAL);
    if (!read(client, bytes, sizeof bytes) || bytes[3] != 1) return;
    asked_port = static_cast<std::uint16_t>(bytes[8] << 8 | bytes[9]);
    const Descriptor target(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(asked_port);
    const bool there =
        ::connect(target.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const std::uint8_t answer[10] = {5, static_cast<std::uint8_t>(there ? 0 : 5), 0, 1};
    ::send(client, answer, sizeof answer, MSG_NOSIGNAL);
    if (there) carry(client, target.get());
  }

  void carry(int client, int target) const {
    std::uint8_t bytes[4096];
    while (!stopped_) {
      pollfd ends[] = {{client, POLLIN, 0}, {target, POLLIN, 0}};
      if (::poll(ends, 2, 50) <= 0) continue;
      for (const auto& [from, to] : {std::pair(0, target), std::pair(1, client)}) {
        if (ends[from].revents == 0) continue;
        const ssize_t size = ::recv(ends[from].fd, bytes, sizeof bytes, 0);
        if (size <= 0) return;
        ::send(to, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
      }
    }
  }

  Descriptor listener_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

// Somebody who listens nowhere and dials through a proxy.
class P2pProxy : public TwoNodes {
 protected:
  P2pProxy() : TwoNodes("127.0.0.0/8") {}

  static Settings through(std::uint16_t port) {
    return {
        {"listen", ""}, {"allow", "127.0.0.0/8"}, {"proxy", "127.0.0.1:" + std::to_string(port)}};
  }
  void fails_through(std::uint16_t port, std::int32_t reason) {
    TransportHost carol(*wherry_transport_p2p(), pump, through(port));
    ASSERT_EQ(carol.create(), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(carol.start_and_wait(kLimitMs));
    ASSERT_EQ(carol.add_peer(kPeer, *bob.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
    const std::uint64_t id = carol.send_one(kPeer, Bytes(100, 2));
    EXPECT_TRUE(until([&] { return carol.last_sent(id).has_value(); }));
    ASSERT_TRUE(until([&] { return !carol.peer_reports().empty(); }));
    EXPECT_EQ(carol.last_sent(id)->outcome, WHERRY_OUTCOME_FAILED_RETRY);
    EXPECT_EQ(carol.peer_reports().back().reason, reason);
    EXPECT_EQ(bob.received_count(), 0u);
  }
};

TEST_F(P2pProxy, IsAllThatIsDialled) {
  SocksServer proxy;
  TransportHost carol(*wherry_transport_p2p(), pump, through(proxy.port));
  ASSERT_EQ(carol.create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(carol.start_and_wait(kLimitMs));
  wherry_reveals reveals{};
  ASSERT_EQ(carol.add_peer(kPeer, *bob.endpoint(kInbox), &reveals), WHERRY_TRANSPORT_OK);
  EXPECT_EQ(reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] & WHERRY_FACT_MY_IP, 0u);
  EXPECT_NE(reveals.facts[WHERRY_OBSERVER_PROXY] & WHERRY_FACT_MY_IP, 0u);
  ASSERT_NE(carol.send_one(kPeer, Bytes(40'000, 2)), 0u);
  EXPECT_TRUE(until([&] { return bob.received_count() == 1; }));
  EXPECT_EQ(proxy.connections, 1);
  EXPECT_EQ(proxy.asked_port, endpoint.addresses[0].port);
  EXPECT_EQ(carol.violations(), std::vector<std::string>());
}

// What a proxy says that is none, or does not want to be one; it hangs up behind it.
struct BadProxy {
  const char* name;
  std::vector<std::string> answers;  // each to what came
  std::int32_t reason;
};
void PrintTo(const BadProxy& proxy, std::ostream* out) {
  *out << proxy.name;
}

class P2pBadProxy : public P2pProxy, public testing::WithParamInterface<BadProxy> {};

// Nobody is dialled in its place, and it is a failure like any other.
TEST_P(P2pBadProxy, IsAFailure) {
  std::uint16_t port = 0;
  const Descriptor listener = listen_anywhere(port);
  std::thread proxy([&] {
    const Descriptor client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    for (const std::string& answer : GetParam().answers) {
      char bytes[64];
      if (::recv(client.get(), bytes, sizeof bytes, 0) <= 0) return;
      ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  });
  fails_through(port, GetParam().reason);
  proxy.join();
}

const std::string kGreets("\5\0", 2);
INSTANTIATE_TEST_SUITE_P(
    Socks, P2pBadProxy,
    testing::Values(BadProxy{"HangsUp", {}, WHERRY_REASON_PROXY},
                    BadProxy{"WantsALogin", {"\5\xff"}, WHERRY_REASON_PROXY},
                    BadProxy{"Refuses",
                             {kGreets, std::string("\5\5\0\1\0\0\0\0\0\0", 10)},
                             WHERRY_REASON_UNREACHABLE},
                    BadProxy{"HangsUpLater", {kGreets}, WHERRY_REASON_PROXY},
                    BadProxy{"SaysSomethingElse", {std::string(300, 'x')}, WHERRY_REASON_PROXY}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(P2pProxy, ThatIsGoneIsAFailure) {
  std::uint16_t port = 0;
  {
    const SocksServer gone;
    port = gone.port;
  }
  fails_through(port, WHERRY_REASON_PROXY);
}

TEST(P2pIpv6, CarriesBothWays) {
  RealPump pump;
  const Settings settings = {{"listen", "[::1]:0"}, {"allow", "::1/128"}};
  TransportHost hosts[] = {{*wherry_transport_p2p(), pump, settings},
                           {*wherry_transport_p2p(), pump, settings}};
  for (TransportHost& host : hosts) {
    ASSERT_EQ(host.create(), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(host.start_and_wait(kLimitMs)) << "this machine has no IPv6, not even a loop";
    ASSERT_EQ(host.open_inbox(kInbox, Bytes(32, 7)), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(pump.until([&] { return host.endpoint(kInbox).has_value(); }, kLimitMs));
  }
  for (const auto& [from, to] : {std::pair(0, 1), std::pair(1, 0)}) {
    const auto address = p2p::parse_endpoint(*hosts[to].endpoint(kInbox))->addresses.at(0);
    EXPECT_FALSE(address.is_v4());
    ASSERT_EQ(hosts[from].add_peer(kPeer, *hosts[to].endpoint(kInbox)), WHERRY_TRANSPORT_OK);
    ASSERT_NE(hosts[from].send_one(kPeer, Bytes(50, 2)), 0u);
    EXPECT_TRUE(pump.until([&] { return hosts[to].received_count() == 1; }, kLimitMs));
    EXPECT_EQ(hosts[from].violations(), std::vector<std::string>());
  }
}

}  // namespace
}  // namespace wherry::test
