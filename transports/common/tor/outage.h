// When this machine has no way to the Tor network at all. Tor goes on trying then, and tries no
// relay again for 60 s after it failed to reach it (OR_CONNECT_FAILURE_LIFETIME in tor's
// connection_or.c): it would be a minute late when the way is there again. So it rests meanwhile,
// and the kernel says when the way may be there. Nothing is sent for that. Not thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "transports/common/net.h"

namespace wherry::transports::tor {

class Outage {
 public:
  using Clock = std::chrono::steady_clock;

  // Tor says that there is no way to one of its relays, at a numeric address. True: there is none
  // indeed, and the outage begins with that.
  [[nodiscard]] bool note(const std::string& relay, Clock::time_point now);
  bool lasts() const { return until_.has_value(); }
  // True: it lasted until now. Asked whenever `descriptor` is readable and at `deadline`; a way
  // that only tor knows is found by its trying now and then.
  [[nodiscard]] bool ends(Clock::time_point now);

  int descriptor() const { return routes_.get(); }  // readable when routes changed
  std::optional<Clock::time_point> deadline() const { return until_; }

 private:
  void forget();

  Descriptor routes_;
  std::set<std::string> relays_;
  std::optional<Clock::time_point> until_;
};

}  // namespace wherry::transports::tor
