// The relay's side of the protocol, frame by frame: greetings, proofs, limits, flow.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <vector>

#include "relay_fixture.h"
#include "transports/common/crypto.h"
#include "transports/relay/session.h"
#include "transports/relay/sessions.h"
#include "transports/relay/sqlite_store.h"
#include "transports/relay/tor_connections.h"

namespace wherry::relay {
namespace {

constexpr auto kLimit = std::chrono::seconds(10);

// A stream that writes at once and keeps all replies.
template <class Kind>
class TestWire final : public Wire {
 public:
  explicit TestWire(std::shared_ptr<Kind> session) : session_(std::move(session)) {
    session_->attach(this);
  }
  TestWire(const TestWire&) = delete;
  TestWire& operator=(const TestWire&) = delete;
  ~TestWire() override { session_->detach(); }

  void kick() override {
    const std::lock_guard lock(mutex_);
    typename Kind::Reply reply;
    while (session_->take_reply(reply)) replies_.push_back(std::move(reply));
    changed_.notify_all();
  }

  // The first reply for which `wanted` is true; fails the test when none comes.
  template <class Wanted>
  typename Kind::Reply wait_for(Wanted&& wanted) {
    std::unique_lock lock(mutex_);
    typename Kind::Reply found;
    const bool came = changed_.wait_for(lock, kLimit, [&] {
      for (const auto& reply : replies_) {
        if (!wanted(reply)) continue;
        found = reply;
        return true;
      }
      return false;
    });
    EXPECT_TRUE(came) << "no such reply";
    return found;
  }

  // Over all replies so far. Within wait_for only.
  template <class Count>
  std::size_t count(Count&& count) const {
    std::size_t sum = 0;
    for (const auto& reply : replies_) sum += static_cast<std::size_t>(count(reply));
    return sum;
  }

  v1::Goodbye::Reason goodbye() {
    return wait_for([](const auto& reply) { return reply.has_goodbye(); }).goodbye().reason();
  }
  v1::Welcome welcome() {
    return wait_for([](const auto& reply) { return reply.has_welcome(); }).welcome();
  }

