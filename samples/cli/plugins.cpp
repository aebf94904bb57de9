// Linked in: the program is one file.
#include "plugins.h"

#include <wherry/transport.h>

#include "text.h"
#include "wherry/transports/centralized.h"
#include "wherry/wherry.hpp"
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

// The library's words for an unknown one are for who links plug-ins.
const wherry_transport_plugin& find_plugin(const std::string& name) {
  std::string known;
  for (const wherry_transport_plugin* plugin : plugins()) {
    if (name == plugin->describe()->name) return *plugin;
    known += (known.empty() ? "" : ", ") + std::string(plugin->describe()->name);
  }
  throw wherry::Error(WHERRY_E_NOT_FOUND, WHERRY_REASON_NONE,
                      "this program has no network '" + harmless(name) + "': it has " + known);
}

}  // namespace cli
