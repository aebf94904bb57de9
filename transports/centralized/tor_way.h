// The way to a relay that is an onion service, by a tor: one of our own, or one that runs already.
#pragma once

#include <memory>

#include "way.h"

namespace wherry::transports::centralized {

// Starts it; the first dial waits until it is in the network. settings.tor is set.
[[nodiscard]] std::unique_ptr<Way> make_tor_way(const ClientSettings& settings, WayCalls calls);

}  // namespace wherry::transports::centralized
