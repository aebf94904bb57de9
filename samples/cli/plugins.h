// The transports that the program has.
#pragma once

#include <vector>

struct wherry_transport_plugin;

namespace cli {

const std::vector<const wherry_transport_plugin*>& plugins();

}  // namespace cli
