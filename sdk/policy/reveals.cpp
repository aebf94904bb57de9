// Sets of (observer, fact).
#include "policy/reveals.h"

#include <bit>

namespace wherry::policy {

wherry_reveals nothing() {
  return wherry_reveals{};
}

wherry_reveals everything() {
  wherry_reveals all;
  for (uint32_t& facts : all.facts) facts = UINT32_MAX;
  return all;
}

wherry_reveals unite(const wherry_reveals& a, const wherry_reveals& b) {
  wherry_reveals out;
  for (int i = 0; i < WHERRY_OBSERVER_ROOM; ++i) out.facts[i] = a.facts[i] | b.facts[i];
  return out;
}

wherry_reveals intersect(const wherry_reveals& a, const wherry_reveals& b) {
  wherry_reveals out;
  for (int i = 0; i < WHERRY_OBSERVER_ROOM; ++i) out.facts[i] = a.facts[i] & b.facts[i];
  return out;
}

bool within(const wherry_reveals& reveals, const wherry_reveals& permits) {
  for (int i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
    if ((reveals.facts[i] & ~permits.facts[i]) != 0) return false;
  }
  return true;
}

wherry_reveals beyond(const wherry_reveals& reveals, const wherry_reveals& permits) {
  wherry_reveals rest;
  for (int i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
    rest.facts[i] = reveals.facts[i] & ~permits.facts[i];
  }
  return rest;
}

int count(const wherry_reveals& reveals) {
  int sum = 0;
  for (uint32_t facts : reveals.facts) sum += std::popcount(facts);
  return sum;
}

}  // namespace wherry::policy
