// Dials a relay that is an onion service, by a tor: one of our own, or one that runs already.
#pragma once

#include <memory>

#include "dial.h"

namespace wherry::transports::centralized {

// Starts it; the first dial waits until it is in the network. settings.tor is set.
[[nodiscard]] std::unique_ptr<Dialler> make_tor_dialler(const ClientSettings& settings,
                                                        DiallerCalls calls);

}  // namespace wherry::transports::centralized
