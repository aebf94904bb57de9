// The choice, and the reason that is nearest to working when there is none.
#include "routing/path.h"

#include "policy/reveals.h"

namespace wherry::routing {
namespace {

struct Obstacle {
  int rank;  // higher: nearer to working
  int32_t reason;
};

Obstacle obstacle(const Path& path, const wherry_reveals& permits) {
  if (!path.configured) return {1, WHERRY_REASON_NO_TRANSPORT};
  if (!path.accepted) return {2, WHERRY_REASON_NO_ENDPOINT};
  if (!policy::within(path.reveals, permits)) return {3, WHERRY_REASON_PERMITS};
  if (!path.started) return {4, WHERRY_REASON_TRANSPORT_OFF};
  if (path.peer_state == WHERRY_PEER_STATE_GONE) return {5, WHERRY_REASON_NOT_FOUND};
  if (path.transport_state != WHERRY_TRANSPORT_STATE_ONLINE) {
    const bool known = path.transport_reason != WHERRY_REASON_NONE;
    return {6, known ? path.transport_reason : WHERRY_REASON_TRANSPORT_OFFLINE};
  }
  if (path.peer_state == WHERRY_PEER_STATE_UNREACHABLE) return {7, WHERRY_REASON_UNREACHABLE};
  return {8, WHERRY_REASON_NONE};
}

}  // namespace

Choice choose(std::span<const Path> paths, const wherry_reveals& permits) {
  Obstacle nearest{0, WHERRY_REASON_NO_ENDPOINT};
  for (size_t i = 0; i < paths.size(); ++i) {
    const Obstacle here = obstacle(paths[i], permits);
    if (here.reason == WHERRY_REASON_NONE) return {i, WHERRY_REASON_NONE};
    if (here.rank > nearest.rank) nearest = here;
  }
  return {std::nullopt, nearest.reason};
}

}  // namespace wherry::routing
