// What is known of a message of this profile (it only rises).
#ifndef WHERRY_ENGINE_EVIDENCE_H
#define WHERRY_ENGINE_EVIDENCE_H

#include "engine/turn.h"

namespace wherry::engine {

// Raises a message's evidence, with an event in place of one that still waits; does nothing if it
// is not higher, or the message has come to an end.
void raise_evidence(Turn& turn, const Contact& contact, uint64_t message, int32_t evidence,
                    int32_t reason);

// The same for every message of a copy.
void raise_evidence(Turn& turn, const Contact& contact, const Copy& copy, int32_t evidence);

// Why this contact's messages wait; an event when that changes.
void set_waiting(Turn& turn, Contact& contact, int32_t reason);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_EVIDENCE_H