 private:
  const std::shared_ptr<Kind> session_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<typename Kind::Reply> replies_;
};

std::string text(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

class RelaySession : public ::testing::Test {
 protected:
  static constexpr transports::Pin kPin{9};
  static constexpr std::size_t kQueueBytesMax = std::size_t{1} << 20U;
  static constexpr std::size_t kWindowsBytesMax = std::size_t{1} << 20U;

  RelaySession()
      : store_(open_sqlite_store(directory_.path() / "relay.db", {0, false}, error_)),
        limiter_(quotas_, [] { return std::int64_t{1}; }),
        sessions_(limiter_, [](bool) {}),
        core_(*store_, quotas_, kWindowsBytesMax, sessions_),
        core_thread_(
            core_, [this] { return core_time(); }, kQueueBytesMax),
        context_{core_thread_, limiter_, store_->id(), kPin} {}

  // While a test holds the pause, the core works on nothing.
  std::int64_t core_time() {
    const std::lock_guard lock(pause_);
    return 1'800'000'000;
  }

  template <class Request>
  static Request hello(std::uint32_t min = 1, std::uint32_t max = 1) {
    Request request;
    request.mutable_hello()->set_version_min(min);
    request.mutable_hello()->set_version_max(max);
    return request;
  }

  std::shared_ptr<SubmitSession> submit() {
    return sessions_.make<SubmitSession>(context_, "ipv4:127.0.0.1");
  }
  std::shared_ptr<ReceiveSession> receive() {
    return sessions_.make<ReceiveSession>(context_, "ipv4:127.0.0.1");
  }

  static transports::InboxKeys keys(std::uint8_t which) {
    const std::array<std::uint8_t, 32> secret{which};
    return transports::InboxKeys(std::span<const std::uint8_t, 32>(secret));
  }

  v1::ReceiveRequest open(const transports::InboxKeys& inbox, const transports::Pin& pin,
                          const std::string& challenge_text) const {
    transports::Challenge challenge{};
    std::copy(challenge_text.begin(), challenge_text.end(), challenge.begin());
    v1::ReceiveRequest request;
    auto* one = request.add_opens();
    one->set_slot(1);
    one->set_key(text(inbox.key->public_key()));
    one->set_token_hash(text(inbox.token_hash));
    one->set_signature(
        text(inbox.key->sign(transports::open_proof(pin, challenge, inbox.token_hash))));
    return request;
  }

  // A bundle of its own for each number.
  static void put(v1::SubmitRequest& frame, std::uint8_t number, const std::string& bundle,
                  std::uint32_t time_to_live_s, const std::string& challenge_text,
                  std::uint32_t signed_time_to_live_s = 60) {
    const std::array<std::uint8_t, 32> owner{1};
    const Locator locator{number};
    const auto key = transports::bundle_key(std::span<const std::uint8_t, 32>(owner), locator);
    transports::Challenge challenge{};
    std::copy(challenge_text.begin(), challenge_text.end(), challenge.begin());
    const auto proof = transports::put_proof(
        kPin, challenge, locator, signed_time_to_live_s,
        {reinterpret_cast<const std::uint8_t*>(bundle.data()), bundle.size()});
    auto* one = frame.add_puts();
    one->set_request(number);
    one->set_locator(text(locator));
    one->set_owner_key(text(key->public_key()));
    one->set_signature(text(key->sign(proof)));
    one->set_bundle(bundle);
    one->set_time_to_live_s(time_to_live_s);
  }

  // Everything that was pushed before is worked on and answered.
  void wait_for_core() {
    const auto session = submit();
    TestWire<SubmitSession> wire(session);
    session->on_frame(hello<v1::SubmitRequest>());
    v1::SubmitRequest frame;
    auto* group = frame.add_groups();
    group->set_inbox(std::string(16, 'n'));
    group->set_token(std::string(16, 'n'));
    group->add_envelopes("x");
    for (int i = 0; i < 2; ++i) {  // the first may be of one batch with what it is to wait for
      session->on_frame(frame);
      wire.wait_for([&](const auto&) {
        return wire.count([](const auto& reply) { return reply.results_size(); }) >
               static_cast<std::size_t>(i);
      });
    }
  }

  v1::Outcome opened(TestWire<ReceiveSession>& wire) {
    return wire.wait_for([](const auto& reply) { return reply.opened_size() > 0; })
        .opened(0)
        .outcome();
  }

  std::mutex pause_;
  test::TemporaryDirectory directory_;
  std::string error_;
  const Quotas quotas_;
  std::unique_ptr<Store> store_;
  Limiter limiter_;
  Sessions sessions_;
  Core core_;
  CoreThread core_thread_;
  SessionContext context_;
};

TEST_F(RelaySession, GreetsWithItsStoreAndAFreshChallenge) {
  const auto first = receive();
  const auto second = receive();
  TestWire<ReceiveSession> one(first);
  TestWire<ReceiveSession> two(second);
  first->on_frame(hello<v1::ReceiveRequest>());
  second->on_frame(hello<v1::ReceiveRequest>(1, 7));
  EXPECT_EQ(one.welcome().version(), 1U);
  EXPECT_EQ(one.welcome().store_id(), text(store_->id()));
  EXPECT_EQ(one.welcome().challenge().size(), 32U);
  EXPECT_NE(one.welcome().challenge(), two.welcome().challenge());
}

TEST_F(RelaySession, SaysWhenThereIsNoCommonVersion) {
  const auto session = submit();
  TestWire<SubmitSession> wire(session);
  session->on_frame(hello<v1::SubmitRequest>(2, 9));
  EXPECT_EQ(wire.goodbye(), v1::Goodbye::VERSION);
}

TEST_F(RelaySession, TakesNothingBeforeHelloAndNoSecondHello) {
  const auto early = submit();
  TestWire<SubmitSession> early_wire(early);
  early->on_frame(v1::SubmitRequest());
  EXPECT_EQ(early_wire.goodbye(), v1::Goodbye::PROTOCOL);
  const auto twice = submit();
  TestWire<SubmitSession> twice_wire(twice);
  twice->on_frame(hello<v1::SubmitRequest>());
  twice->on_frame(hello<v1::SubmitRequest>());
  EXPECT_EQ(twice_wire.goodbye(), v1::Goodbye::PROTOCOL);
}

TEST_F(RelaySession, AProofOpensAnInbox) {
  const auto session = receive();
  TestWire<ReceiveSession> wire(session);
  session->on_frame(hello<v1::ReceiveRequest>());
  session->on_frame(open(keys(1), context_.pin, wire.welcome().challenge()));
  EXPECT_EQ(opened(wire), v1::STORED);
}

TEST_F(RelaySession, RefusesAProofForAnotherStreamRelayOrKey) {
  const auto other = receive();
  TestWire<ReceiveSession> other_wire(other);
  other->on_frame(hello<v1::ReceiveRequest>());
  const std::string replayed = other_wire.welcome().challenge();
  const auto attempt = [&](auto&& make) {
    const auto session = receive();
    TestWire<ReceiveSession> wire(session);
    session->on_frame(hello<v1::ReceiveRequest>());
    session->on_frame(make(wire.welcome().challenge()));
    return opened(wire);
  };
  EXPECT_EQ(attempt([&](const std::string&) { return open(keys(1), context_.pin, replayed); }),
            v1::NOT_ALLOWED);
  EXPECT_EQ(attempt([&](const std::string& challenge) {
              return open(keys(1), transports::Pin{8}, challenge);
            }),
            v1::NOT_ALLOWED);
  EXPECT_EQ(attempt([&](const std::string& challenge) {
              auto request = open(keys(1), context_.pin, challenge);
              request.mutable_opens(0)->set_key(text(keys(2).key->public_key()));
              return request;
            }),
            v1::NOT_ALLOWED);
  EXPECT_EQ(attempt([&](const std::string& challenge) {
              auto request = open(keys(1), context_.pin, challenge);
              request.mutable_opens(0)->set_token_hash(text(keys(2).token_hash));
              return request;
            }),
            v1::NOT_ALLOWED);
}

TEST_F(RelaySession, EndsStreamsThatBreakTheLimits) {
  const auto expect_end = [&](const v1::SubmitRequest& frame) {
    const auto session = submit();
    TestWire<SubmitSession> wire(session);
    session->on_frame(hello<v1::SubmitRequest>());
    session->on_frame(frame);
    EXPECT_EQ(wire.goodbye(), v1::Goodbye::PROTOCOL);
    EXPECT_FALSE(session->ready_to_read());
  };
  const auto group = [](v1::SubmitRequest& frame) {
    auto* made = frame.add_groups();
    made->set_inbox(std::string(16, 'i'));
    made->set_token(std::string(16, 't'));
    return made;
  };
  v1::SubmitRequest empty;
  group(empty)->add_envelopes("");
  expect_end(empty);
  v1::SubmitRequest large;
  group(large)->add_envelopes(std::string(kEnvelopeSizeMax + 1, 'x'));
  expect_end(large);
  v1::SubmitRequest many;
  auto* crowd = group(many);
  for (std::size_t i = 0; i <= kFrameEnvelopesMax; ++i) crowd->add_envelopes("x");
  expect_end(many);
  v1::SubmitRequest token;
  group(token)->set_token(std::string(15, 't'));
  expect_end(token);
  v1::SubmitRequest bundle;
  auto* put = bundle.add_puts();
  put->set_locator(std::string(32, 'l'));
  put->set_owner_key(std::string(32, 'k'));
  put->set_signature(std::string(64, 's'));
  put->set_bundle(std::string(kBundleSizeMax + 1, 'b'));
  put->set_time_to_live_s(1);
  expect_end(bundle);
}

TEST_F(RelaySession, SlotsMustRise) {
  const auto session = receive();
  TestWire<ReceiveSession> wire(session);
  session->on_frame(hello<v1::ReceiveRequest>());
  const std::string challenge = wire.welcome().challenge();
  session->on_frame(open(keys(1), context_.pin, challenge));
  session->on_frame(open(keys(2), context_.pin, challenge));
  EXPECT_EQ(wire.goodbye(), v1::Goodbye::PROTOCOL);
}

TEST_F(RelaySession, AStreamHasItsInboxesAndNoMore) {
  const auto session = receive();
  TestWire<ReceiveSession> wire(session);
  session->on_frame(hello<v1::ReceiveRequest>());
  const auto one = open(keys(1), context_.pin, wire.welcome().challenge()).opens(0);
  std::uint32_t slot = 0;
  const auto open_next = [&] {
    v1::ReceiveRequest frame;
    *frame.add_opens() = one;
    frame.mutable_opens(0)->set_slot(++slot);
    return frame;
  };
  const auto outcome = [&] {
    v1::Outcome found = v1::LATER;
    wire.wait_for([&](const auto& reply) {
      for (const auto& opened : reply.opened()) {
        if (opened.slot() == slot) found = opened.outcome();
      }
      return found != v1::LATER;
    });
    return found;
  };
  while (slot < kStreamInboxesMax) session->on_frame(open_next());
  EXPECT_EQ(outcome(), v1::STORED);
  session->on_frame(open_next());
  EXPECT_EQ(outcome(), v1::QUOTA);
  v1::ReceiveRequest close;
  close.add_closes(slot);  // which is not open
  session->on_frame(close);
  session->on_frame(open_next());
  EXPECT_EQ(outcome(), v1::QUOTA);
  close.set_closes(0, 1);
  session->on_frame(close);
  session->on_frame(open_next());
  EXPECT_EQ(outcome(), v1::STORED);
}

TEST_F(RelaySession, ABundleNeedsItsOwnersSignature) {
  const auto session = submit();
  TestWire<SubmitSession> wire(session);
  session->on_frame(hello<v1::SubmitRequest>());
  const std::string challenge = wire.welcome().challenge();
  v1::SubmitRequest frame;
  put(frame, 1, "prekeys", 60, challenge);
  put(frame, 2, "prekeys", 61, challenge);  // not what was signed
  session->on_frame(frame);
  const auto answer = [&](std::uint64_t request) {
    v1::Outcome outcome = v1::LATER;
    wire.wait_for([&](const auto& reply) {
      for (const auto& one : reply.bundles()) {
        if (one.request() == request) {
          outcome = one.outcome();
          return true;
        }
      }
      return false;
    });
    return outcome;
  };
  EXPECT_EQ(answer(1), v1::STORED);
  EXPECT_EQ(answer(2), v1::NOT_ALLOWED);
}

// What waits for the core counts against its queue, bundles as well as envelopes.
TEST_F(RelaySession, BundlesCrowdTheQueueLikeEnvelopes) {
  const auto session = submit();
  TestWire<SubmitSession> wire(session);
  session->on_frame(hello<v1::SubmitRequest>());
  v1::SubmitRequest frame;
  for (std::size_t i = 0; i < kStreamBundlesMax - 1; ++i) {
    put(frame, static_cast<std::uint8_t>(i), std::string(kBundleSizeMax, 'b'), 60,
        wire.welcome().challenge());
  }
  {
    const std::lock_guard pause(pause_);
    session->on_frame(frame);
    EXPECT_TRUE(core_thread_.crowded());
    EXPECT_FALSE(session->ready_to_read());
  }
  std::size_t answers = 0;
  wire.wait_for([&](const auto&) {
    answers = wire.count([](const auto& reply) { return reply.bundles_size(); });
    return answers == kStreamBundlesMax - 1;
  });
  EXPECT_EQ(answers, kStreamBundlesMax - 1);
  EXPECT_TRUE(session->ready_to_read());
}

// Who asks for bundles and does not read holds a few of them in memory, and gets all when it reads.
TEST_F(RelaySession, BundlesThatNobodyReadsStayInTheStore) {
  constexpr std::uint8_t kStored = 20;
  {
    const auto author = submit();
    TestWire<SubmitSession> wire(author);
    author->on_frame(hello<v1::SubmitRequest>());
    v1::SubmitRequest frame;
    for (std::uint8_t i = 0; i < kStored; ++i) {
      put(frame, i, std::string(kBundleSizeMax, 'b'), 60, wire.welcome().challenge());
    }
    author->on_frame(frame);
    wire.wait_for([&](const auto&) {
      return wire.count([](const auto& reply) { return reply.bundles_size(); }) == kStored;
    });
  }
  const auto slow = submit();
  slow->on_frame(hello<v1::SubmitRequest>());
  v1::SubmitRequest gets;
  for (std::size_t i = 0; i < kFrameRequestsMax; ++i) {
    auto* get = gets.add_gets();
    get->set_request(i);
    get->set_locator(text(Locator{static_cast<std::uint8_t>(i % kStored)}));
  }
  slow->on_frame(gets);
  wait_for_core();
  SubmitSession::Reply reply;
  ASSERT_TRUE(slow->take_reply(reply));
  EXPECT_LE(reply.bundles_size(), static_cast<int>(kStreamGetsMax));
  std::vector<std::uint64_t> got;
  do {
    for (const auto& one : reply.bundles()) {
      EXPECT_EQ(one.bundle().size(), kBundleSizeMax);
      got.push_back(one.request());
    }
    wait_for_core();
  } while (slow->take_reply(reply));
  ASSERT_EQ(got.size(), kFrameRequestsMax);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], i);
  EXPECT_TRUE(slow->ready_to_read());
}

TEST_F(RelaySession, ResultsComeInTheOrderOfEnvelopes) {
  const auto reader = receive();
  TestWire<ReceiveSession> reader_wire(reader);
  reader->on_frame(hello<v1::ReceiveRequest>());
  const auto inbox = keys(1);
  reader->on_frame(open(inbox, context_.pin, reader_wire.welcome().challenge()));
  ASSERT_EQ(opened(reader_wire), v1::STORED);
  const auto session = submit();
  TestWire<SubmitSession> wire(session);
  session->on_frame(hello<v1::SubmitRequest>());
  v1::SubmitRequest frame;
  for (const bool known : {true, false, true}) {
    auto* group = frame.add_groups();
    group->set_inbox(known ? text(inbox.id) : std::string(16, 'u'));
    group->set_token(text(inbox.token));
    group->add_envelopes(known ? "known" : "unknown");
    group->add_envelopes(known ? "known 2" : "unknown 2");
  }
  session->on_frame(frame);
  const auto reply = wire.wait_for([](const auto& one) { return one.results_size() > 0; });
  ASSERT_EQ(reply.results_size(), 3);
  EXPECT_EQ(reply.results(0).outcome(), v1::STORED);
  EXPECT_EQ(reply.results(1).outcome(), v1::NOT_FOUND);
  EXPECT_EQ(reply.results(1).count(), 2U);
  EXPECT_EQ(reply.results(2).outcome(), v1::STORED);
  const auto delivery =
      reader_wire.wait_for([](const auto& one) { return one.deliveries_size() > 0; });
  EXPECT_EQ(delivery.deliveries(0).envelopes(0), "known");
  EXPECT_EQ(delivery.deliveries(0).envelopes_size(), 2) << "the doubles were stored once";
}

// Envelopes for a reader who reads as the test does: frame by frame.
class RelayReading : public RelaySession {
 protected:
  static constexpr std::size_t kSize = 40'000;

