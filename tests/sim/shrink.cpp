// Delta debugging (Zeller and Hildebrandt, 2002): parts of a half, a quarter, … of the actions are
// left out as long as it still fails.
#include "tests/sim/shrink.h"

#include <algorithm>

namespace wherry::sim {

Plan shrink(const Plan& plan, const std::function<bool(const Plan&)>& fails, int tries) {
  Plan best = plan;
  size_t part = (best.actions.size() + 1) / 2;
  while (part > 0) {
    bool shorter = false;
    for (size_t from = 0; from < best.actions.size() && tries > 0;) {
      Plan without = best;
      const auto begin = without.actions.begin() + static_cast<std::ptrdiff_t>(from);
      const size_t count = std::min(part, without.actions.size() - from);
      without.actions.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
      --tries;
      if (fails(without)) {
        best = std::move(without);
        shorter = true;
      } else {
        from += part;
      }
    }
    if (tries <= 0) break;
    if (part == 1 && !shorter) break;
    if (part > 1) part = (part + 1) / 2;
  }
  return best;
}

}  // namespace wherry::sim
