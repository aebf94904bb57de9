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
};

struct Choice {
  std::optional<size_t> path;           // index
  int32_t reason = WHERRY_REASON_NONE;  // when there is none: what stands against the best one
};

// Takes the first usable path within `permits`: the order is the route's.
Choice choose(std::span<const Path> paths, const wherry_reveals& permits);

}  // namespace wherry::routing

#endif  // WHERRY_ROUTING_PATH_H
