// Finds the way to the relay: resolves its name and tries its addresses, or goes through the proxy.
#pragma once

#include <memory>
#include <string>

#include "settings.h"
#include "transports/common/net.h"
#include "transports/common/socks.h"

namespace wherry::transports::centralized {

struct Dialled {
  std::int32_t reason = 0;         // wherry_reason; NONE: it can be reached
  std::string address;             // as LinkTarget's
  std::unique_ptr<Tunnel> tunnel;  // with a proxy: lives as long as the link
};

// Waits for the network: called on a thread that may.
[[nodiscard]] Dialled dial(const ClientSettings& settings, Deadline deadline,
                           const Stopper& stopper);

}  // namespace wherry::transports::centralized
