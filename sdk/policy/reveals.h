// What a path shows to whom, and whether that stays within what is permitted (reveals and
// permits). Pure set operations on wherry_reveals; a bit that this version does not know is a fact
// like any other.
#ifndef WHERRY_POLICY_REVEALS_H
#define WHERRY_POLICY_REVEALS_H

#include "wherry/wherry_schema.h"

namespace wherry::policy {

wherry_reveals nothing();
// The preset `open`: every fact to every observer.
wherry_reveals everything();

wherry_reveals unite(const wherry_reveals& a, const wherry_reveals& b);
wherry_reveals intersect(const wherry_reveals& a, const wherry_reveals& b);

// reveals ⊆ permits.
bool within(const wherry_reveals& reveals, const wherry_reveals& permits);

// What of `reveals` is not permitted.
wherry_reveals beyond(const wherry_reveals& reveals, const wherry_reveals& permits);

// How many facts are shown, over all observers: fewer is better.
int count(const wherry_reveals& reveals);

}  // namespace wherry::policy

#endif  // WHERRY_POLICY_REVEALS_H
