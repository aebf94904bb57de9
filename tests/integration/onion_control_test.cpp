// A control port and a SOCKS port that are not tor's, or are filtered: whatever they say is a state
// with a reason, and nothing goes anywhere else.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "include/wherry/transport.h"
#include "transports/common/tor/dial.h"
#include "transports/common/tor/local_socket.h"
#include "transports/common/tor/onion_address.h"
#include "transports/common/tor/tor_provider.h"

namespace wherry::transports::tor {
namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 20s;

// Answers each line that it is sent; an empty answer is none.
class FakeTor {
 public:
  using Script = std::function<std::string(const std::string& line)>;

  FakeTor(const std::string& path, Script script)
      : listener_(listen_local(path, place_)), script_(std::move(script)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeTor() {
    stop_ = true;
    thread_.join();
  }
  FakeTor(const FakeTor&) = delete;
  FakeTor& operator=(const FakeTor&) = delete;

  const std::string& place() const { return place_; }

 private:
  void serve() {
    while (!stop_) {
      pollfd one{listener_.get(), POLLIN, 0};
      if (::poll(&one, 1, 10) != 1) continue;
      const Descriptor socket = accept_local(listener_.get());
      for (std::string line; !stop_ && socket.valid();) {
        pollfd input{socket.get(), POLLIN, 0};
        if (::poll(&input, 1, 10) != 1) continue;
        char character = 0;
        if (::recv(socket.get(), &character, 1, 0) != 1) break;
        if (character == '\r') continue;
        if (character != '\n') {
          line += character;
          continue;
        }
        const std::string answer = script_(line);
        line.clear();
        if (answer == "hang up") break;
        std::size_t sent = 0;
        while (sent < answer.size() && !stop_) {
          const ssize_t count =
              ::send(socket.get(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
          if (count > 0) sent += static_cast<std::size_t>(count);
          if (count < 0 && errno != EAGAIN) break;
        }
      }
    }
  }

  std::string place_;
  Descriptor listener_;
  const Script script_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class Recorder final : public Listener {
 public:
  void on_status(const Status& status) override {
    note([&] { statuses.push_back(status); });
  }
  void on_published(std::uint64_t, std::int32_t reason) override {
    note([&] { published.push_back(reason); });
  }
  void on_stream(std::uint64_t, Descriptor) override {}
  void on_dialled(std::uint64_t, Descriptor stream, std::int32_t reason) override {
    note([&] { dialled.push_back(stream.valid() ? WHERRY_REASON_NONE : reason); });
  }
  void on_stopped() override {
    note([&] { stopped = true; });
  }
  bool until(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLimit, condition);
  }
  bool is(std::int32_t state) {
    return until([&] { return !statuses.empty() && statuses.back().state == state; });
  }

  std::vector<Status> statuses;
  std::vector<std::int32_t> published;
  std::vector<std::int32_t> dialled;
  bool stopped = false;

 private:
  template <class Function>
  void note(Function&& function) {
    const std::lock_guard lock(mutex_);
    function();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
};

class OnionControl : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override {
    if (provider_) {
      provider_->stop();
      EXPECT_TRUE(recorder_.until([&] { return recorder_.stopped; }));
      provider_.reset();
    }
    ::unlink(path("control").c_str());
    ::unlink(path("socks").c_str());
    ::rmdir(folder_.c_str());
  }
  std::string path(const char* name) const { return folder_ + "/" + name; }

  // What a tor without authentication says that is ready; a line with one of these words in it is
  // answered otherwise.
  std::string good(const std::string& line) const {
    if (line.starts_with("PROTOCOLINFO")) {
      return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"0.4.9\"\r\n250 "
             "OK\r\n";
    }
    if (line.find("listeners/socks") != std::string::npos) {
      return "250-net/listeners/socks=\"unix:" + path("socks") + "\"\r\n250 OK\r\n";
    }
    if (line.find("bootstrap-phase") != std::string::npos) {
      return "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done "
             "SUMMARY=\"Done\"\r\n250 OK\r\n";
    }
    return "250 OK\r\n";
  }
  void begin(FakeTor::Script script, const std::string& password = "") {
    fake_.emplace(path("control"), std::move(script));
    begin_at(fake_->place(), password);
  }
  void begin_at(const std::string& control, const std::string& password = "") {
    TorSettings settings;
    settings.control = control;
    settings.password = password;
    provider_ = make_tor_provider(settings, recorder_);
    provider_->start();
  }
  void expect_degraded(std::int32_t reason, const std::string& word) {
    ASSERT_TRUE(recorder_.is(WHERRY_TRANSPORT_STATE_DEGRADED));
    EXPECT_EQ(recorder_.statuses.back().reason, reason) << recorder_.statuses.back().phase;
    EXPECT_NE(recorder_.statuses.back().phase.find(word), std::string::npos)
        << recorder_.statuses.back().phase;
  }

  std::string folder_ = "/tmp/wherry-control-XXXXXX";
  std::optional<FakeTor> fake_;
  Recorder recorder_;
  std::unique_ptr<Provider> provider_;
};

TEST_F(OnionControl, NobodyIsThere) {
  begin_at("unix:" + path("control"));
  expect_degraded(WHERRY_REASON_REFUSED, "control");
}

TEST_F(OnionControl, NoTorIsInstalled) {
  TorSettings settings;
  settings.own.program = "/not/there/tor";
  settings.own.folder = path("state");
  provider_ = make_tor_provider(settings, recorder_);
  provider_->start();
  expect_degraded(WHERRY_REASON_TOR_MISSING, "/not/there/tor");
  ::rmdir(path("state").c_str());
}

TEST_F(OnionControl, AFolderThatOthersMayReadIsNotUsed) {
  ASSERT_EQ(::mkdir(path("state").c_str(), 0755), 0);
  TorSettings settings;
  settings.own.folder = path("state");
  provider_ = make_tor_provider(settings, recorder_);
  provider_->start();
  expect_degraded(WHERRY_REASON_DISK, "state");
  ::rmdir(path("state").c_str());
}

TEST_F(OnionControl, AnotherServerAnswers) {
  begin([](const std::string&) { return "HTTP/1.1 400 Bad Request\r\n\r\n"; });
  expect_degraded(WHERRY_REASON_PROTOCOL, "tor");
}

TEST_F(OnionControl, ALineWithoutAnEnd) {
  begin([](const std::string&) { return "250-" + std::string(10'000'000, 'x'); });
  expect_degraded(WHERRY_REASON_PROTOCOL, "tor");
}

TEST_F(OnionControl, AnswersThatNobodyAskedFor) {
  begin([](const std::string&) { return "250 OK\r\n250 OK\r\n250 OK\r\n250 OK\r\n"; });
  expect_degraded(WHERRY_REASON_PROTOCOL, "tor");
}

TEST_F(OnionControl, ItHangsUp) {
  begin([&](const std::string& line) {
    return line.starts_with("PROTOCOLINFO") ? good(line) : "hang up";
  });
  expect_degraded(WHERRY_REASON_TRANSPORT_OFFLINE, "over");
}

TEST_F(OnionControl, ItHangsUpAtOnce) {
  begin([](const std::string&) { return "hang up"; });
  expect_degraded(WHERRY_REASON_REFUSED, "nothing answers");
}

TEST_F(OnionControl, NobodyListensAtAPort) {
  begin_at("127.0.0.1:1");
  expect_degraded(WHERRY_REASON_REFUSED, "control port");
}

TEST_F(OnionControl, APasswordIsNeeded) {
  begin([](const std::string&) {
    return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=HASHEDPASSWORD\r\n250 OK\r\n";
  });
  expect_degraded(WHERRY_REASON_NOT_ALLOWED, "control_password");
}

TEST_F(OnionControl, AWrongPassword) {
  std::string said;
  begin(
      [&](const std::string& line) {
        if (!line.starts_with("AUTHENTICATE")) return good(line);
        said = line;
        return std::string("515 Authentication failed\r\n");
      },
      "a \"b\" \\");
  expect_degraded(WHERRY_REASON_NOT_ALLOWED, "Authentication failed");
  fake_.reset();
  EXPECT_EQ(said, "AUTHENTICATE \"a \\\"b\\\" \\\\\"");
}

// Somebody else who listens there can not read tor's cookie.
TEST_F(OnionControl, WhoDoesNotKnowTheCookieIsNotTold) {
  std::vector<std::string> lines;
  const std::string cookie = path("cookie");
  FILE* file = std::fopen(cookie.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("0123456789abcdef0123456789abcdef", file);
  std::fclose(file);
  begin([&](const std::string& line) {
    lines.push_back(line);
    if (line.starts_with("PROTOCOLINFO")) {
      return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"" + cookie +
             "\"\r\n250 OK\r\n";
    }
    return "250 AUTHCHALLENGE SERVERHASH=" + std::string(64, 'A') +
           " SERVERNONCE=" + std::string(64, 'B') + "\r\n";
  });
  expect_degraded(WHERRY_REASON_WRONG_KEY, "cookie");
  fake_.reset();
  ASSERT_EQ(lines.size(), 2u);  // nothing of it, but a nonce
  EXPECT_TRUE(lines[1].starts_with("AUTHCHALLENGE SAFECOOKIE "));
  ::unlink(cookie.c_str());
}

// As onion-grater does on Tails and Whonix.
TEST_F(OnionControl, AFilterIsNamed) {
  begin([&](const std::string& line) {
    return line.starts_with("SETEVENTS") ? "510 Command filtered\r\n" : good(line);
  });
  expect_degraded(WHERRY_REASON_NOT_ALLOWED, "SETEVENTS");
}

TEST_F(OnionControl, AClockThatIsWrong) {
  begin([&](const std::string& line) {
    const std::string skew = "650 STATUS_CLIENT WARN CLOCK_SKEW SKEW=-3600 SOURCE=DIRSERV:1\r\n";
    return line.find("bootstrap-phase") != std::string::npos ? good(line) + skew : good(line);
  });
  expect_degraded(WHERRY_REASON_CLOCK_WRONG, "3600");
}

TEST_F(OnionControl, ABlockedNetworkAsksForABridge) {
  begin([&](const std::string& line) {
    if (line.find("bootstrap-phase") == std::string::npos) return good(line);
    return std::string(
        "250-status/bootstrap-phase=WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY=\"Connecting to a "
        "relay\" WARNING=\"Connection timed out\" REASON=TIMEOUT COUNT=10 RECOMMENDATION=warn\r\n"
        "250 OK\r\n");
  });
  expect_degraded(WHERRY_REASON_BRIDGE_NEEDED, "Connection timed out");
}

TEST_F(OnionControl, AServiceThatGotAnotherAddressIsRefused) {
  begin([&](const std::string& line) {
    return line.starts_with("ADD_ONION")
               ? "250-ServiceID=" + std::string(56, 'a') + "\r\n250 OK\r\n"
               : good(line);
  });
  ASSERT_TRUE(recorder_.is(WHERRY_TRANSPORT_STATE_ONLINE));
  provider_->publish(1, Service{});
  ASSERT_TRUE(recorder_.until([&] { return !recorder_.published.empty(); }));
  EXPECT_EQ(recorder_.published.front(), WHERRY_REASON_REFUSED);
}

TEST_F(OnionControl, ASocksPortThatIsNone) {
  FakeTor socks(path("socks"), [](const std::string&) { return "hang up"; });
  begin([&](const std::string& line) { return good(line); });
  ASSERT_TRUE(recorder_.is(WHERRY_TRANSPORT_STATE_ONLINE));
  provider_->dial(1, Target{std::string(kAddressSize, 'a'), std::nullopt, "x"});
  ASSERT_TRUE(recorder_.until([&] { return !recorder_.dialled.empty(); }));
  EXPECT_NE(recorder_.dialled.front(), WHERRY_REASON_NONE);
}

// Whoever listens there and has shown nothing is believed nothing.
TEST_F(OnionControl, EventsBeforeTheLoginAreNotBelieved) {
  begin([](const std::string&) {
    return "650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"\r\n";
  });
  std::this_thread::sleep_for(200ms);
  fake_.reset();
  ASSERT_TRUE(recorder_.is(WHERRY_TRANSPORT_STATE_DEGRADED));
  for (const Status& status : recorder_.statuses) {
    EXPECT_NE(status.state, WHERRY_TRANSPORT_STATE_ONLINE);
  }
}

// It takes the connection, and says nothing ever.
TEST_F(OnionControl, WhoIsSilentIsGivenUp) {
  begin([](const std::string&) { return ""; });
  expect_degraded(WHERRY_REASON_TIMEOUT, "nothing is said");
}

// Any user of this machine can listen at a port where no tor does, and ask for no cookie, although
// a tor always has one there: our services' keys are not for them.
TEST_F(OnionControl, WhoAsksForNothingGetsNoKeys) {
  std::mutex mutex;
  std::vector<std::string> lines;
  fake_.emplace("", [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
    return good(line);
  });
  begin_at(fake_->place());
  provider_->publish(1, Service{Seed{7}, {}});
  expect_degraded(WHERRY_REASON_NOT_ALLOWED, "control_password");
  fake_.reset();
  for (const std::string& line : lines) {
    EXPECT_FALSE(line.starts_with("ADD_ONION")) << line;
  }
}

// As while tor's connections are made anew: it is tried for as long as a dial lasts.
TEST_F(OnionControl, NobodyListensAtTheSocksPort) {
  begin([&](const std::string& line) { return good(line); });
  ASSERT_TRUE(recorder_.is(WHERRY_TRANSPORT_STATE_ONLINE));
  provider_->dial(1, Target{std::string(kAddressSize, 'a'), std::nullopt, "x"});
  provider_->dial(2, Target{std::string(kAddressSize, 'b'), std::nullopt, "y"});
  std::this_thread::sleep_for(1s);
  FakeTor socks(path("socks"), [](const std::string&) { return "hang up"; });
  ASSERT_TRUE(recorder_.until([&] { return recorder_.dialled.size() == 2; }));
  EXPECT_NE(recorder_.dialled[0], WHERRY_REASON_NONE);
  EXPECT_NE(recorder_.dialled[1], WHERRY_REASON_NONE);
}

// Tor's proposal 304, and RFC 1928, section 6.
TEST(OnionDial, EachRefusalHasItsReason) {
  EXPECT_EQ(reason_of_socks(0xf0), WHERRY_REASON_UNREACHABLE);
  EXPECT_EQ(reason_of_socks(0xf1), WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(reason_of_socks(0xf2), WHERRY_REASON_UNREACHABLE);
  EXPECT_EQ(reason_of_socks(0xf3), WHERRY_REASON_UNREACHABLE);
  EXPECT_EQ(reason_of_socks(0xf4), WHERRY_REASON_NOT_ALLOWED);
  EXPECT_EQ(reason_of_socks(0xf5), WHERRY_REASON_NOT_ALLOWED);
  EXPECT_EQ(reason_of_socks(0xf6), WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(reason_of_socks(0xf7), WHERRY_REASON_TIMEOUT);
  EXPECT_EQ(reason_of_socks(0x02), WHERRY_REASON_NOT_ALLOWED);
  EXPECT_EQ(reason_of_socks(0x03), WHERRY_REASON_NO_NETWORK);
  EXPECT_EQ(reason_of_socks(0x06), WHERRY_REASON_TIMEOUT);
  for (int code = 1; code < 256; ++code) {
    EXPECT_NE(reason_of_socks(static_cast<std::uint8_t>(code)), WHERRY_REASON_NONE);
  }
}

}  // namespace
}  // namespace wherry::transports::tor
