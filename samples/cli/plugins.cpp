// Linked in: the program is one file.
#include "plugins.h"

#include "wherry/transports/centralized.h"
#ifdef WHERRY_CLI_ONION
#include "wherry/transports/onion.h"
#endif
#ifdef WHERRY_CLI_P2P
#include "wherry/transports/p2p.h"
#endif

namespace cli {

const std::vector<const wherry_transport_plugin*>& plugins() {
  static const std::vector<const wherry_transport_plugin*> all = {
      wherry_transport_centralized(),
#ifdef WHERRY_CLI_P2P
      wherry_transport_p2p(),
#endif
#ifdef WHERRY_CLI_ONION
      wherry_transport_onion(),
#endif
  };
  return all;
}

}  // namespace cli
