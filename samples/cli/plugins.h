// The transports that the program has.
#pragma once

#include <string>
#include <vector>

struct wherry_transport_plugin;

namespace cli {

const std::vector<const wherry_transport_plugin*>& plugins();

// The one of this name. Throws a wherry::Error that names those there are.
const wherry_transport_plugin& find_plugin(const std::string& name);

}  // namespace cli
