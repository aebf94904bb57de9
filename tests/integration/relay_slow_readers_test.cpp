// The program wherry-relay under two hundred streams whose clients do not read: what it holds of
// their envelopes stays within its bound, and each of them gets everything once it reads.
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "relay.grpc.pb.h"
#include "relay_fixture.h"
#include "transports/common/relay_keys.h"
#include "transports/relay/limits.h"

namespace wherry::test {
namespace {

namespace v1 = relay::v1;
using transports::InboxKeys;

constexpr std::size_t kStreams = 200;
constexpr std::size_t kChannels = 10;
constexpr std::size_t kEnvelopes = 10;  // for each: 90 MB altogether
constexpr std::size_t kSize = relay::kEnvelopeSizeMax;

// This test's relay is the only one there: any key will do.
class AnyServer final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest*,
              std::function<void(grpc::Status)>, grpc::Status* status) override {
    *status = grpc::Status::OK;
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}
};

std::shared_ptr<grpc::Channel> connect(const std::string& authority) {
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<AnyServer>());
  tls.set_verify_server_certs(false);
  tls.set_check_call_host(false);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Else gRPC reads ahead into this process, megabytes for each stream, and the relay is rid of
  // them.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16 * 1024);
  return grpc::CreateCustomChannel("ipv4:" + authority, grpc::experimental::TlsCredentials(tls),
                                   arguments);
}

std::string text(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string envelope(std::size_t stream, std::size_t number) {
  std::string made = std::to_string(stream) + "/" + std::to_string(number) + "/";
  made.resize(kSize, '.');
  return made;
}

template <class Request>
Request hello() {
  Request request;
  request.mutable_hello()->set_version_min(1);
  request.mutable_hello()->set_version_max(1);
  return request;
}

// One client's Receive stream, with one inbox. It reads when the test says so.
class Reader {
 public:
  Reader(v1::Relay::Stub& stub, const transports::Pin& pin, std::size_t number)
      : number_(number), keys_(secret(number)), stream_(stub.Receive(&context_)) {
    v1::ReceiveReply reply;
    if (!stream_->Write(hello<v1::ReceiveRequest>()) || !stream_->Read(&reply)) return;
    transports::Challenge challenge{};
    std::copy_n(reply.welcome().challenge().begin(), challenge.size(), challenge.begin());
    v1::ReceiveRequest request;
    auto* open = request.add_opens();
    open->set_slot(1);
    open->set_key(text(keys_.key->public_key()));
    open->set_token_hash(text(keys_.token_hash));
    open->set_signature(
        text(keys_.key->sign(transports::open_proof(pin, challenge, keys_.token_hash))));
    open_ = stream_->Write(request) && stream_->Read(&reply) && reply.opened_size() == 1 &&
            reply.opened(0).outcome() == v1::STORED;
  }

  bool open() const { return open_; }
  const InboxKeys& keys() const { return keys_; }

  // Reads and acknowledges until everything is there.
  void read_all() {
    std::size_t next = 0;
    v1::ReceiveReply reply;
    while (next < kEnvelopes && stream_->Read(&reply)) {
      v1::ReceiveRequest request;
      for (const auto& run : reply.deliveries()) {
        for (const std::string& one : run.envelopes()) EXPECT_EQ(one, envelope(number_, next++));
        auto* ack = request.add_acks();
        ack->set_slot(run.slot());
        ack->set_first(run.numbers(0));
        ack->set_last(run.numbers(run.numbers_size() - 1));
      }
      stream_->Write(request);
    }
    EXPECT_EQ(next, kEnvelopes) << "of stream " << number_;
    context_.TryCancel();
  }

 private:
  static std::array<std::uint8_t, 32> secret(std::size_t number) {
    return {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8U), 7};
  }

  const std::size_t number_;
  const InboxKeys keys_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ReceiveRequest, v1::ReceiveReply>> stream_;
  bool open_ = false;
};

// The sanitizer's quarantine would hide what the relay frees.
class NoQuarantine {
 public:
  NoQuarantine() {
    const char* had = std::getenv("ASAN_OPTIONS");
    had_ = had == nullptr ? "" : had;
    const std::string options = had_ + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=16";
    setenv("ASAN_OPTIONS", options.c_str(), 1);
  }
  NoQuarantine(const NoQuarantine&) = delete;
  NoQuarantine& operator=(const NoQuarantine&) = delete;
  ~NoQuarantine() { setenv("ASAN_OPTIONS", had_.c_str(), 1); }

 private:
  std::string had_;
};

TEST(RelaySlowReaders, ShareOneBudgetAndEachGetsEverything) {
  const NoQuarantine small_quarantine;
  const TemporaryDirectory data;
  const RelayProcess relay(data.path() / "relay", "127.0.0.1:0",
                           {"--memory-mib", "32", "--fast-sync"});
  const auto address = transports::parse_relay_address(relay.address());
  ASSERT_TRUE(address.has_value()) << relay.log();
  std::vector<std::unique_ptr<v1::Relay::Stub>> stubs;
  for (std::size_t i = 0; i < kChannels; ++i) {
    stubs.push_back(v1::Relay::NewStub(connect(relay.host_and_port())));
  }
  std::vector<std::unique_ptr<Reader>> readers;
  for (std::size_t i = 0; i < kStreams; ++i) {
    readers.push_back(std::make_unique<Reader>(*stubs[i % kChannels], address->pin, i));
    ASSERT_TRUE(readers.back()->open()) << i;
  }

  const auto sender = v1::Relay::NewStub(connect(relay.host_and_port()));
  grpc::ClientContext context;
  const auto stream = sender->Submit(&context);
  v1::SubmitReply reply;
  ASSERT_TRUE(stream->Write(hello<v1::SubmitRequest>()) && stream->Read(&reply));
  const long before_kib = relay.memory_kib();
  long most_kib = before_kib;
  for (std::size_t number = 0; number < kEnvelopes; ++number) {
    for (std::size_t i = 0; i < kStreams; ++i) {
      v1::SubmitRequest request;
      auto* group = request.add_groups();
      group->set_inbox(text(readers[i]->keys().id));
      group->set_token(text(readers[i]->keys().token));
      group->add_envelopes(envelope(i, number));
      ASSERT_TRUE(stream->Write(request));
    }
    for (std::size_t answered = 0; answered < kStreams;) {
      ASSERT_TRUE(stream->Read(&reply));
      for (const auto& result : reply.results()) {
        EXPECT_EQ(result.outcome(), v1::STORED);
        answered += result.count();
      }
    }
    most_kib = std::max(most_kib, relay.memory_kib());
  }
  RecordProperty("relay_growth_kib", std::to_string(most_kib - before_kib));
  // Without a budget it is over 150 MiB; with the sanitizer, that is.
  EXPECT_LT(most_kib - before_kib, 100 * 1024);
  for (const auto& reader : readers) reader->read_all();
  context.TryCancel();
}

}  // namespace
}  // namespace wherry::test
