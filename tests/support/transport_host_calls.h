// The host table that TransportHost gives to the plug-in.
#pragma once

#include "include/wherry/transport.h"

namespace wherry::test {

extern const wherry_transport_host_api kHostTable;

}  // namespace wherry::test
