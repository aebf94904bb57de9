// Two people behind routers of their own, each in a network namespace that the test makes: neither
// can be dialled, and they reach each other because both dial at once.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <thread>

#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/common/net.h"
#include "transports/p2p/p2p.h"

namespace wherry::test {
namespace {

constexpr std::uint64_t kInbox = 1;
constexpr std::uint64_t kPeer = 2;
constexpr std::int64_t kTwoMoments = 60'000;

// Between the outsides of the routers: frames take their time. On a real way a packet is still
// under way when the other end sends its own; where a router refuses what it does not know, that
// matters.
class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() {
    stop_ = true;
    if (carrier_.joinable()) carrier_.join();
  }
  // Makes the interface `outside` in the namespace that this thread is in. False: it can not.
  bool add_end() {
    transports::Descriptor end(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    ifreq request{};
    std::strncpy(request.ifr_name, "outside", IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (!end.valid() || ::ioctl(end.get(), TUNSETIFF, &request) != 0) return false;
    ends_.push_back(std::move(end));
    return true;
  }
  void begin() {
    carrier_ = std::thread([this] { carry(); });
  }

 private:
  struct Frame {
    std::chrono::steady_clock::time_point due;
    std::size_t to = 0;
    Bytes bytes;
  };

  void carry() {
    std::deque<Frame> under_way;
    while (!stop_) {
      std::array<pollfd, 2> polls{pollfd{ends_[0].get(), POLLIN, 0},
                                  pollfd{ends_[1].get(), POLLIN, 0}};
      ::poll(polls.data(), polls.size(), 1);
      const auto now = std::chrono::steady_clock::now();
      for (std::size_t from = 0; from < 2; ++from) {
        std::array<std::uint8_t, 2048> frame{};
        ssize_t size = 0;
        while ((size = ::read(ends_[from].get(), frame.data(), frame.size())) > 0) {
          under_way.push_back(
              {now + kOneWay, 1 - from, Bytes(frame.begin(), frame.begin() + size)});
        }
      }
      for (; !under_way.empty() && under_way.front().due <= now; under_way.pop_front()) {
        const Frame& one = under_way.front();
        // Lost, if it can not be written.
        static_cast<void>(::write(ends_[one.to].get(), one.bytes.data(), one.bytes.size()) < 0);
      }
    }
  }

  static constexpr std::chrono::milliseconds kOneWay{15};
  std::vector<transports::Descriptor> ends_;
  std::atomic<bool> stop_ = false;
  std::thread carrier_;
};

// What this thread starts or opens meanwhile is in the namespace, and stays there.
class InNamespace {
 public:
  explicit InNamespace(const std::string& name)
      : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    const transports::Descriptor there(
        ::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    entered_ = ::setns(there.get(), CLONE_NEWNET) == 0;
  }
  ~InNamespace() {
    if (entered_) ::setns(before_.get(), CLONE_NEWNET);
  }
  InNamespace(const InNamespace&) = delete;
  InNamespace& operator=(const InNamespace&) = delete;
  bool entered() const { return entered_; }

 private:
  const transports::Descriptor before_;
  bool entered_ = false;
};

// home-1 — router-1 — wire — router-2 — home-2. The routers keep port numbers and forward nothing.
class Routers {
 public:
  // How a router meets what nobody inside has asked for.
  enum class Unasked { kRefused, kDropped };

  // False: this machine does not let the test make them.
  bool make(Unasked unasked) {
    if (!run("ip netns add %1-home && ip netns add %1-router && "
             "ip netns add %2-home && ip netns add %2-router")) {
      return false;
    }
    for (const int side : {1, 2}) {
      const InNamespace there(prefix_ + std::to_string(side) + "-router");
      if (!there.entered() || !wire_.add_end()) return false;
    }
    wire_.begin();
    return make_side(1, unasked) && make_side(2, unasked);
  }
  ~Routers() {
    static_cast<void>(
        run("for n in %1-home %1-router %2-home %2-router; do "
            "ip netns delete $n; done"));
  }

  std::string home(int side) const { return prefix_ + std::to_string(side) + "-home"; }

 private:
  bool make_side(int side, Unasked unasked) const {
    const std::string n = std::to_string(side);
    const std::string here = prefix_ + n;
    const std::string verdict = unasked == Unasked::kDropped ? "drop" : "accept";
    return run("ip link add inside netns " + here + "-router type veth peer name inside netns " +
               here + "-home && ip -n " + here + "-home address add 192.168." + n +
               ".2/24 dev inside && ip -n " + here + "-home link set inside up && ip -n " + here +
               "-home route add default via 192.168." + n + ".1 && ip -n " + here +
               "-router address add 192.168." + n + ".1/24 dev inside && ip -n " + here +
               "-router link set inside up && ip -n " + here + "-router address add 203.0.113." +
               n + "/24 dev outside && ip -n " + here +
               "-router link set outside up && ip netns exec " + here +
               "-router sysctl -qw net.ipv4.ip_forward=1 && ip netns exec " + here +
               "-router nft 'table ip nat { chain after { type nat hook postrouting priority 100; "
               "oifname outside masquerade; }; }; table ip filter { chain to_it { type filter hook "
               "input priority 0; iifname outside ct state new " +
               verdict +
               "; }; chain through { type filter hook forward priority 0; iifname outside ct state "
               "new drop; }; }'");
  }

  // %1 and %2: what the names of the two sides begin with.
  bool run(std::string command) const {
    for (const char side : {'1', '2'}) {
      const std::string mark = std::string("%") + side;
      for (auto at = command.find(mark); at != std::string::npos; at = command.find(mark)) {
        command.replace(at, mark.size(), prefix_ + side);
      }
    }
    return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0;
  }

  Wire wire_;
  const std::string prefix_ = "wherry-test-" + std::to_string(::getpid()) + "-";
};

class P2pMeeting : public ::testing::TestWithParam<Routers::Unasked> {
 protected:
  struct Person {
    Person(Pump& pump, int side)
        : host(*wherry_transport_p2p(), pump,
               {{"listen", ""},
                {"meet", "203.0.113." + std::to_string(side) + ":6000"},
                {"allow", "203.0.113.0/24"}}) {}
    TransportHost host;
  };

  void SetUp() override {
    if (!routers.make(GetParam())) {
      GTEST_SKIP() << "this machine does not let the test make network namespaces with nftables "
                      "(root, ip, nft)";
    }
    go_online(alice, 1);
    go_online(bob, 2);
    ASSERT_EQ(alice.host.add_peer(kPeer, *bob.host.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(bob.host.add_peer(kPeer, *alice.host.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  }
  void TearDown() override {
    EXPECT_EQ(alice.host.violations(), std::vector<std::string>());
    EXPECT_EQ(bob.host.violations(), std::vector<std::string>());
  }
  void go_online(Person& person, int side) {
    const InNamespace there(routers.home(side));
    ASSERT_TRUE(there.entered());
    ASSERT_EQ(person.host.create(), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(person.host.open_inbox(kInbox, Bytes(32, static_cast<std::uint8_t>(side))),
              WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(person.host.start_and_wait(20'000));
    ASSERT_TRUE(pump.until([&] { return person.host.endpoint(kInbox).has_value(); }, 20'000));
  }
  // As a host does: it asks again when it was told that nobody is there.
  bool meet(TransportHost& one) {
    for (int asked = 0; asked < 3; ++asked) {
      const std::size_t reports = one.peer_reports().size();
      EXPECT_EQ(one.connect_peer(kPeer), WHERRY_TRANSPORT_OK);
      if (!pump.until([&] { return one.peer_reports().size() > reports; }, kTwoMoments))
        return false;
      if (one.peer_reports().back().state == WHERRY_PEER_STATE_REACHABLE) return true;
    }
    return false;
  }
  bool arrives(TransportHost& from, TransportHost& to) {
    const std::size_t before = to.received_count();
    return from.send_one(kPeer, Bytes(500, 3)) != 0 &&
           pump.until([&] { return to.received_count() == before + 1; }, 5'000);
  }

  RealPump pump;
  Routers routers;
  Person alice{pump, 1};
  Person bob{pump, 2};
};

TEST_P(P2pMeeting, BothReachEachOther) {
  ASSERT_EQ(bob.host.connect_peer(kPeer), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(meet(alice.host));
  EXPECT_TRUE(arrives(alice.host, bob.host));
  ASSERT_TRUE(pump.until(
      [&] { return bob.host.peer_reports().back().state == WHERRY_PEER_STATE_REACHABLE; },
      kTwoMoments));
  EXPECT_TRUE(arrives(bob.host, alice.host));
}

// The links of who was away are there again, in both directions, when he is asked for again.
TEST_P(P2pMeeting, TheyMeetAgainWhenOneWasAway) {
  ASSERT_EQ(bob.host.connect_peer(kPeer), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(meet(alice.host));
  ASSERT_TRUE(bob.host.stop_and_wait(5'000));
  ASSERT_TRUE(pump.until(
      [&] { return alice.host.peer_reports().back().state == WHERRY_PEER_STATE_UNREACHABLE; },
      30'000));
  {
    const InNamespace there(routers.home(2));
    ASSERT_TRUE(bob.host.start_and_wait(20'000));
  }
  ASSERT_EQ(bob.host.connect_peer(kPeer), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(meet(alice.host));
  EXPECT_TRUE(arrives(alice.host, bob.host));
}

INSTANTIATE_TEST_SUITE_P(Routers, P2pMeeting,
                         ::testing::Values(Routers::Unasked::kRefused, Routers::Unasked::kDropped),
                         [](const auto& info) {
                           return info.param == Routers::Unasked::kRefused ? "Refuse" : "Drop";
                         });

}  // namespace
}  // namespace wherry::test
