// gRPC under the sessions: reads a frame when the session is ready to, writes one at a time.
#include "grpc_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_posix.h>

#include <chrono>
#include <optional>
#include <utility>

#include "limits.h"
#include "relay.grpc.pb.h"
#include "tor_connections.h"

namespace wherry::relay {
namespace {

// One stream. gRPC owns it, from the call until OnDone.
//
// kick() may come from the core's thread at any time; it starts what can start, under mutex_. The
// reactions never run inside kick().
template <class Kind>
class Stream final : public grpc::ServerBidiReactor<typename Kind::Request, typename Kind::Reply>,
                     public Wire {
 public:
  Stream(Sessions& sessions, SessionContext& context, const std::string& address)
      : sessions_(sessions),
        queue_(context.queue),
        session_(sessions.make<Kind>(context, address)) {
    session_->attach(this);
    kick();
  }

  void kick() override {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    if (!writing_ && session_->take_reply(reply_)) {
      writing_ = true;
      this->StartWrite(&reply_);
    }
    if (!writing_ && session_->finished()) {
      end(grpc::Status::OK);
      return;
    }
    if (!reading_ && session_->ready_to_read()) {
      reading_ = true;
      this->StartRead(&request_);
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      // The client has closed its half, or the link is gone: nobody waits for more.
      const std::lock_guard lock(mutex_);
      end(grpc::Status::OK);
      return;
    }
    session_->on_frame(std::move(request_));
    {
      const std::lock_guard lock(mutex_);
      request_ = {};
      reading_ = false;
    }
    kick();
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      reply_ = {};  // Clear() would keep its memory
      if (!ok) end(grpc::Status::OK);
    }
    kick();
  }

  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    end(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    sessions_.remove(session_, queue_);
    delete this;
  }

 private:
  void end(const grpc::Status& status) {  // mutex_ is held
    if (ended_) return;
    ended_ = true;
    this->Finish(status);
  }

  Sessions& sessions_;
  InputQueue& queue_;
  const std::shared_ptr<Kind> session_;
  std::mutex mutex_;
  bool reading_ = false;
  bool writing_ = false;
  bool ended_ = false;
  typename Kind::Request request_;
  typename Kind::Reply reply_;
};

class Service final : public v1::Relay::CallbackService {
 public:
  Service(Sessions& sessions, SessionContext& tcp, SessionContext& tor, TorConnections& connections)
      : sessions_(sessions), tcp_(tcp), tor_(tor), connections_(connections) {}

  grpc::ServerBidiReactor<v1::SubmitRequest, v1::SubmitReply>* Submit(
      grpc::CallbackServerContext* call) override {
    return make<SubmitSession>(*call);
  }

  grpc::ServerBidiReactor<v1::ReceiveRequest, v1::ReceiveReply>* Receive(
      grpc::CallbackServerContext* call) override {
    return make<ReceiveSession>(*call);
  }

 private:
  template <class Kind>
  Stream<Kind>* make(const grpc::CallbackServerContext& call) {
    const std::string address = counted_address(call.peer());
    const std::optional<int> over_tor = tor_connection(address);
    if (over_tor) connections_.spoke(*over_tor);
    return new Stream<Kind>(sessions_, over_tor ? tor_ : tcp_, address);
  }

  Sessions& sessions_;
  SessionContext& tcp_;
  SessionContext& tor_;
  TorConnections& connections_;
};

class Server final : public GrpcServer {
 public:
  Server(const ServerOptions& options, const Identity& identity, Sessions& sessions,
         SessionContext& tcp, SessionContext& tor)
      : listens_(!options.address.empty()),
        connections_(options.tor_connections_max),
        service_(sessions, tcp, tor, connections_) {
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({identity.key_pem, identity.certificate_pem});
    grpc::ResourceQuota quota;
    quota.Resize(options.memory_max);
    grpc::ServerBuilder builder;
    if (listens_) {
      builder.AddListeningPort(options.address, grpc::SslServerCredentials(tls), &port_);
    }
    builder.RegisterService(&service_);
    builder.SetResourceQuota(quota);
    builder.SetMaxReceiveMessageSize(static_cast<int>(kFrameSizeMax));
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kClientPingIntervalMsMin);
    // A frame is what it is: one that grows when it is unpacked would be measured afterwards.
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kHelloDeadlineS * 1000);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kGoodbyeDeadlineS * 1000);
    server_ = builder.BuildAndStart();
  }

  bool started() const { return server_ != nullptr && (!listens_ || port_ > 0); }
  int port() const override { return port_; }

  void take(transports::Descriptor connection) override {
    const int number = connections_.add(std::move(connection));
    if (number >= 0) grpc::AddInsecureChannelFromFd(server_.get(), number);
  }

  void tick() override { connections_.forget_ended(); }

  void shut_down(int seconds) override {
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(seconds));
    server_->Wait();
  }

 private:
  const bool listens_;
  TorConnections connections_;
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

std::unique_ptr<GrpcServer> start_grpc_server(const ServerOptions& options,
                                              const Identity& identity, Sessions& sessions,
                                              SessionContext& tcp, SessionContext& tor) {
  auto server = std::make_unique<Server>(options, identity, sessions, tcp, tor);
  if (!server->started()) return nullptr;
  return server;
}

}  // namespace wherry::relay
