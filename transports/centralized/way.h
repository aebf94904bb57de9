// The way to the relay: resolves its name and tries its addresses, or goes through a proxy, or over
// Tor (tor_way.h).
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

// What a way tells its client.
struct WayCalls {
  // From within dial: it takes a while.
  std::function<void(std::int32_t percent, const std::string& phase)> progress;
  // From any thread, after a dial that failed: another one may succeed.
  std::function<void()> try_again;
};

// For one life of the transport, from its start to its stop.
class Way {
 public:
  virtual ~Way() = default;  // ends what it has begun, within 2 s
  // Waits for the network: called on a thread that may.
  [[nodiscard]] virtual Dialled dial(Deadline deadline, const Stopper& stopper) = 0;
  // From any thread.
  virtual void network_changed() {}
};

using WayFactory = std::function<std::unique_ptr<Way>(const ClientSettings&, WayCalls)>;

// The factory on real sockets and a real tor. Throws when descriptors or threads run out.
[[nodiscard]] std::unique_ptr<Way> make_way(const ClientSettings& settings, WayCalls calls);

}  // namespace wherry::transports::centralized
