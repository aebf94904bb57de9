// The centralized client against the real wherry-relay, as processes: restarts, kills, other keys,
// proxies, floods. Each ends with its own state and reason, and loses nothing.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include "relay_fixture.h"
#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/centralized/centralized.h"

namespace wherry::test {
namespace {

#ifndef __has_feature  // GCC before 14, which says it the other way
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

constexpr std::int64_t kLimitMs = 15'000;
constexpr std::int64_t kStopLimitMs = 2'000;
constexpr std::uint64_t kInbox = 1;
constexpr std::uint64_t kPeer = 2;

Bytes secret(std::uint8_t which) {
  return Bytes(32, which);
}

Bytes envelope(std::size_t size, std::uint32_t which) {
  Bytes bytes(size, static_cast<std::uint8_t>(which));
  for (std::size_t i = 0; i < 4 && i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(which >> (8 * i));
  }
  return bytes;
}

// A TCP listener on 127.0.0.1 that accepts nothing by itself.
class Listener {
 public:
  explicit Listener(int family = AF_INET) : file_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(file_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(file_, 8), 0);
    socklen_t size = sizeof(address);
    getsockname(file_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(file_); }

  int file() const { return file_; }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int file_;
  int port_ = 0;
};

class RelayClient : public ::testing::Test {
 protected:
  void start_relay(const std::vector<std::string>& more = {},
                   const std::string& listen = "127.0.0.1:0") {
    relay_ = std::make_unique<RelayProcess>(data_.path() / "relay", listen, more);
    ASSERT_NE(relay_->address(), "") << relay_->log();
  }

  // At the same port, as after a crash or an update.
  void restart_relay() {
    const std::string listen = relay_->host_and_port();
    relay_.reset();
    start_relay({}, listen);
  }

  void make_host(std::unique_ptr<TransportHost>& host, Settings settings, HostMemory& memory) {
    host = std::make_unique<TransportHost>(*wherry_transport_centralized(), pump_,
                                           std::move(settings), &memory);
    ASSERT_EQ(host->create(), WHERRY_TRANSPORT_OK);
  }

  void connect() {
    const Settings settings = {{"relay", relay_->address()}};
    make_host(alice_, settings, alice_memory_);
    make_host(bob_, settings, bob_memory_);
    ASSERT_TRUE(alice_->start_and_wait(kLimitMs));
    ASSERT_TRUE(bob_->start_and_wait(kLimitMs));
    open(kInbox, 1, kPeer);
  }

