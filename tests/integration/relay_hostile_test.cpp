// The client against a relay that holds the pinned key and lies. Each lie ends the link with its
// own reason, and nothing wrong reaches the host.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "relay.grpc.pb.h"
#include "relay_fixture.h"
#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/centralized/centralized.h"
#include "transports/relay/identity.h"

namespace wherry::test {
namespace {

namespace v1 = relay::v1;
using SubmitStream = grpc::ServerReaderWriter<v1::SubmitReply, v1::SubmitRequest>;
using ReceiveStream = grpc::ServerReaderWriter<v1::ReceiveReply, v1::ReceiveRequest>;

constexpr std::int64_t kLimitMs = 20'000;
constexpr std::uint64_t kInbox = 1;

// What a lying relay says; each function has a truthful default.
struct Script {
  std::function<void(v1::Welcome&)> submit_welcome = [](v1::Welcome&) {};
  std::function<void(v1::Welcome&)> receive_welcome = [](v1::Welcome&) {};
  std::function<void(SubmitStream&)> submit = [](SubmitStream&) {};
  // Called once an inbox was opened, with its slot.
  std::function<void(ReceiveStream&, std::uint32_t)> receive = [](ReceiveStream&, std::uint32_t) {};
  std::function<void(SubmitStream&, const v1::SubmitRequest&)> answer =
      [](SubmitStream&, const v1::SubmitRequest&) {};
};

v1::Welcome welcome() {
  v1::Welcome made;
  made.set_version(1);
  made.set_store_id(std::string(16, 's'));
  made.set_challenge(std::string(32, 'c'));
  return made;
}

class LyingRelay final : public v1::Relay::Service {
 public:
  explicit LyingRelay(Script script) : script_(std::move(script)) {
    std::string error;
    const auto identity = relay::load_identity(directory_.path(), error);
    EXPECT_TRUE(identity.has_value()) << error;
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({identity->key_pem, identity->certificate_pem});
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port);
    // What it does not read stays in the client, not in windows that grow with what comes.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    transports::RelayAddress address;
    address.authority = {"127.0.0.1", static_cast<std::uint16_t>(port)};
    address.pin = identity->pin;
    address_ = to_text(address);
  }
  ~LyingRelay() override { server_->Shutdown(std::chrono::system_clock::now()); }

  const std::string& address() const { return address_; }

  grpc::Status Submit(grpc::ServerContext*, SubmitStream* stream) override {
    v1::SubmitRequest request;
    if (!stream->Read(&request)) return grpc::Status::OK;
    v1::SubmitReply reply;
    *reply.mutable_welcome() = welcome();
    script_.submit_welcome(*reply.mutable_welcome());
    stream->Write(reply);
    script_.submit(*stream);
    while (stream->Read(&request)) script_.answer(*stream, request);
    return grpc::Status::OK;
  }

  grpc::Status Receive(grpc::ServerContext*, ReceiveStream* stream) override {
    v1::ReceiveRequest request;
    if (!stream->Read(&request)) return grpc::Status::OK;
    v1::ReceiveReply reply;
    *reply.mutable_welcome() = welcome();
    script_.receive_welcome(*reply.mutable_welcome());
    stream->Write(reply);
    while (stream->Read(&request)) {
      for (const auto& open : request.opens()) {
        v1::ReceiveReply opened;
        auto* one = opened.add_opened();
        one->set_slot(open.slot());
        one->set_outcome(v1::STORED);
        stream->Write(opened);
        script_.receive(*stream, open.slot());
      }
    }
    return grpc::Status::OK;
  }