  // Opens inbox 1 without taking a delivery.
  std::shared_ptr<ReceiveSession> open_one() {
    const auto session = receive();
    session->on_frame(hello<v1::ReceiveRequest>());
    ReceiveSession::Reply reply;
    EXPECT_TRUE(session->take_reply(reply));
    session->on_frame(open(keys(1), context_.pin, reply.welcome().challenge()));
    wait_for_core();
    return session;
  }

  void send(std::size_t count) {
    const auto session = submit();
    TestWire<SubmitSession> wire(session);
    session->on_frame(hello<v1::SubmitRequest>());
    v1::SubmitRequest frame;
    auto* group = frame.add_groups();
    group->set_inbox(text(keys(1).id));
    group->set_token(text(keys(1).token));
    for (std::size_t i = 0; i < count; ++i) {
      group->add_envelopes(std::string(kSize, static_cast<char>('a' + i)));
    }
    session->on_frame(frame);
    wire.wait_for([](const auto& reply) { return reply.results_size() > 0; });
  }

  static void acknowledge(ReceiveSession& session, std::uint32_t first, std::uint32_t last) {
    v1::ReceiveRequest frame;
    auto* ack = frame.add_acks();
    ack->set_slot(1);
    ack->set_first(first);
    ack->set_last(last);
    session.on_frame(frame);
  }