  void open(std::uint64_t inbox, std::uint8_t which, std::uint64_t peer) {
    ASSERT_EQ(bob_->open_inbox(inbox, secret(which)), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(until([&] { return bob_->endpoint(inbox).has_value(); }));
    ASSERT_EQ(alice_->add_peer(peer, *bob_->endpoint(inbox)), WHERRY_TRANSPORT_OK);
  }

  bool until(const std::function<bool()>& predicate, std::int64_t limit_ms = kLimitMs) {
    return pump_.until(predicate, limit_ms);
  }

  // Waits for room as often as it must; gives 0 when none comes.
  std::uint64_t send_when_writable(std::uint64_t peer, const Bytes& bytes) {
    while (true) {
      const std::size_t before = alice_->writable_count();
      const std::uint64_t id = alice_->send_one(peer, bytes);
      if (id != 0) return id;
      if (!until([&] { return alice_->writable_count() > before; })) return 0;
    }
  }

  bool degrades(TransportHost& host, std::int32_t reason, std::int64_t limit_ms = kLimitMs) {
    return until(
        [&] {
          const auto states = host.states();
          return !states.empty() && states.back().state == WHERRY_TRANSPORT_STATE_DEGRADED &&
                 states.back().reason == reason;
        },
        limit_ms);
  }

  bool arrives(const Bytes& bytes) {
    return until([&] {
      for (const Received& one : bob_->received()) {
        if (one.envelope == bytes) return true;
      }
      return false;
    });
  }

  void TearDown() override {
    for (const auto& host : {alice_.get(), bob_.get()}) {
      if (host == nullptr) continue;
      if (host->exists()) {
        host->stop_and_wait(kStopLimitMs);
        host->destroy();
      }
      for (const std::string& text : host->violations()) ADD_FAILURE() << text;
    }
  }

  TemporaryDirectory data_;
  RealPump pump_;
  std::unique_ptr<RelayProcess> relay_;
  HostMemory alice_memory_;
  HostMemory bob_memory_;
  std::unique_ptr<TransportHost> alice_;
  std::unique_ptr<TransportHost> bob_;
};

TEST_F(RelayClient, AnotherKeyThanThePinnedOneIsRefused) {
  start_relay();
  std::string address = relay_->address();
  char& pin = address[address.rfind('/') + 1];
  pin = pin == 'A' ? 'B' : 'A';
  make_host(alice_, {{"relay", address}}, alice_memory_);
  ASSERT_EQ(alice_->start(), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(degrades(*alice_, WHERRY_REASON_WRONG_KEY));
  bool told = false;
  for (const std::string& line : alice_->log_lines()) told |= line.find("another key") != line.npos;
  EXPECT_TRUE(told);
}

TEST_F(RelayClient, ARenewedCertificateKeepsEndpointsValid) {
  start_relay();
  const std::string before = relay_->address();
  connect();
  restart_relay();  // a new certificate, the same key
  EXPECT_EQ(relay_->address(), before);
  ASSERT_TRUE(alice_->wait_online(kLimitMs));
  ASSERT_TRUE(bob_->wait_online(kLimitMs));
  alice_->send_one(kPeer, envelope(100, 1));
  EXPECT_TRUE(arrives(envelope(100, 1)));
}

TEST_F(RelayClient, SaysThatNothingListens) {
  std::string authority;
  {
    const Listener listener;
    authority = listener.authority();
  }
  make_host(alice_, {{"relay", "wr1:" + authority + "/" + std::string(22, 'A')}}, alice_memory_);
  ASSERT_EQ(alice_->start(), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(degrades(*alice_, WHERRY_REASON_REFUSED));
  EXPECT_EQ(alice_->connect_peer(0), WHERRY_TRANSPORT_OK);  // and again when the host says so
  EXPECT_TRUE(until([&] { return alice_->states().size() >= 4; }));
}

TEST_F(RelayClient, SaysThatANameDoesNotResolve) {
  make_host(alice_, {{"relay", "wr1:no-such-name.invalid:1/" + std::string(22, 'A')}},
            alice_memory_);
  ASSERT_EQ(alice_->start(), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(until([&] { return alice_->state() == WHERRY_TRANSPORT_STATE_DEGRADED; }));
  EXPECT_NE(alice_->states().back().reason, WHERRY_REASON_NONE);
}

TEST_F(RelayClient, ARelayThatNeverAnswersTimesOutAndStopIsPrompt) {
  const Listener listener;
  make_host(alice_, {{"relay", "wr1:" + listener.authority() + "/" + std::string(22, 'A')}},
            alice_memory_);
  ASSERT_EQ(alice_->start(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(until([&] {
    const auto states = alice_->states();
    return !states.empty() && states.back().percent == 50;
  }));
  EXPECT_TRUE(alice_->stop_and_wait(kStopLimitMs));
  ASSERT_EQ(alice_->start(), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(degrades(*alice_, WHERRY_REASON_TIMEOUT));
}

// What gRPC says of a failure names addresses: an app's log has them at DEBUG alone. That no line
// above has one is a rule of the host, for every test.
TEST_F(RelayClient, NamesNoAddressAboveDebug) {
  const Listener listener;
  make_host(alice_, {{"relay", "wr1:" + listener.authority() + "/" + std::string(22, 'A')}},
            alice_memory_);
  ASSERT_EQ(alice_->start(), WHERRY_TRANSPORT_OK);
  std::jthread server([&](const std::stop_token& stopped) {  // hangs up on everybody
    while (!stopped.stop_requested()) {
      pollfd entry{listener.file(), POLLIN, 0};
      if (poll(&entry, 1, 50) > 0) close(accept(listener.file(), nullptr, nullptr));
    }
  });
  ASSERT_TRUE(until([&] { return alice_->state() == WHERRY_TRANSPORT_STATE_DEGRADED; }));
  const auto says = [](const std::vector<std::string>& lines, const std::string& words) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(words) != line.npos; });
  };
  EXPECT_TRUE(says(alice_->log_lines(WHERRY_LOG_INFO), "the link to the relay ended"));
  EXPECT_TRUE(says(alice_->log_lines(WHERRY_LOG_DEBUG), "gRPC: "));
  for (const std::string& line : alice_->log_lines(WHERRY_LOG_INFO)) {
    EXPECT_EQ(line.find(listener.authority()), line.npos) << line;
    EXPECT_EQ(line.find("gRPC"), line.npos) << line;
  }
}

TEST_F(RelayClient, StopIsPromptWhileTheRelayHangs) {
  start_relay();
  connect();
  relay_->signal(SIGSTOP);
  for (std::uint32_t i = 0; i < 100; ++i) alice_->send_one(kPeer, envelope(4000, i));
  EXPECT_TRUE(alice_->stop_and_wait(kStopLimitMs));
  relay_->signal(SIGCONT);
}

TEST_F(RelayClient, GoesOnAfterARestartWithTheSameStore) {
  start_relay();
  connect();
  ASSERT_TRUE(bob_->stop_and_wait(kStopLimitMs));
  const std::uint64_t id = alice_->send_one(kPeer, envelope(100, 1));
  ASSERT_TRUE(until([&] { return alice_->last_sent(id).has_value(); }));
  ASSERT_EQ(alice_->last_sent(id)->outcome, WHERRY_OUTCOME_STORED);
  relay_->signal(SIGTERM);
  EXPECT_EQ(relay_->wait(5'000), 0);
  EXPECT_TRUE(degrades(*alice_, WHERRY_REASON_TRANSPORT_OFFLINE));
  restart_relay();
  ASSERT_TRUE(alice_->wait_online(kLimitMs));
  ASSERT_TRUE(bob_->start_and_wait(kLimitMs));
  EXPECT_TRUE(arrives(envelope(100, 1)));
  for (const PeerReport& one : alice_->peer_reports())
    EXPECT_NE(one.state, WHERRY_PEER_STATE_RESET);
}

TEST_F(RelayClient, AnEmptyStoreResetsPeersAndMakesInboxesAgain) {
  start_relay();
  connect();
  const std::string endpoint = *bob_->endpoint(kInbox);
  const std::size_t reports = bob_->inbox_reports().size();
  const std::string listen = relay_->host_and_port();
  relay_.reset();
  for (const char* name : {"relay.db", "relay.db-wal", "relay.db-shm"}) {
    std::filesystem::remove(data_.path() / "relay" / name);
  }
  start_relay({}, listen);
  ASSERT_TRUE(alice_->wait_online(kLimitMs));
  ASSERT_TRUE(bob_->wait_online(kLimitMs));
  EXPECT_TRUE(until([&] {
    for (const PeerReport& one : alice_->peer_reports()) {
      if (one.peer == kPeer && one.state == WHERRY_PEER_STATE_RESET &&
          one.reason == WHERRY_REASON_RELAY_RESET) {
        return true;
      }
    }
    return false;
  }));
  ASSERT_TRUE(until([&] { return bob_->inbox_reports().size() > reports; }));
  EXPECT_EQ(bob_->endpoint(kInbox), endpoint);
  alice_->send_one(kPeer, envelope(100, 1));
  EXPECT_TRUE(arrives(envelope(100, 1)));
}

// Whatever was reported stored when the relay is killed arrives after it came back.
TEST_F(RelayClient, AKilledRelayLosesNothingThatItAcknowledged) {
  start_relay();
  connect();
  ASSERT_TRUE(bob_->stop_and_wait(kStopLimitMs));
  std::vector<std::uint64_t> ids;
  for (std::uint32_t i = 0; i < 900; ++i) {
    ids.push_back(alice_->send_one(kPeer, envelope(300, i)));
    if (ids.back() == 0) {
      ids.pop_back();
      break;
    }
  }
  const auto stored = [&](std::uint64_t id) {
    const auto report = alice_->last_sent(id);
    return report && report->outcome == WHERRY_OUTCOME_STORED;
  };
  ASSERT_TRUE(until([&] { return stored(ids[ids.size() / 10]); }));
  relay_->signal(SIGKILL);
  EXPECT_EQ(relay_->wait(5'000), 128 + SIGKILL);
  ASSERT_TRUE(until([&] { return alice_->state() != WHERRY_TRANSPORT_STATE_ONLINE; }));
  std::set<Bytes> acknowledged;
  for (std::uint32_t i = 0; i < ids.size(); ++i) {
    ASSERT_TRUE(until([&] { return alice_->last_sent(ids[i]).has_value(); }));
    if (stored(ids[i])) acknowledged.insert(envelope(300, i));
  }
  restart_relay();
  ASSERT_TRUE(bob_->start_and_wait(kLimitMs));
  EXPECT_TRUE(until([&] {
    std::set<Bytes> missing = acknowledged;
    for (const Received& one : bob_->received()) missing.erase(one.envelope);
    return missing.empty();
  }));
}

TEST_F(RelayClient, AFullInboxSaysLater) {
  start_relay({"--inbox-envelopes", "5"});
  connect();
  ASSERT_TRUE(bob_->stop_and_wait(kStopLimitMs));
  for (std::uint32_t i = 0; i < 6; ++i) {
    const std::uint64_t id = alice_->send_one(kPeer, envelope(100, i));
    ASSERT_TRUE(until([&] { return alice_->last_sent(id).has_value(); }));
    EXPECT_EQ(alice_->last_sent(id)->outcome,
              i < 5 ? WHERRY_OUTCOME_STORED : WHERRY_OUTCOME_FAILED_RETRY);
    EXPECT_EQ(alice_->last_sent(id)->reason, i < 5 ? WHERRY_REASON_NONE : WHERRY_REASON_FULL);
  }
}

TEST_F(RelayClient, AFullDiskSaysLaterAndKeepsWhatWasStored) {
  start_relay({"--database-mib", "1"});
  connect();
  ASSERT_TRUE(bob_->stop_and_wait(kStopLimitMs));
  std::vector<Bytes> stored;
  bool full = false;
  for (std::uint32_t i = 0; i < 100 && !full; ++i) {
    const std::uint64_t id = alice_->send_one(kPeer, envelope(40'000, i));
    ASSERT_TRUE(until([&] { return alice_->last_sent(id).has_value(); }));
    full = alice_->last_sent(id)->reason == WHERRY_REASON_DISK;
    if (!full) stored.push_back(envelope(40'000, i));
  }
  EXPECT_TRUE(full);
  ASSERT_TRUE(bob_->start_and_wait(kLimitMs));
  for (const Bytes& bytes : stored) EXPECT_TRUE(arrives(bytes));
}

// A flood of 80 MiB towards a reader that takes nothing.
TEST_F(RelayClient, MemoryIsBoundedUnderAFloodAndASlowReader) {
  start_relay({"--memory-mib", "64"});
  connect();
  constexpr std::uint64_t kInboxes = 5;
  for (std::uint64_t i = 1; i < kInboxes; ++i) {
    open(kInbox + i, static_cast<std::uint8_t>(1 + i), kPeer + i);
  }
  bob_->set_room(0);
  const long before_kib = relay_->memory_kib();
  long most_kib = before_kib;
  std::size_t full = 0;
  for (std::uint32_t i = 0; i < 400; ++i) {
    for (std::uint64_t peer = 0; peer < kInboxes; ++peer) {
      const std::uint64_t id =
          send_when_writable(kPeer + peer, envelope(WHERRY_ENVELOPE_SIZE_MAX, i));
      ASSERT_NE(id, 0U);
      if (i < 399) continue;
      ASSERT_TRUE(until([&] { return alice_->last_sent(id).has_value(); }));
      full += alice_->last_sent(id)->reason == WHERRY_REASON_FULL ? 1U : 0U;
    }
    most_kib = std::max(most_kib, relay_->memory_kib());
  }
  EXPECT_EQ(full, kInboxes);
  RecordProperty("relay_growth_kib", std::to_string(most_kib - before_kib));
  // With AddressSanitizer freed memory waits in quarantine.
  const long growth_max_kib = (kAddressSanitizer ? 400 : 100) * 1024;
  EXPECT_LT(most_kib - before_kib, growth_max_kib);
  bob_->set_room(std::nullopt);
  bob_->resume_receive();
  EXPECT_TRUE(arrives(envelope(WHERRY_ENVELOPE_SIZE_MAX, 0)));
}

TEST_F(RelayClient, SpeaksIpv6) {
  start_relay({}, "[::1]:0");
  connect();
  alice_->send_one(kPeer, envelope(100, 1));
  EXPECT_TRUE(arrives(envelope(100, 1)));
}

TEST_F(RelayClient, RefusesEndpointsAtOtherRelays) {
  start_relay();
  connect();
  const std::string endpoint = *bob_->endpoint(kInbox);
  std::string other = endpoint;
  other.replace(4, 9, "127.0.0.2");
  EXPECT_EQ(alice_->add_peer(kPeer + 1, other), WHERRY_TRANSPORT_E_ENDPOINT);
  EXPECT_EQ(alice_->get_bundle(1, other, secret(1)), WHERRY_TRANSPORT_E_ENDPOINT);
}

TEST_F(RelayClient, RefusesSettingsThatAreMissingOrMalformed) {
  const std::string pin(22, 'A');
  for (const Settings& settings :
       std::vector<Settings>{{{"relay", ""}},
                             {{"relay", "wr1:127.0.0.1:1"}},
                             {{"relay", "wr1:127.0.0.1:0/" + pin}},
                             {{"relay", "wr1:127.0.0.1:1/" + pin + "A"}},
                             {{"relay", "wr1:127.0.0.1:1/" + pin}, {"proxy", "nowhere"}}}) {
    TransportHost host(*wherry_transport_centralized(), pump_, settings);
    EXPECT_EQ(host.create(), WHERRY_TRANSPORT_E_SETTING);
    EXPECT_FALSE(host.log_lines().empty());
  }
}

// A SOCKS5 server for one connection at a time; it remembers what it was asked for.
class SocksServer {
 public:
  explicit SocksServer(std::string relay_authority, std::uint8_t reply = 0)
      : relay_(std::move(relay_authority)), reply_(reply), thread_([this] { run(); }) {}
  SocksServer(const SocksServer&) = delete;
  SocksServer& operator=(const SocksServer&) = delete;
  ~SocksServer() {
    stopped_ = true;
    thread_.join();
  }

  std::string authority() const { return listener_.authority(); }
  std::string asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void run() {
    while (!stopped_) {
      pollfd entry{listener_.file(), POLLIN, 0};
      if (poll(&entry, 1, 50) <= 0) continue;
      const int client = accept(listener_.file(), nullptr, nullptr);
      serve(client);
      close(client);
    }
  }

  void serve(int client) {
    std::array<std::uint8_t, 300> bytes{};
    if (recv(client, bytes.data(), 3, MSG_WAITALL) != 3) return;
    const std::array<std::uint8_t, 2> none{5, 0};
    send(client, none.data(), none.size(), MSG_NOSIGNAL);
    if (recv(client, bytes.data(), 5, MSG_WAITALL) != 5 || bytes[3] != 3) return;
    const std::size_t size = bytes[4];
    if (recv(client, bytes.data(), size + 2, MSG_WAITALL) != static_cast<ssize_t>(size + 2)) return;
    {
      const std::lock_guard lock(mutex_);
      asked_.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    }
    const std::array<std::uint8_t, 10> answer{5, reply_, 0, 1, 127, 0, 0, 1, 0, 1};
    send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (reply_ == 0) forward(client);
  }

  void forward(int client) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(relay_.substr(relay_.rfind(':') + 1))));
    const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(far, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
      std::array<char, 16384> buffer{};
      while (!stopped_) {
        std::array<pollfd, 2> entries{pollfd{client, POLLIN, 0}, pollfd{far, POLLIN, 0}};
        if (poll(entries.data(), 2, 50) <= 0) continue;
        const bool out = entries[0].revents != 0;
        const ssize_t count = recv(out ? client : far, buffer.data(), buffer.size(), 0);
        if (count <= 0) break;
        send(out ? far : client, buffer.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
      }
    }
    close(far);
  }

  const std::string relay_;
  const std::uint8_t reply_;
  const Listener listener_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::string asked_;
  std::thread thread_;
};

TEST_F(RelayClient, GoesThroughAProxyThatResolvesTheName) {
  start_relay({"--advertise", "relay.invalid:0"});
  ASSERT_EQ(relay_->address().rfind("wr1:relay.invalid:", 0), 0U);
  SocksServer proxy(relay_->host_and_port());
  make_host(bob_, {{"relay", relay_->address()}, {"proxy", proxy.authority()}}, bob_memory_);
  ASSERT_TRUE(bob_->start_and_wait(kLimitMs));
  EXPECT_EQ(proxy.asked(), "relay.invalid");
  ASSERT_EQ(bob_->open_inbox(kInbox, secret(1)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(until([&] { return bob_->endpoint(kInbox).has_value(); }));
  wherry_reveals reveals{};
  ASSERT_EQ(bob_->add_peer(kPeer, *bob_->endpoint(kInbox), &reveals), WHERRY_TRANSPORT_OK);
  EXPECT_EQ(reveals.facts[WHERRY_OBSERVER_HOME_OPERATOR] & WHERRY_FACT_MY_IP, 0U);
  EXPECT_NE(reveals.facts[WHERRY_OBSERVER_PROXY] & WHERRY_FACT_MY_IP, 0U);
  bob_->send_one(kPeer, envelope(40'000, 1));
  EXPECT_TRUE(arrives(envelope(40'000, 1)));
}

TEST_F(RelayClient, SaysWhenTheProxyRefusesOrIsNotThere) {
  const std::string relay = "wr1:relay.invalid:1/" + std::string(22, 'A');
  {
    SocksServer proxy("127.0.0.1:1", 2);  // "not allowed by ruleset"
    make_host(alice_, {{"relay", relay}, {"proxy", proxy.authority()}}, alice_memory_);
    ASSERT_EQ(alice_->start(), WHERRY_TRANSPORT_OK);
    EXPECT_TRUE(degrades(*alice_, WHERRY_REASON_PROXY));
  }
  ASSERT_EQ(alice_->connect_peer(0), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(until([&] { return alice_->states().size() >= 4; }));
  EXPECT_TRUE(degrades(*alice_, WHERRY_REASON_PROXY));
}

TEST_F(RelayClient, RevealsWhatADirectConnectionShows) {
  start_relay();
  connect();
  wherry_reveals reveals{};
  ASSERT_EQ(alice_->add_peer(kPeer + 1, *bob_->endpoint(kInbox), &reveals), WHERRY_TRANSPORT_OK);
  EXPECT_NE(reveals.facts[WHERRY_OBSERVER_HOME_OPERATOR] & WHERRY_FACT_MY_IP, 0U);
  EXPECT_EQ(reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] & WHERRY_FACT_MY_IP, 0U);
  EXPECT_EQ(reveals.facts[WHERRY_OBSERVER_PROXY], 0U);
  EXPECT_EQ(reveals.facts[WHERRY_OBSERVER_DIRECTORY], 0U) << "a numeric address is not looked up";
}

}  // namespace
}  // namespace wherry::test
