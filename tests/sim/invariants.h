// What must hold in every simulated world. Each has a name: a failure, and a mutant that is caught,
// say which.
//
// While it runs: replay, evidence, once, author, nonce, message-key, linkable, commit, busy
// (World),
//                limits, cache, keys (check_state), permits.
//                stranded, early, unproven, fallback (moving_checks.h).
// At the end:    delivery, order, ref, history, clock, healed, quiet; moved, announced
//                (moving_checks.h).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/apps.h"

namespace wherry::sim {

// limits: every queue within its named limit. cache: memory agrees with the database. keys: for
// every number at or above the peer's floor a key or a mark is kept.
void check_state(test::World& world, int who, engine::Turn& turn);

// permits: an envelope of `who` goes to this endpoint, by the relay.
void check_departure(test::World& world, int who, const std::string& endpoint, ByteView envelope);
// permits: the relay is not listened at for a conversation that forbids it.
void check_listening(test::World& world, int who);

// left: what `who` has just forbidden is being left, if it was where both are.
void check_leaving(test::World& world, int who, int other);
// left: the relay that `who` permits no longer was left in the conversation with `other`.
void check_left(test::World& world, int who, int other);

// permits: `other` knows that `who` permits nothing to a push service.
void check_told(test::World& world, int who, int other);

// Messages that `who` need not have any more from the author: its history had them, and may have
// acknowledged them, and then its disk was put back to what it was before. What waited behind a gap
// must be said again.
class Forgotten {
 public:
  // `who` is about to run from an old disk.
  void note(test::World& world, int who);
  // What an author knew who was closed then is known when the app opens again.
  void opened(test::World& world, int author);
  bool may_lack(int who, int author, const Id128& message) const;

 private:
  void note_author(test::World& world, int who, int author);

  // By who and author.
  std::map<std::pair<int, int>, std::set<Id128>> messages_;
  std::set<std::pair<int, int>> unknown_;
};

// Who told whom a false clock.
using Boasts = std::set<std::pair<int, int>>;

// delivery, order, ref, history, clock: with every fault mended and nothing under way.
void check_rest(test::World& world, const Apps& apps, const Forgotten& forgotten,
                const Boasts& boasts);

}  // namespace wherry::sim