  // The numbers that the session's next reply delivers.
  static std::vector<std::uint32_t> take(ReceiveSession& session) {
    std::vector<std::uint32_t> numbers;
    ReceiveSession::Reply reply;
    if (!session.take_reply(reply)) return numbers;
    for (const auto& one : reply.deliveries()) {
      numbers.insert(numbers.end(), one.numbers().begin(), one.numbers().end());
    }
    return numbers;
  }
};

// An acknowledgement frees the reader's room: of what is still in the relay's memory it would let a
// reader who never reads fill the memory.
TEST_F(RelayReading, NothingIsAcknowledgedBeforeItIsWritten) {
  const auto session = open_one();
  send(3);
  acknowledge(*session, 1, UINT32_MAX);  // guessed: nothing was written
  wait_for_core();
  EXPECT_TRUE(session->ready_to_read());
  EXPECT_EQ(take(*session), (std::vector<std::uint32_t>{1, 2, 3}));
  acknowledge(*session, 1, 2);  // too early by a little: the reply is being written
  EXPECT_FALSE(session->ready_to_read());
  wait_for_core();
  EXPECT_EQ(take(*open_one()), (std::vector<std::uint32_t>{1, 2, 3})) << "none was deleted";
}

TEST_F(RelayReading, AnEarlyAcknowledgementCountsOnceTheReplyIsWritten) {
  const auto session = open_one();
  send(3);
  EXPECT_EQ(take(*session), (std::vector<std::uint32_t>{1, 2, 3}));
  acknowledge(*session, 1, 2);
  EXPECT_TRUE(take(*session).empty());  // it is written
  EXPECT_TRUE(session->ready_to_read());
  wait_for_core();
  EXPECT_EQ(take(*open_one()), std::vector<std::uint32_t>{3});
}

// Many streams open one inbox in turn, and none reads.
TEST_F(RelayReading, AnInboxThatMovesLeavesNothingBehindInItsSessions) {
  std::vector<std::shared_ptr<ReceiveSession>> sessions = {open_one()};
  send(12);
  for (int i = 0; i < 20; ++i) sessions.push_back(open_one());
  const auto last = sessions.back();
  sessions.pop_back();
  for (const auto& session : sessions) EXPECT_TRUE(take(*session).empty());
  wait_for_core();
  std::vector<std::uint32_t> numbers;
  for (std::vector<std::uint32_t> some = take(*last); !some.empty(); some = take(*last)) {
    numbers.insert(numbers.end(), some.begin(), some.end());
    acknowledge(*last, some.front(), some.back());
    EXPECT_TRUE(take(*last).empty());
    wait_for_core();
  }
  EXPECT_EQ(numbers.size(), 12U);
}

TEST(RelayAddresses, CountAsIpv4OrAsTheNetworkOfIpv6) {
  EXPECT_EQ(counted_address("ipv4:1.2.3.4:5"), "ipv4:1.2.3.4");
  EXPECT_NE(counted_address("ipv4:1.2.3.5:5"), counted_address("ipv4:1.2.3.4:5"));
  const std::string network = counted_address("ipv6:%5B2001:db8:1:2::7%5D:443");
  EXPECT_EQ(network, "ipv6:2001:db8:1:2::");
  for (const char* same :
       {"ipv6:[2001:db8:1:2::7]:443", "ipv6:[2001:db8:1:2::7]:444", "ipv6:[2001:db8:1:2::8]:443",
        "ipv6:%5B2001:db8:1:2:ffff:ffff:ffff:ffff%5D:1", "ipv6:%5B2001:DB8:1:2::7%25eth0%5D:443"}) {
    EXPECT_EQ(counted_address(same), network) << same;
  }
  EXPECT_NE(counted_address("ipv6:[2001:db8:1:3::7]:443"), network);
  // All of IPv4 is not one network.
  EXPECT_EQ(counted_address("ipv6:%5B::ffff:1.2.3.4%5D:5"), "ipv4:1.2.3.4");
  EXPECT_EQ(counted_address("ipv6:[nonsense]:5"), "ipv6:[nonsense]");
  EXPECT_EQ(counted_address("unix:/some/where"), "unix");
  EXPECT_EQ(counted_address(""), "");
}

// Connections over Tor cost nothing: what one may ask for is its own, and what is kept is shared.
TEST(RelayAddresses, OfConnectionsOverTorShareWhatIsKept) {
  EXPECT_EQ(counted_address("fd:12"), "fd:12");
  EXPECT_EQ(tor_connection("fd:12"), 12);
  EXPECT_FALSE(tor_connection("ipv4:1.2.3.4"));
  EXPECT_FALSE(tor_connection("fd:"));
  Quotas tight;
  tight.address_streams_max = 1;
  tight.address_new_inboxes_per_day = 2;
  tight.address_bundles_per_day = 2;
  Limiter limiter(tight, [] { return 0; });
  EXPECT_TRUE(limiter.stream_begins("fd:1"));
  EXPECT_TRUE(limiter.stream_begins("fd:2"));
  limiter.inbox_made("fd:1");
  EXPECT_TRUE(limiter.may_make_inboxes("fd:2"));
  limiter.inbox_made("fd:2");
  EXPECT_FALSE(limiter.may_make_inboxes("fd:3"));
  EXPECT_TRUE(limiter.may_make_inboxes("ipv4:1.2.3.4"));
  EXPECT_TRUE(limiter.may_put_bundle("fd:1"));
  EXPECT_TRUE(limiter.may_put_bundle("fd:2"));
  EXPECT_FALSE(limiter.may_put_bundle("fd:3"));
}

// Each open stream costs memory, and a connection over Tor costs nothing.
TEST(RelayAddresses, OfConnectionsOverTorHaveBoundedStreamsTogether) {
  constexpr std::size_t kConnections = 200;
  Limiter limiter(Quotas(), [] { return 0; });
  std::size_t streams = 0;
  for (std::size_t i = 0; i < kConnections; ++i) {
    while (limiter.stream_begins("fd:" + std::to_string(i))) ++streams;
  }
  EXPECT_LE(streams, std::size_t{16} * Quotas().address_streams_max);
  EXPECT_TRUE(limiter.stream_begins("ipv4:1.2.3.4"));
}

// Whoever uses up what may be made in a day takes nobody's card away.
TEST_F(RelaySession, WhoHasABundleKeepsItWhateverOthersMakeOverTor) {
  Quotas tight;
  tight.address_bundles_per_day = 1;
  Limiter limiter(tight, [] { return std::int64_t{1}; });
  SessionContext context{core_thread_, limiter, store_->id(), kPin};
  const auto outcome_of = [&](const std::string& address, std::uint8_t number) {
    const auto session = sessions_.make<SubmitSession>(context, address);
    TestWire<SubmitSession> wire(session);
    session->on_frame(hello<v1::SubmitRequest>());
    v1::SubmitRequest frame;
    put(frame, number, "bundle", 60, wire.welcome().challenge());
    session->on_frame(frame);
    return wire.wait_for([](const auto& reply) { return reply.bundles_size() > 0; })
        .bundles(0)
        .outcome();
  };
  EXPECT_EQ(outcome_of("fd:1", 1), v1::STORED);
  EXPECT_EQ(outcome_of("fd:2", 2), v1::QUOTA);   // the day's are used up
  EXPECT_EQ(outcome_of("fd:3", 1), v1::STORED);  // its owner's, renewed
}

class RelayTorConnections : public ::testing::Test {
 protected:
  static constexpr std::size_t kMost = 3;

