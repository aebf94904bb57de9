// Connections that came over Tor: not too many. gRPC ends those that ask for nothing, and counts
// none; they cost whoever opens them nothing, and have no address to be counted by. So the relay
// keeps a second descriptor of each, and of too many the oldest has to go: whoever is cut comes
// again at once, and nobody can keep others out by being there.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "transports/common/net.h"

namespace wherry::relay {

class TorConnections {
 public:
  explicit TorConnections(std::size_t most) : most_(most) {}

  // Gives the descriptor for gRPC, by which it names the connection ("fd:12"). -1: the machine has
  // no more descriptors.
  [[nodiscard]] int add(transports::Descriptor connection);
  // A stream began on it.
  void spoke(int connection);
  // Closes the second descriptors of those that are over.
  void forget_ended();
  std::size_t count() const;

 private:
  struct One {
    transports::Descriptor second;
    std::uint64_t order = 0;
    bool spoke = false;
  };

  void forget_ended_now();
  void make_room();

  const std::size_t most_;
  mutable std::mutex mutex_;  // guards everything below
  std::uint64_t order_ = 0;
  std::map<int, One> all_;  // by gRPC's descriptor
};

}  // namespace wherry::relay
