// Settings of the transport and what they reveal.
#pragma once

#include <optional>
#include <string>

#include "include/wherry/transport.h"
#include "limits.h"
#include "transports/common/tor/tor_provider.h"

namespace wherry::transports::onion {

struct NodeSettings {
  tor::TorSettings tor;
  int services = kServicesDefault;  // contacts with an address of their own
  bool share = false;               // the others share one
};

// Strict. Reads the file that `torrc` names. Out: error, one line that says what to do.
[[nodiscard]] std::optional<NodeSettings> parse_settings(const wherry_setting* settings,
                                                         std::size_t count, std::string& error);

// What being online with these settings reveals; sending to a contact reveals no more.
[[nodiscard]] wherry_reveals reveals_of(const NodeSettings& settings);
// A superset with any settings.
[[nodiscard]] wherry_reveals reveals_at_worst();

}  // namespace wherry::transports::onion
