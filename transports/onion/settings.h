// Settings of the transport and what they reveal.
#pragma once

#include <optional>
#include <string>

#include "include/wherry/transport.h"
#include "limits.h"

namespace wherry::transports::onion {

struct NodeSettings {
  std::string program;   // tor
  std::string folder;    // of its state; empty: one of the user's, by the instance's name
  std::string control;   // a tor that runs already; empty: one of our own
  std::string password;  // of its control port
  std::string more;      // lines for the torrc of a tor of our own
  int services = kServicesDefault;  // contacts with an address of their own
  bool share = false;               // the others share one
};

// Strict. Reads the file that `torrc` names. Out: error, one line that says what to do.
[[nodiscard]] std::optional<NodeSettings> parse_settings(const wherry_setting* settings,
                                                         std::size_t count, std::string& error);

// Where tor's state is, of an instance with this name; empty: the user has no home.
[[nodiscard]] std::string default_folder(const std::string& name);

// What being online with these settings reveals; sending to a contact reveals no more.
[[nodiscard]] wherry_reveals reveals_of(const NodeSettings& settings);
// A superset with any settings.
[[nodiscard]] wherry_reveals reveals_at_worst();

}  // namespace wherry::transports::onion
