// Sets of permits that tests use.
#ifndef WHERRY_TESTS_SUPPORT_REVEALS_H
#define WHERRY_TESTS_SUPPORT_REVEALS_H

#include "policy/reveals.h"

namespace wherry::test {

// Everything but these facts to that observer.
inline wherry_reveals all_but(int observer, uint32_t facts) {
  wherry_reveals set = policy::everything();
  set.facts[observer] &= ~facts;
  return set;
}

// What the relay of the tests learns of whoever logs in.
inline wherry_reveals no_relay() {
  return all_but(WHERRY_OBSERVER_HOME_OPERATOR, WHERRY_FACT_MY_IP);
}

}  // namespace wherry::test

#endif  // WHERRY_TESTS_SUPPORT_REVEALS_H
