// The relay's gRPC server behind a plain interface: the only part of the relay that includes gRPC.
#pragma once

#include <memory>
#include <string>

#include "identity.h"
#include "sessions.h"

namespace wherry::relay {

class GrpcServer {
 public:
  virtual ~GrpcServer() = default;
  virtual int port() const = 0;
  // Accepts nothing more and ends every stream within `seconds`.
  virtual void shut_down(int seconds) = 0;
};

// Listens at `address` ("host:port", port 0: any). Null when it cannot. What it refers to outlives
// it. memory_max: bytes that gRPC may hold in buffers.
[[nodiscard]] std::unique_ptr<GrpcServer> start_grpc_server(const std::string& address,
                                                            const Identity& identity,
                                                            Sessions& sessions,
                                                            SessionContext& context,
                                                            std::size_t memory_max);

}  // namespace wherry::relay
