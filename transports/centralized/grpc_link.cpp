// A link on gRPC: the only file of the client that includes it.
//
// gRPC decides nothing here: it gets a numeric address or a socket of ours, uses no proxy, resolves
// no name, reads no service configuration, checks no names or dates, and does not reconnect (the
// channel ends with its first failure). The server's key is checked against the pin.
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "include/wherry/wherry_schema.h"
#include "limits.h"
#include "link.h"
#include "relay.grpc.pb.h"
#include "transports/common/crypto.h"
#include "transports/common/relay_keys.h"

namespace wherry::transports::centralized {
namespace {

std::optional<Pin> pin_of_certificate(std::string_view pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  if (bio == nullptr) return std::nullopt;
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  if (certificate == nullptr) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  std::optional<Pin> pin;
  if (size > 0) {
    pin = pin_of({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
  }
  X509_free(certificate);
  return pin;
}

// Compares the server's key with the pin; TLS itself has proven that the server holds it.
class PinVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  PinVerifier(const Pin& pin, std::shared_ptr<std::atomic<bool>> wrong_key)
      : pin_(pin), wrong_key_(std::move(wrong_key)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* status) override {
    const grpc::string_ref pem = request->peer_cert();
    const auto pin = pin_of_certificate({pem.data(), pem.size()});
    if (!pin || !equal_in_constant_time(*pin, pin_)) {
      *wrong_key_ = true;
      *status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "not the pinned key");
    } else {
      *status = grpc::Status::OK;
    }
    return true;  // decided at once
  }

  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const Pin pin_;
  const std::shared_ptr<std::atomic<bool>> wrong_key_;
};

std::shared_ptr<grpc::ChannelCredentials> credentials(
    const LinkTarget& target, const std::shared_ptr<std::atomic<bool>>& wrong_key) {
  if (!target.pin) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<PinVerifier>(*target.pin, wrong_key));
  tls.set_verify_server_certs(false);
  tls.set_check_call_host(false);
  return grpc::experimental::TlsCredentials(tls);
}

std::shared_ptr<grpc::Channel> make_channel(const LinkTarget& target,
                                            const std::shared_ptr<std::atomic<bool>>& wrong_key) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kNeverMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kNeverMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kNeverMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetMaxReceiveMessageSize(kFrameSizeMax);
  // One that grows when it is unpacked would be measured afterwards.
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  std::string uri = target.address;
  if (uri.rfind("unix:", 0) != 0) uri = (uri.front() == '[' ? "ipv6:" : "ipv4:") + uri;
  return grpc::CreateCustomChannel(uri, credentials(target, wrong_key), arguments);
}

std::int32_t reason_of(const grpc::Status& status, bool heard, bool wrong_key) {
  if (wrong_key) return WHERRY_REASON_WRONG_KEY;
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
    case grpc::StatusCode::CANCELLED:
      return WHERRY_REASON_TRANSPORT_OFFLINE;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return WHERRY_REASON_TIMEOUT;
    case grpc::StatusCode::UNAVAILABLE:
      if (heard) return WHERRY_REASON_TRANSPORT_OFFLINE;
      // The connection itself stood (we tried it before): what failed is TLS or HTTP/2.
      return status.error_message().find("andshake") != std::string::npos
                 ? WHERRY_REASON_PROTOCOL
                 : WHERRY_REASON_UNREACHABLE;
    default:
      return WHERRY_REASON_PROTOCOL;
  }
}

// One lane. gRPC calls it until OnDone.
template <class Request, class Reply>
class LaneReactor final : public grpc::ClientBidiReactor<Request, Reply> {
 public:
  LaneReactor(Lane lane, std::uint64_t link, std::shared_ptr<LinkListener> listener,
              std::shared_ptr<const std::atomic<bool>> wrong_key)
      : lane_(lane),
        link_(link),
        listener_(std::move(listener)),
        wrong_key_(std::move(wrong_key)) {}

  grpc::ClientContext& context() { return context_; }

  void start() {
    this->AddHold();
    this->StartCall();
  }

  void read() {
    const std::lock_guard lock(mutex_);
    if (!released_) this->StartRead(&reply_);
  }

  void write(Request frame) {
    const std::lock_guard lock(mutex_);
    if (released_) return;
    request_ = std::move(frame);
    this->StartWrite(&request_);
  }

  void cancel() {
    context_.TryCancel();
    release();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      release();
      return;
    }
    heard_ = true;
    listener_->on_frame(link_, reply_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      release();
      return;
    }
    listener_->on_written(link_, lane_);
  }

  void OnDone(const grpc::Status& status) override {
    // The owner may destroy the link as soon as it hears of this: nothing of it is used after.
    const std::int32_t reason = reason_of(status, heard_, *wrong_key_);
    const auto listener = listener_;
    listener->on_ended(link_, lane_, reason, status.error_message());
  }

 private:
  // Nothing is started from outside any more, so that gRPC may end the lane: at once, on another
  // thread, so that letting go is the last thing done with it.
  void release() {
    {
      const std::lock_guard lock(mutex_);
      if (released_) return;
      released_ = true;
    }
    this->RemoveHold();
  }

  const Lane lane_;
  const std::uint64_t link_;
  const std::shared_ptr<LinkListener> listener_;
  grpc::ClientContext context_;
  const std::shared_ptr<const std::atomic<bool>> wrong_key_;
  std::mutex mutex_;
  bool released_ = false;
  bool heard_ = false;  // a frame came
  Request request_;
  Reply reply_;
};

class GrpcLink final : public Link {
 public:
  GrpcLink(const LinkTarget& target, const std::shared_ptr<LinkListener>& listener,
           std::uint64_t link)
      : channel_(make_channel(target, wrong_key_)),
        stub_(v1::Relay::NewStub(channel_)),
        submit_(Lane::kSubmit, link, listener, wrong_key_),
        receive_(Lane::kReceive, link, listener, wrong_key_) {}

  void start() override {
    stub_->async()->Submit(&submit_.context(), &submit_);
    stub_->async()->Receive(&receive_.context(), &receive_);
    submit_.start();
    receive_.start();
  }

  void read(Lane lane) override {
    if (lane == Lane::kSubmit) {
      submit_.read();
    } else {
      receive_.read();
    }
  }

  void write(v1::SubmitRequest frame) override { submit_.write(std::move(frame)); }
  void write(v1::ReceiveRequest frame) override { receive_.write(std::move(frame)); }

  void cancel() override {
    submit_.cancel();
    receive_.cancel();
  }

 private:
  const std::shared_ptr<std::atomic<bool>> wrong_key_ = std::make_shared<std::atomic<bool>>(false);
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::Relay::Stub> stub_;
  LaneReactor<v1::SubmitRequest, v1::SubmitReply> submit_;
  LaneReactor<v1::ReceiveRequest, v1::ReceiveReply> receive_;
};

}  // namespace

// gRPC's library stays set up for the life of the process, once it was needed: to end it with the
// last link and begin it with the next races with its own threads.
std::unique_ptr<Link> make_grpc_link(const LinkTarget& target,
                                     const std::shared_ptr<LinkListener>& listener,
                                     std::uint64_t link) {
  static const bool ready = [] {
    grpc_init();
    return true;
  }();
  static_cast<void>(ready);
  return std::make_unique<GrpcLink>(target, listener, link);
}

}  // namespace wherry::transports::centralized
