// What a tor of ours says of an outage, and what is made of it. That it ends at once is shown by
// onion_capture_test.py, between network namespaces.
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "include/wherry/transport.h"
#include "transports/common/tor/outage.h"
#include "transports/common/tor/session.h"

namespace wherry::transports::tor {
namespace {

constexpr int kLimit_ms = 20'000;
const std::string kKey(40, 'A');
const std::string kLookUp = "GETINFO ns/id/" + kKey;

// A session with a tor of ours that is online; this end is the tor.
class OnionOutage : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    tor_ = Descriptor(ends[1]);
    session_.emplace(
        Descriptor(ends[0]), Session::Login{"", true, true},
        Session::Calls{[this](const Status& status) { status_ = status; },
                       [](const std::string&) {}, [](std::uint64_t, std::int32_t) {},
                       [this](const std::string& relay) { no_route_.push_back(relay); }});
    expect("PROTOCOLINFO 1", "250-AUTH METHODS=NULL\r\n250 OK\r\n");
    expect("AUTHENTICATE", "250 OK\r\n");
    expect("TAKEOWNERSHIP", "250 OK\r\n");
    expect("SETEVENTS STATUS_CLIENT STATUS_GENERAL HS_DESC ORCONN", "250 OK\r\n");
    expect("GETINFO net/listeners/socks",
           "250-net/listeners/socks=\"127.0.0.1:9050\"\r\n250 OK\r\n");
    expect(
        "GETINFO status/bootstrap-phase",
        "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 SUMMARY=\"Done\"\r\n250 OK\r\n");
    ASSERT_EQ(status_.state, WHERRY_TRANSPORT_STATE_ONLINE);
  }

