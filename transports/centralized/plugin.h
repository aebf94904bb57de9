// The plug-in's C table over a client, whatever its links and its dialling are made of.
#pragma once

#include "client.h"
#include "include/wherry/transport.h"

namespace wherry::transports::centralized {

using CreateFunction = decltype(wherry_transport_plugin::create);

// What a table's `create` does; wherry/transport.h says what that is.
std::int32_t create_client(wherry_transport** transport, const wherry_transport_host_api* api,
                           wherry_transport_host* host, const wherry_setting* settings,
                           std::size_t setting_count, LinkFactory make_link,
                           DiallerFactory make_dialler);

// The table whose instances are made by `create`.
wherry_transport_plugin table_of(CreateFunction create);

}  // namespace wherry::transports::centralized
