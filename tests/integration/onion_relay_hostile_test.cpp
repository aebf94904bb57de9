// A relay that is an onion service, and whoever reaches it or stands in its way: without a tor.
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include "relay.grpc.pb.h"
#include "relay_fixture.h"
#include "transports/common/tor/local_socket.h"
#include "transports/relay/core_thread.h"
#include "transports/relay/grpc_server.h"
#include "transports/relay/onion_service.h"
#include "transports/relay/sqlite_store.h"

namespace wherry::test {
namespace {

using transports::Descriptor;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);

// A whole relay that listens nowhere: connections are handed to it.
class HandedRelay {
 public:
  HandedRelay() {
    std::string error;
    server_ = relay::start_grpc_server({"", std::size_t{16} << 20U, 100},
                                       relay::load_identity(directory_.path(), error).value(),
                                       sessions_, context_, context_);
  }
  HandedRelay(const HandedRelay&) = delete;
  HandedRelay& operator=(const HandedRelay&) = delete;
  ~HandedRelay() {
    core_thread_.drain();
    server_->shut_down(1);
  }

  void take(Descriptor connection) { server_->take(std::move(connection)); }
  // The client's end of a new one.
  Descriptor connection() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    take(Descriptor(ends[0]));
    return Descriptor(ends[1]);
  }

 private:
  TemporaryDirectory directory_;
  std::string error_;
  const relay::Quotas quotas_;
  const std::unique_ptr<relay::Store> store_ =
      relay::open_sqlite_store(directory_.path() / "relay.db", {0, false}, error_);
  relay::Limiter limiter_{quotas_, [] { return 0; }};
  relay::Sessions sessions_{limiter_, [](bool) {}};
  relay::Core core_{*store_, quotas_, std::size_t{1} << 20U, sessions_};
  relay::CoreThread core_thread_{core_, [] { return 1'800'000'000; }, std::size_t{1} << 20U};
  relay::SessionContext context_{core_thread_, limiter_, store_->id(), {}};
  std::unique_ptr<relay::GrpcServer> server_;
};

// False: not until then.
bool ends(int socket, Clock::time_point until) {
  std::array<char, 4096> buffer{};
  while (Clock::now() < until) {
    pollfd one{socket, POLLIN, 0};
    if (::poll(&one, 1, 100) == 1 && ::recv(socket, buffer.data(), buffer.size(), 0) == 0) {
      return true;
    }
  }
  return false;
}

// It costs them nothing over Tor, and the relay a descriptor each.
TEST(HostileOnionRelay, WhoOpensNoStreamIsNotKept) {
  HandedRelay relay;
  const Descriptor silent = relay.connection();
  const Descriptor greeted = relay.connection();
  ASSERT_EQ(::send(greeted.get(), kPreface.data(), kPreface.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(kPreface.size()));
  const auto until = Clock::now() + 30s;
  EXPECT_TRUE(ends(silent.get(), until)) << "it said nothing";
  EXPECT_TRUE(ends(greeted.get(), until + 1s)) << "it spoke HTTP/2, and asked for nothing";
}

// A tor that refuses a service once.
class FakeTor {
 public:
  explicit FakeTor(const std::string& path)
      : listener_(transports::tor::listen_local(path, place_)) {
    thread_ = std::thread([this] { run(); });
  }
  FakeTor(const FakeTor&) = delete;
  FakeTor& operator=(const FakeTor&) = delete;
  ~FakeTor() {
    stop_ = true;
    thread_.join();
  }
  const std::string& place() const { return place_; }
  int asked() const { return asked_; }

 private:
  std::string answer(const std::string& line) {
    if (line.starts_with("PROTOCOLINFO")) {
      return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250 OK\r\n";
    }
    if (line.find("listeners/socks") != std::string::npos) {
      return "250-net/listeners/socks=\"unix:/nowhere\"\r\n250 OK\r\n";
    }
    if (line.find("bootstrap-phase") != std::string::npos) {
      return "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100\r\n250 OK\r\n";
    }
    if (line.starts_with("ADD_ONION") && asked_++ == 0) return "550 Onion address collision\r\n";
    return "250 OK\r\n";
  }
  void run() {
    Descriptor socket;
    std::string line;
    while (!stop_) {
      pollfd one{socket.valid() ? socket.get() : listener_.get(), POLLIN, 0};
      if (::poll(&one, 1, 20) != 1) continue;
      char character = 0;
      if (!socket.valid()) {
        socket = transports::tor::accept_local(listener_.get());
      } else if (::recv(socket.get(), &character, 1, 0) != 1) {
        socket = Descriptor();
      } else if (character == '\n') {
        const std::string said = answer(line);
        ::send(socket.get(), said.data(), said.size(), MSG_NOSIGNAL);
        line.clear();
      } else if (character != '\r') {
        line += character;
      }
    }
  }

  std::string place_;
  const Descriptor listener_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> asked_ = 0;
  std::thread thread_;
};

// An earlier relay's service is not over yet, or descriptors have run out for a moment.
TEST(HostileOnionRelay, AServiceThatWasRefusedIsPublishedAgain) {
  const TemporaryDirectory folder;
  FakeTor tor(folder.path() / "control");
  transports::tor::TorSettings settings;
  settings.control = tor.place();
  relay::OnionService service({}, settings, {[](Descriptor) {}, [] {}});
  const auto until = Clock::now() + 30s;
  for (std::int64_t s = 0; tor.asked() < 2 && Clock::now() < until; ++s) {
    std::this_thread::sleep_for(100ms);
    service.tick(s);
  }
  EXPECT_GE(tor.asked(), 2) << "the relay runs, and nobody will ever find it";
}

long peak_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    long value = 0;
    if (word == "VmHWM:" && status >> value) return value;
  }
  return -1;
}

// 768 KiB of gzip become 770 MiB, of which a frame's limit is asked only afterwards.
TEST(HostileRelayClient, WhatIsCompressedDoesNotBecomeMuch) {
  constexpr std::size_t kMuch = std::size_t{256} << 20U;
  const TemporaryDirectory data;
  const RelayProcess relay(data.path(), "127.0.0.1:0", {"--memory-mib", "32"});
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  tls.set_verify_server_certs(false);
  tls.set_check_call_host(false);
  const auto channel =
      grpc::CreateChannel(relay.host_and_port(), grpc::experimental::TlsCredentials(tls));
  const auto stub = relay::v1::Relay::NewStub(channel);
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const auto stream = stub->Submit(&context);
  relay::v1::SubmitRequest frame;
  relay::v1::SubmitReply reply;
  frame.mutable_hello()->set_version_min(1);
  frame.mutable_hello()->set_version_max(1);
  ASSERT_TRUE(stream->Write(frame) && stream->Read(&reply)) << relay.log();
  const long before = peak_kib(relay.pid());
  frame.Clear();
  frame.add_groups()->add_envelopes(std::string(kMuch, '\0'));
  stream->Write(frame);
  while (stream->Read(&reply)) {
  }
  const grpc::Status status = stream->Finish();
  EXPECT_LT(peak_kib(relay.pid()) - before, long{32} * 1024) << status.error_message();
}

}  // namespace
}  // namespace wherry::test
