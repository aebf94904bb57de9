// The relay's gRPC server behind a plain interface: the only part of the relay that includes gRPC.
#pragma once

#include <memory>
#include <string>

#include "identity.h"
#include "sessions.h"
#include "transports/common/net.h"

namespace wherry::relay {

class GrpcServer {
 public:
  virtual ~GrpcServer() = default;
  virtual int port() const = 0;  // 0: it listens nowhere
  // A connection that came over Tor, which encrypts. Thread-safe.
  virtual void take(transports::Descriptor connection) = 0;
  // Called about once a second.
  virtual void tick() = 0;
  // Accepts nothing more and ends every stream within `seconds`.
  virtual void shut_down(int seconds) = 0;
};

struct ServerOptions {
  std::string address;         // "host:port", port 0: any; empty: it listens nowhere
  std::size_t memory_max = 0;  // bytes that gRPC may hold in buffers
  std::size_t tor_connections_max = 0;
};

// Null when it cannot listen. What it refers to outlives it. tor: of connections that it takes.
[[nodiscard]] std::unique_ptr<GrpcServer> start_grpc_server(const ServerOptions& options,
                                                            const Identity& identity,
                                                            Sessions& sessions, SessionContext& tcp,
                                                            SessionContext& tor);

}  // namespace wherry::relay
