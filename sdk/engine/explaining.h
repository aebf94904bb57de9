// Who permits what in a conversation, and what each way to the contact would reveal.
#ifndef WHERRY_ENGINE_EXPLAINING_H
#define WHERRY_ENGINE_EXPLAINING_H

#include "engine/turn.h"
#include "policy/permits.h"

namespace wherry::engine {

// One way to a contact and what stands against it.
struct PathView {
  std::string transport;
  std::string endpoint;
  uint64_t transport_id = 0;  // 0: this profile has none of this name
  wherry_reveals reveals = {};
  wherry_reveals against_profile = {};  // what each voice does not permit of it
  wherry_reveals against_mine = {};
  wherry_reveals against_theirs = {};
  int32_t reason = WHERRY_REASON_NONE;  // why it can not be used now
  bool known = false;                   // whether this profile can tell what it would reveal
  bool chosen = false;
  int64_t succeeded_ms = 0;  // wall time when something last went or came this way; 0: not yet
};
struct Explanation {
  policy::Permits permits;
  wherry_reveals revealed = {};
  bool leaving = false;         // see leaving.h
  std::vector<PathView> paths;  // in the order of their set, then one in use from before
};
Result<Explanation> explain(Turn& turn, uint64_t conversation);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_EXPLAINING_H
