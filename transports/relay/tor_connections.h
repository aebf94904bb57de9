// Connections that came over Tor. gRPC has them, and sets them no limit, neither of number nor of
// time; they cost whoever opens them nothing, and have no address to be counted by. So the relay
// keeps a second descriptor of each, and of too many the oldest has to go: whoever is cut comes
// again at once, and nobody can keep others out by being there.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

#include "transports/common/net.h"

namespace wherry::relay {

class TorConnections {
 public:
  using Clock = std::chrono::steady_clock;

  explicit TorConnections(std::size_t most) : most_(most) {}

  // Gives the descriptor for gRPC, by which it names the connection ("fd:12"). -1: the machine has
  // no more descriptors.
  [[nodiscard]] int add(transports::Descriptor connection, Clock::time_point now);
  // A stream began on it.
  void spoke(int connection);
  // About once a second: forgets what is over, and ends what has asked for nothing.
  void tick(Clock::time_point now);
  std::size_t count() const;

 private:
  struct One {
    transports::Descriptor second;
    Clock::time_point since;
    std::uint64_t order = 0;
    bool spoke = false;
    bool cut = false;
  };

  void forget_ended();
  void make_room();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::uint64_t order_ = 0;
  std::map<int, One> all_;  // by gRPC's descriptor
};

}  // namespace wherry::relay
