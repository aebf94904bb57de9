// The onion network by a tor process: one of our own, or one that runs already and is told by its
// control port what to do.
#pragma once

#include <memory>
#include <string>

#include "provider.h"
#include "tor_process.h"

namespace wherry::transports::tor {

struct TorSettings {
  TorOptions own;        // a tor of our own,
  std::string control;   // or the one whose control port is here: "unix:/path" or "ADDRESS:PORT"
  std::string password;  // of that; empty: its cookie
};

[[nodiscard]] std::unique_ptr<Provider> make_tor_provider(TorSettings settings, Listener& listener);

}  // namespace wherry::transports::tor