  // A connection with its other end, which is kept. Its number.
  int come() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    far_.emplace_back(ends[1]);
    near_.emplace_back(connections.add(transports::Descriptor(ends[0])));
    EXPECT_GE(near_.back().get(), 0);
    return near_.back().get();
  }
  bool is_cut(std::size_t which) {
    char byte = 0;
    return ::recv(far_[which].get(), &byte, 1, 0) == 0;
  }

  TorConnections connections{kMost};
  std::vector<transports::Descriptor> near_;  // as gRPC's
  std::vector<transports::Descriptor> far_;
};

TEST_F(RelayTorConnections, OfTooManyThoseThatAskForNothingGoFirst) {
  connections.spoke(come());
  come();
  connections.spoke(come());
  EXPECT_EQ(connections.count(), kMost);
  connections.spoke(come());
  EXPECT_EQ(connections.count(), kMost);
  EXPECT_TRUE(is_cut(1));
  EXPECT_FALSE(is_cut(0));
  come();  // all have asked for something: the oldest
  EXPECT_TRUE(is_cut(0));
  EXPECT_FALSE(is_cut(2));
  EXPECT_FALSE(is_cut(3));
}

TEST_F(RelayTorConnections, WhatIsOverIsForgotten) {
  come();
  come();
  far_[0] = transports::Descriptor();
  ::shutdown(near_[1].get(), SHUT_RDWR);  // as gRPC does before it closes it
  connections.forget_ended();
  EXPECT_EQ(connections.count(), 0U);
}