 private:
  const Script script_;
  TemporaryDirectory directory_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

v1::ReceiveReply delivery(std::uint32_t slot, const std::vector<std::uint32_t>& numbers,
                          std::size_t size = 10) {
  v1::ReceiveReply reply;
  auto* one = reply.add_deliveries();
  one->set_slot(slot);
  for (const std::uint32_t number : numbers) {
    one->add_numbers(number);
    one->add_envelopes(std::string(size, 'e'));
  }
  return reply;
}

class HostileRelay : public ::testing::Test {
 protected:
  void run(Script script) {
    relay_ = std::make_unique<LyingRelay>(std::move(script));
    host_ = std::make_unique<TransportHost>(*wherry_transport_centralized(), pump_,
                                            Settings{{"relay", relay_->address()}}, &memory_);
    ASSERT_EQ(host_->create(), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(host_->open_inbox(kInbox, Bytes(32, 1)), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(host_->start(), WHERRY_TRANSPORT_OK);
  }

  void expect_dropped(std::int32_t reason) {
    EXPECT_TRUE(pump_.until(
        [&] {
          const auto states = host_->states();
          return !states.empty() && states.back().state == WHERRY_TRANSPORT_STATE_DEGRADED;
        },
        kLimitMs));
    EXPECT_EQ(host_->states().back().reason, reason);
  }

  void TearDown() override {
    if (host_ == nullptr) return;
    EXPECT_TRUE(host_->stop_and_wait(2'000));
    host_->destroy();
    for (const std::string& text : host_->violations()) ADD_FAILURE() << text;
  }

  RealPump pump_;
  HostMemory memory_;
  std::unique_ptr<LyingRelay> relay_;
  std::unique_ptr<TransportHost> host_;
};

TEST_F(HostileRelay, AWelcomeWithAShortStoreId) {
  Script script;
  script.submit_welcome = [](v1::Welcome& it) { it.set_store_id("short"); };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

TEST_F(HostileRelay, AWelcomeWithAVersionThatWeDidNotOffer) {
  Script script;
  script.receive_welcome = [](v1::Welcome& it) { it.set_version(9); };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

TEST_F(HostileRelay, TwoStoresInOneRelay) {
  Script script;
  script.receive_welcome = [](v1::Welcome& it) { it.set_store_id(std::string(16, 't')); };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

TEST_F(HostileRelay, ASecondWelcome) {
  Script script;
  script.submit = [](SubmitStream& stream) {
    v1::SubmitReply reply;
    *reply.mutable_welcome() = welcome();
    stream.Write(reply);
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

TEST_F(HostileRelay, OnlyOtherVersions) {
  Script script;
  script.submit = [](SubmitStream& stream) {
    v1::SubmitReply reply;
    reply.mutable_goodbye()->set_reason(v1::Goodbye::VERSION);
    stream.Write(reply);
  };
  run(script);
  expect_dropped(WHERRY_REASON_VERSION);
}

TEST_F(HostileRelay, ResultsForWhatWasNotSent) {
  Script script;
  script.submit = [](SubmitStream& stream) {
    v1::SubmitReply reply;
    auto* result = reply.add_results();
    result->set_count(1);
    result->set_outcome(v1::STORED);
    stream.Write(reply);
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

TEST_F(HostileRelay, ABundleThatNobodyAskedFor) {
  Script script;
  script.submit = [](SubmitStream& stream) {
    v1::SubmitReply reply;
    reply.add_bundles()->set_bundle("x");
    stream.Write(reply);
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

TEST_F(HostileRelay, AnUnknownInbox) {
  Script script;
  script.receive = [](ReceiveStream& stream, std::uint32_t slot) {
    stream.Write(delivery(slot + 77, {1}));
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(host_->received_count(), 0U);
}

TEST_F(HostileRelay, ADoubledDelivery) {
  Script script;
  script.receive = [](ReceiveStream& stream, std::uint32_t slot) {
    stream.Write(delivery(slot, {1}));
    stream.Write(delivery(slot, {1}));
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(host_->received_count(), 1U);
}

TEST_F(HostileRelay, AReorderedDelivery) {
  Script script;
  script.receive = [](ReceiveStream& stream, std::uint32_t slot) {
    stream.Write(delivery(slot, {5, 4}));
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

TEST_F(HostileRelay, NumbersWithoutEnvelopes) {
  Script script;
  script.receive = [](ReceiveStream& stream, std::uint32_t slot) {
    auto frame = delivery(slot, {1});
    frame.mutable_deliveries(0)->add_numbers(2);
    stream.Write(frame);
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

TEST_F(HostileRelay, EmptyAndOversizedEnvelopes) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{WHERRY_ENVELOPE_SIZE_MAX} + 1}) {
    Script script;
    script.receive = [size](ReceiveStream& stream, std::uint32_t slot) {
      stream.Write(delivery(slot, {1}, size));
    };
    if (host_ != nullptr) TearDown();
    run(script);
    expect_dropped(WHERRY_REASON_PROTOCOL);
    EXPECT_EQ(host_->received_count(), 0U);
  }
}

TEST_F(HostileRelay, AnOversizedFrame) {
  Script script;
  script.receive = [](ReceiveStream& stream, std::uint32_t slot) {
    std::vector<std::uint32_t> numbers(40);
    for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i + 1;
    stream.Write(delivery(slot, numbers, 40'000));
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(host_->received_count(), 0U);
}

TEST_F(HostileRelay, MoreThanTheWindow) {
  Script script;
  script.receive = [](ReceiveStream& stream, std::uint32_t slot) {
    for (std::uint32_t i = 1; i <= 1025; ++i) {
      if (!stream.Write(delivery(slot, {i}))) return;
    }
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
  EXPECT_LE(host_->received_count(), 1024U);
}

TEST_F(HostileRelay, AnInboxOpenedTwice) {
  Script script;
  script.receive = [](ReceiveStream& stream, std::uint32_t slot) {
    v1::ReceiveReply opened;
    auto* one = opened.add_opened();
    one->set_slot(slot);
    one->set_outcome(v1::STORED);
    stream.Write(opened);
  };
  run(script);
  expect_dropped(WHERRY_REASON_PROTOCOL);
}

// The same relay as last time but with another store: that is a reset, not a lie.
TEST_F(HostileRelay, AnotherStoreThanLastTime) {
  memory_.values["store"] = Bytes(16, 'o');
  run(Script());
  ASSERT_TRUE(pump_.until([&] { return host_->endpoint(kInbox).has_value(); }, kLimitMs));
  ASSERT_EQ(host_->add_peer(2, *host_->endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  bool reset = false;
  for (const PeerReport& one : host_->peer_reports()) {
    reset |= one.state == WHERRY_PEER_STATE_RESET && one.reason == WHERRY_REASON_RELAY_RESET;
  }
  EXPECT_TRUE(reset);
  EXPECT_EQ(memory_.values["store"], Bytes(16, 's'));
}

// Sends are answered FAILED_RETRY when the relay ends without a word.
TEST_F(HostileRelay, HangsUpOnWhatWasSent) {
  Script script;
  script.answer = [](SubmitStream& stream, const v1::SubmitRequest& request) {
    if (request.groups_size() == 0) return;
    v1::SubmitReply reply;
    reply.mutable_goodbye()->set_reason(v1::Goodbye::DRAINING);
    stream.Write(reply);
  };
  run(script);
  ASSERT_TRUE(pump_.until([&] { return host_->endpoint(kInbox).has_value(); }, kLimitMs));
  ASSERT_EQ(host_->add_peer(2, *host_->endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  const std::uint64_t id = host_->send_one(2, Bytes(100, 1));
  ASSERT_TRUE(pump_.until([&] { return host_->last_sent(id).has_value(); }, kLimitMs));
  EXPECT_EQ(host_->last_sent(id)->outcome, WHERRY_OUTCOME_FAILED_RETRY);
  expect_dropped(WHERRY_REASON_TRANSPORT_OFFLINE);
}

// It delivers without end under numbers that do not join, and reads no acknowledgement: what can
// not be written counts to the window, which it then breaks, or the write takes too long.
TEST_F(HostileRelay, NeverReadsAnAcknowledgement) {
  constexpr std::size_t kBatch = 128;
  Script script;
  script.receive = [](ReceiveStream& stream, std::uint32_t slot) {
    std::uint32_t number = 1;
    for (bool going = true; going;) {
      std::vector<std::uint32_t> odd;
      for (std::size_t i = 0; i < kBatch; ++i, number += 2) odd.push_back(number);
      going = stream.Write(delivery(slot, odd, 1));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  };
  run(script);
  std::size_t seen = 0;
  const auto left = [&] {
    const auto fresh = host_->received_since(seen);
    seen += fresh.size();
    if (!fresh.empty()) host_->ack(fresh);
    const auto states = host_->states();
    return !states.empty() && states.back().state == WHERRY_TRANSPORT_STATE_DEGRADED;
  };
  EXPECT_TRUE(pump_.until(left, 100'000)) << seen;
  EXPECT_GT(seen, 2'048u);  // so many were acknowledged: it was not the window alone
}

}  // namespace
}  // namespace wherry::test