  // The next line that tor is sent; empty if there is none.
  std::string asked() {
    EXPECT_TRUE(session_->write());
    std::array<char, 4096> some{};
    const ssize_t count = ::recv(tor_.get(), some.data(), some.size(), 0);
    if (count > 0) input_.append(some.data(), static_cast<std::size_t>(count));
    const std::size_t end = input_.find("\r\n");
    if (end == std::string::npos) return "";
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 2);
    return line;
  }
  void say(const std::string& text) {
    ASSERT_EQ(::send(tor_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    ASSERT_TRUE(session_->read());
  }
  void expect(const std::string& line, const std::string& answer) {
    ASSERT_EQ(asked(), line);
    say(answer);
  }
  void fail_to_connect(const std::string& relay, const std::string& reason) {
    say("650 ORCONN " + relay + " FAILED REASON=" + reason + " NCIRCS=1 ID=7\r\n");
  }

  Descriptor tor_;
  std::optional<Session> session_;
  std::string input_;
  Status status_;
  std::vector<std::string> no_route_;
};

TEST_F(OnionOutage, TheRelayWithoutARouteIsLookedUp) {
  fail_to_connect("$" + kKey + "~nick", "NOROUTE");
  expect(kLookUp, "250+ns/id/" + kKey +
                      "=\r\nr nick AAAA BBBB 2026-01-02 03:04:05 192.0.2.7 9001 0\r\n"
                      "s Fast Guard\r\n.\r\n250 OK\r\n");
  EXPECT_EQ(no_route_, std::vector<std::string>{"192.0.2.7"});
  session_->rest();
  expect("SETCONF DisableNetwork=1", "250 OK\r\n");
  EXPECT_EQ(status_.state, WHERRY_TRANSPORT_STATE_DEGRADED);
  EXPECT_EQ(status_.reason, WHERRY_REASON_NO_NETWORK);
  session_->reconnect();
  expect("SETCONF DisableNetwork=1", "250 OK\r\n");
  expect("SETCONF DisableNetwork=0", "250 OK\r\n");
  say("650 ORCONN $" + kKey + "~nick CONNECTED ID=8\r\n");
  EXPECT_EQ(status_.state, WHERRY_TRANSPORT_STATE_ONLINE);
}

// Packets may vanish: then tor says for minutes that it has begun, and nothing more.
TEST_F(OnionOutage, ARelayThatNeverAnswersIsSeen) {
  say("650 ORCONN $" + kKey + "~nick CLOSED REASON=DONE ID=1\r\n");
  EXPECT_FALSE(session_->deadline());
  say("650 ORCONN $" + kKey + "~nick LAUNCHED ID=7\r\n");
  ASSERT_TRUE(session_->deadline());
  session_->on_time(*session_->deadline() - std::chrono::milliseconds(1));
  EXPECT_EQ(status_.state, WHERRY_TRANSPORT_STATE_ONLINE);
  session_->on_time(*session_->deadline());
  EXPECT_EQ(status_.state, WHERRY_TRANSPORT_STATE_DEGRADED);
  EXPECT_EQ(status_.reason, WHERRY_REASON_UNREACHABLE);
  EXPECT_FALSE(session_->deadline());
  say("650 ORCONN $" + kKey + "~nick CONNECTED ID=7\r\n");
  EXPECT_EQ(status_.state, WHERRY_TRANSPORT_STATE_ONLINE);
  say("650 ORCONN $" + kKey + "~other LAUNCHED ID=8\r\n");  // beside it
  EXPECT_FALSE(session_->deadline());
}

TEST_F(OnionOutage, OtherFailuresAreTorsOwn) {
  fail_to_connect("$" + kKey + "~nick", "CONNECTREFUSED");
  fail_to_connect("192.0.2.7:9001", "NOROUTE");  // no key is known yet, so nothing is to be asked
  fail_to_connect("$" + kKey.substr(1) + " GETINFO", "NOROUTE");
  fail_to_connect("$" + kKey.substr(1) + "\"", "NOROUTE");
  EXPECT_EQ(asked(), "");
  say("650 ORCONN $" + kKey + "~nick CONNECTED ID=8\r\n");
  fail_to_connect("$" + kKey + "~nick", "NOROUTE");  // there is another connection
  EXPECT_EQ(asked(), "");
}

TEST_F(OnionOutage, AnAnswerThatNamesNoAddressIsNone) {
  const std::string head = "250+ns/id/" + kKey + "=\r\n";
  for (const std::string& answer :
       {std::string("552 Unrecognized key\r\n"), std::string("250 OK\r\n"),
        head + ".\r\n250 OK\r\n", head + "r nick AAAA BBBB\r\n.\r\n250 OK\r\n",
        head + "s a b c d e 192.0.2.7 9001 0\r\n.\r\n250 OK\r\n",
        head + "r nick AAAA BBBB 2026-01-02 03:04:05 example.org 9001 0\r\n.\r\n250 OK\r\n"}) {
    fail_to_connect("$" + kKey + "~nick", "NOROUTE");
    expect(kLookUp, answer);
  }
  EXPECT_TRUE(no_route_.empty());
}

// An outage is what the kernel calls one, whatever tor says.
TEST(Outage, DoesNotBeginWhereThereIsARoute) {
  Outage outage;
  EXPECT_FALSE(outage.note("127.0.0.1", Outage::Clock::now()));
  EXPECT_FALSE(outage.lasts());
  EXPECT_FALSE(outage.ends(Outage::Clock::now()));
}

// In a network namespace of its own, where there is no way to anywhere at first.
TEST(Outage, LastsUntilTheKernelHasARoute) {
  bool alone = false;
  std::thread([&] {
    alone = ::unshare(CLONE_NEWNET) == 0;
    if (!alone) return;
    Outage outage;
    const auto now = Outage::Clock::now();
    ASSERT_TRUE(outage.note("192.0.2.7", now));
    EXPECT_FALSE(outage.note("198.51.100.7", now)) << "it has begun already";
    EXPECT_FALSE(outage.ends(now));
    ASSERT_EQ(std::system("ip link set lo up && ip address add 203.0.113.1/24 dev lo"), 0);
    pollfd changes{outage.descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&changes, 1, kLimit_ms), 1);
    EXPECT_FALSE(outage.ends(now)) << "that is no way to a relay";
    ASSERT_EQ(std::system("ip address add 198.51.100.1/24 dev lo"), 0);
    EXPECT_EQ(::poll(&changes, 1, kLimit_ms), 1);
    EXPECT_TRUE(outage.ends(now));
    EXPECT_FALSE(outage.lasts());

    ASSERT_TRUE(outage.note("192.0.2.7", now));
    EXPECT_TRUE(outage.ends(*outage.deadline())) << "tor may know a way that nobody sees";
  }).join();
  if (!alone) GTEST_SKIP() << "NO OUTAGE WAS MADE: only root may make a network namespace";
}

}  // namespace
}  // namespace wherry::transports::tor
