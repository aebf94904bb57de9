// The way to the relay: resolves its name and tries its addresses, or goes through a proxy, or over
// Tor (tor_dialler.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "settings.h"
#include "transports/common/net.h"
#include "transports/common/socks.h"

namespace wherry::transports::centralized {

struct Dialled {
  std::int32_t reason = 0;         // wherry_reason; NONE: it can be reached
  std::string address;             // as LinkTarget's
  std::unique_ptr<Tunnel> tunnel;  // with a proxy or Tor: lives as long as the link
  std::string phase = {};          // more about the reason, or empty
};

// What a dialler tells its client.
struct DiallerCalls {
  // From within dial: it takes a while.
  std::function<void(std::int32_t percent, const std::string& phase)> progress;
  // From any thread: after a dial that failed, another one may succeed now.
  std::function<void()> try_again;
};

// For one life of the transport, from its start to its stop.
class Dialler {
 public:
  virtual ~Dialler() = default;  // ends what it has begun, within 2 s
  // Waits for the network: called on a thread that may.
  [[nodiscard]] virtual Dialled dial(Deadline deadline, const Stopper& stopper) = 0;
  // From any thread.
  virtual void network_changed() {}
};

// The far end of a connection, for gRPC to connect to.
[[nodiscard]] Dialled through_tunnel(Descriptor far);

using DiallerFactory = std::function<std::unique_ptr<Dialler>(const ClientSettings&, DiallerCalls)>;

// The factory on real sockets and a real tor. Throws when descriptors or threads run out.
[[nodiscard]] std::unique_ptr<Dialler> make_dialler(const ClientSettings& settings,
                                                    DiallerCalls calls);

}  // namespace wherry::transports::centralized