TEST_F(RelaySession, AnAddressHasBoundedStreamsAndRate) {
  Quotas tight;
  tight.address_streams_max = 1;
  tight.address_envelopes_per_second = 1;
  std::int64_t now_ms = 0;
  Limiter limiter(tight, [&] { return now_ms; });
  EXPECT_TRUE(limiter.stream_begins("a"));
  EXPECT_FALSE(limiter.stream_begins("a"));
  EXPECT_TRUE(limiter.stream_begins("b"));
  limiter.stream_ends("a");
  EXPECT_TRUE(limiter.stream_begins("a"));
  EXPECT_TRUE(limiter.may_send("a", 4));
  EXPECT_FALSE(limiter.may_send("a", 1));
  now_ms += 1000;
  EXPECT_TRUE(limiter.may_send("a", 1));
}

// Groups cost memory and a look-up each, whether anything is in them or not.
TEST_F(RelaySession, GroupsWithoutEnvelopesAreNoWayAroundTheLimits) {
  const auto session = submit();
  TestWire<SubmitSession> wire(session);
  session->on_frame(hello<v1::SubmitRequest>());
  v1::SubmitRequest frame;
  auto* group = frame.add_groups();
  group->set_inbox(std::string(16, 'i'));
  group->set_token(std::string(16, 't'));
  session->on_frame(frame);
  EXPECT_EQ(wire.goodbye(), v1::Goodbye::PROTOCOL);
}

TEST_F(RelaySession, HelloIsAloneInItsFrame) {
  const auto session = submit();
  TestWire<SubmitSession> wire(session);
  auto frame = hello<v1::SubmitRequest>();
  auto* group = frame.add_groups();
  group->set_inbox(std::string(16, 'i'));
  group->set_token(std::string(16, 't'));
  group->add_envelopes("x");
  session->on_frame(frame);
  EXPECT_EQ(wire.goodbye(), v1::Goodbye::PROTOCOL);
}

}  // namespace
}  // namespace wherry::relay
