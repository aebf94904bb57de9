// What whoever uses the Tor network reveals on the way.
#pragma once

#include "include/wherry/transport.h"

namespace wherry::transports::tor {

inline void add_reveals(wherry_reveals& reveals) {
  // Whoever is on the way to the Tor network sees that this machine uses it, when and how much; not
  // what for.
  constexpr std::uint32_t kPackets =
      WHERRY_FACT_MY_IP | WHERRY_FACT_TIMING | WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
  reveals.facts[WHERRY_OBSERVER_LOCAL_NETWORK] |= kPackets;
  reveals.facts[WHERRY_OBSERVER_NETWORK] |= kPackets;
  reveals.facts[WHERRY_OBSERVER_PROXY] |= kPackets;  // tor's entry: a guard or a bridge
  // Directories keep descriptors of services whose names change each day, and see that one is kept
  // up or asked for.
  reveals.facts[WHERRY_OBSERVER_DIRECTORY] |= WHERRY_FACT_TIMING | WHERRY_FACT_PRESENCE;
}

}  // namespace wherry::transports::tor
