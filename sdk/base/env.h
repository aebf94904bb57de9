// What the SDK asks of the world besides the disk and the networks: time, randomness, and somebody
// to run it. Tests and the simulator give their own; nothing in sdk/ asks the system directly.
#ifndef WHERRY_BASE_ENV_H
#define WHERRY_BASE_ENV_H

#include <cstdint>
#include <functional>

#include "base/bytes.h"

namespace wherry {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970-01-01 UTC. May jump in both directions.
  virtual int64_t wall_ms() = 0;
  // Milliseconds from an arbitrary start; never goes back. Deadlines are in this time.
  virtual int64_t steady_ms() = 0;
};

// Thread-safe. Must be cryptographically secure outside tests.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(uint8_t* out, size_t size) = 0;

  template <size_t N>
  std::array<uint8_t, N> array() {
    std::array<uint8_t, N> out;
    fill(out.data(), N);
    return out;
  }
  uint64_t number() {
    uint64_t out;
    fill(reinterpret_cast<uint8_t*>(&out), sizeof out);
    return out;
  }
};

// Runs the engine's turns, one at a time.
class Executor {
 public:
  // A turn: does what is queued, and returns the steady time of the next one it wants in any case
  // (kNever: only when woken).
  using Turn = std::function<int64_t()>;
  static constexpr int64_t kNever = INT64_MAX;

  virtual ~Executor() = default;
  // Calls `turn` soon, whenever woken, and at the times it asks for, until stop() returns.
  virtual void start(Turn turn) = 0;
  // Asks for a turn. From any thread, also from within one; cheap when already asked.
  virtual void wake() = 0;
  // Takes a turn on this thread, if none is being taken: then whatever was queued before has had
  // its turn, or the next ones will come to it. False: wake() is needed. Not from within a turn.
  virtual bool try_turn() { return false; }
  // No turn runs after this returns. Not from within a turn.
  virtual void stop() = 0;
};

struct Env {
  Clock* clock;
  Random* random;
  Executor* executor;
};

}  // namespace wherry

#endif  // WHERRY_BASE_ENV_H
