// Which of a contact's endpoints the next envelope goes to, or why none will do. Pure.
#ifndef WHERRY_ROUTING_PATH_H
#define WHERRY_ROUTING_PATH_H

#include <cstdint>
#include <optional>
#include <span>

#include "wherry/wherry_schema.h"

namespace wherry::routing {

// The way to one endpoint, as things stand now.
struct Path {
  bool configured = false;  // this profile has its transport
  bool started = false;
  int32_t transport_state = WHERRY_TRANSPORT_STATE_OFF;
  int32_t transport_reason = WHERRY_REASON_NONE;
  bool accepted = false;  // the transport knows the endpoint, and `reveals` is what it shows
  int32_t peer_state = WHERRY_PEER_STATE_UNKNOWN;
  wherry_reveals reveals{};
  int32_t latency = 0;  // wherry_latency_class of the transport

  bool listed = true;           // in the contact's newest set of endpoints
  bool proven = true;           // it answered, or needs not (PROTOCOL §7.2)
  bool closed = false;          // left for one that hides this device's address
  bool quiet = false;           // and that one is not used yet
  std::optional<size_t> place;  // in this person's route; on auto the same for all
  bool in_use = false;          // messages go there
  int64_t works_for_ms = 0;     // without a break
};

struct Choice {
  std::optional<size_t> path;           // index
  int32_t reason = WHERRY_REASON_NONE;  // when there is none: what stands against the best one
};

// The path to use. What is listed, proven and in the route goes before all else, and once there is
// such a one nothing else is taken: until then the conversation goes on as before. Among several:
// the first of the route; on `automatic` the one that reveals least, then the fastest, but a
// better one that has just come back has to last before it is taken in place of one that works.
Choice choose(std::span<const Path> paths, const wherry_reveals& permits, bool automatic);

// Whether the first shows this device's address to somebody but those who carry its packets (the
// networks between, a proxy), and the second to none of them. Then the first is closed before the
// second is opened, with a quiet time between: their times would link them.
bool hides_address(const wherry_reveals& before, const wherry_reveals& after);

}  // namespace wherry::routing

#endif  // WHERRY_ROUTING_PATH_H
