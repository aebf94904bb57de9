// The choice, and the reason that is nearest to working when there is none.
#include "routing/path.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/limits.h"
#include "base/mutant.h"
#include "policy/reveals.h"

namespace wherry::routing {
namespace {

struct Obstacle {
  int rank;  // higher: nearer to working
  int32_t reason;
};

Obstacle obstacle(const Path& path, const wherry_reveals& permits) {
  if (path.closed) return {path.quiet ? 9 : 0, WHERRY_REASON_QUIET};
  if (!path.configured) return {1, WHERRY_REASON_NO_TRANSPORT};
  if (!path.accepted) return {2, WHERRY_REASON_ENDPOINT_REFUSED};
  if (!policy::within(path.reveals, permits)) return {3, WHERRY_REASON_PERMITS};
  if (!path.started) {
    const bool failed = path.transport_state == WHERRY_TRANSPORT_STATE_FAILED &&
                        path.transport_reason != WHERRY_REASON_NONE;
    return {4, failed ? path.transport_reason : WHERRY_REASON_TRANSPORT_OFF};
  }
  if (path.peer_state == WHERRY_PEER_STATE_GONE) return {5, WHERRY_REASON_NOT_FOUND};
  if (path.transport_state != WHERRY_TRANSPORT_STATE_ONLINE) {
    const bool known = path.transport_reason != WHERRY_REASON_NONE;
    return {6, known ? path.transport_reason : WHERRY_REASON_TRANSPORT_OFFLINE};
  }
  if (path.peer_state == WHERRY_PEER_STATE_UNREACHABLE) return {7, WHERRY_REASON_UNREACHABLE};
  if (!path.proven && !mutant(Mutant::kProbeSkipped)) return {8, WHERRY_REASON_UNPROVEN};
  return {10, WHERRY_REASON_NONE};
}

bool is_chosen(const Path& path) {
  return path.listed && path.proven && path.place.has_value();
}

// Lower is better.
std::tuple<size_t, int, int32_t> order(const Path& path, bool automatic) {
  const size_t place = path.place.value_or(SIZE_MAX);
  if (!automatic) return {place, 0, 0};
  return {place, policy::count(path.reveals), path.latency};
}

bool is_better(const Path& path, const Path& than, bool automatic) {
  if (order(path, automatic) == order(than, automatic)) return path.in_use && !than.in_use;
  const bool better = order(path, automatic) < order(than, automatic);
  if (!automatic) return better;
  if (better && than.in_use) return path.works_for_ms >= limits::kBetterFor_ms;
  if (!better && path.in_use) return than.works_for_ms < limits::kBetterFor_ms;
  return better;
}

}  // namespace

Choice choose(std::span<const Path> paths, const wherry_reveals& permits, bool automatic) {
  const bool moved = std::ranges::any_of(paths, [&](const Path& path) {
    return is_chosen(path) && path.accepted && policy::within(path.reveals, permits);
  });
  Choice choice;
  Obstacle nearest{0, WHERRY_REASON_NO_ENDPOINT};
  for (size_t i = 0; i < paths.size(); ++i) {
    if (moved && !is_chosen(paths[i])) continue;
    const Obstacle here = obstacle(paths[i], permits);
    if (here.reason != WHERRY_REASON_NONE) {
      if (here.rank > nearest.rank) nearest = here;
    } else if (!choice.path || is_better(paths[i], paths[*choice.path], automatic)) {
      choice.path = i;
    }
  }
  choice.reason =
      choice.path ? static_cast<int32_t>(WHERRY_REASON_NONE) : static_cast<int32_t>(nearest.reason);
  return choice;
}

bool hides_address(const wherry_reveals& before, const wherry_reveals& after) {
  const auto shows = [](const wherry_reveals& set) {
    for (size_t observer = 0; observer < std::size(set.facts); ++observer) {
      // Those who carry its packets see its address whatever it does.
      const bool carries = observer == WHERRY_OBSERVER_LOCAL_NETWORK ||
                           observer == WHERRY_OBSERVER_NETWORK || observer == WHERRY_OBSERVER_PROXY;
      if (!carries && (set.facts[observer] & WHERRY_FACT_MY_IP) != 0) return true;
    }
    return false;
  };
  return shows(before) && !shows(after);
}

}  // namespace wherry::routing
