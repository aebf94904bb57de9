// What happens in a simulated world: everything that people do and that goes wrong, decided before
// it begins, so that a shrinker can leave parts out. Made from a seed alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace wherry::sim {

enum class Kind {
  kSay,            // `amount` messages from `who` to `other`
  kKill,           // the process ends at once; opened again after `for_ms`
  kCutPower,       // so does the machine
  kStopDisk,       // killed, or without power, at the disk's `amount`th operation from now
  kFillDisk,       // `amount` bytes are free, for `for_ms`
  kFailDisk,       // `amount` in 1,000 writes and syncs fail, for `for_ms`
  kSpoilLink,      // loss, doubles, disorder and lies between two, for `for_ms`
  kPartition,      // nothing passes between two
  kOffline,        // no network
  kLoseRelay,      // the relay forgets everything
  kJumpClock,      // the wall clock jumps by `amount` ms
  kSuspend,        // no time for engine and app
  kRestore,        // the disk as it is becomes, after `for_ms`, what it is again
  kDelayApp,       // the app needs `amount` ms for a batch of events
  kClose,          // absent: the app is not running
  kStopTransport,  // the app stops the transport and starts it again
  kMoveInbox,      // the inbox for `other` is another one from now on
  kBoastClock,     // the logical clock of the conversation with `other` claims far too much
  kForbid,     // `who` permits no relay (0), or what `other` would reveal to it (1), for `for_ms`;
               // no relay to anybody (2); none from now on, unannounced (3)
  kSetRoute,   // `who` chooses the `amount`th of kRoutes for the conversation with `other`
  kSlowTor,    // starts, publications and dials of `who`'s tor are slow or fail, as the digits of
               // `amount` say, for `for_ms`
  kKillTor,    // it ends, and starts again when it is asked to
  kStallLink,  // links through it to `other` look alive, and are not
};
inline constexpr int kKinds = static_cast<int>(Kind::kStallLink) + 1;

inline constexpr std::array kRoutes = {"auto",
                                       "fake-stored",
                                       "fake-direct",
                                       "fake-hidden",
                                       "fake-direct,fake-stored",
                                       "fake-stored,fake-direct,fake-hidden"};

inline constexpr int64_t kDay_ms = 86'400'000;

struct Action {
  int64_t at_ms = 0;  // from the moment when everybody has met
  Kind kind = Kind::kSay;
  int who = 0;
  int other = 0;
  int64_t amount = 0;
  int64_t for_ms = 0;
};

struct Plan {
  uint64_t seed = 0;
  int people = 3;
  int64_t length_ms = kDay_ms;
  bool moves = false;           // there are three networks, and people move between them
  bool met_at_once = false;     // both of two people began to talk, before either knew
  std::vector<Action> actions;  // by time
};

// At least 3 people, 200 messages, 20 faults, 2 of them crashes, and a day.
Plan make_plan(uint64_t seed);

std::string name_of(int person);
std::string describe(const Action& action);
bool is_fault(Kind kind);

}  // namespace wherry::sim
