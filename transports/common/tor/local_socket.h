// Sockets of this machine by which tor and we find each other. None of them blocks.
#pragma once

#include <string>

#include "transports/common/net.h"

namespace wherry::transports::tor {

// A unix socket, or an address of this machine's own loop: whoever is elsewhere would see in the
// clear where streams go.
[[nodiscard]] bool is_of_this_machine(const std::string& place);

// To "unix:/path" or "ADDRESS:PORT" in numbers. Not valid: errno says why.
[[nodiscard]] Descriptor connect_local(const std::string& place);

// At a path in a folder that nobody else may enter; or, if that is empty, at a free port of
// 127.0.0.1. Out: place, as tor is told it: "unix:/path" or "127.0.0.1:PORT".
[[nodiscard]] Descriptor listen_local(const std::string& path, std::string& place);

[[nodiscard]] Descriptor accept_local(int listener);

}  // namespace wherry::transports::tor
