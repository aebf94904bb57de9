// The form of a setting of type ADDRESS, as transport.h names it.
#ifndef WHERRY_PLUGIN_ADDRESS_H
#define WHERRY_PLUGIN_ADDRESS_H

#include <string_view>

namespace wherry::plugin {

// address = host ":" port / "[" ipv6 "]" ":" port / "unix:/" path
// host: 1 to 253 letters, digits, '.', '-' and '_'; ipv6 without a zone; port: 0 to 65535 without
// leading zeros, where 0 asks for any free one; path: what fits a socket's address, without control
// characters. Nothing is resolved.
bool is_address(std::string_view text);

}  // namespace wherry::plugin

#endif  // WHERRY_PLUGIN_ADDRESS_H
