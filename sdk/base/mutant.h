// Named faults that the simulator can tell the engine to make, to show that its invariants have
// teeth. Only a build with WHERRY_MUTANTS can make any: elsewhere mutant() is the constant false,
// and the optimiser leaves nothing of it.
#ifndef WHERRY_BASE_MUTANT_H
#define WHERRY_BASE_MUTANT_H

#include <cstdint>

namespace wherry {

enum class Mutant {
  kNone,
  kDedupeSkipped,          // a message that came again is told again
  kReceiptBeforeCommit,    // the transport may forget an envelope before it is stored
  kSendBeforeCommit,       // an envelope leaves before the ratchet that sealed it is stored
  kRatchetNotSaved,        // a session's row stays as it was
  kDiskNotProven,          // what a killed process wrote and did not sync is built upon
  kCursorMovedEarly,       // after a start, events that were not acknowledged are not told again
  kRefIgnored,             // the same ref makes another message
  kCopyToAnotherEndpoint,  // sealed bytes are repeated to an endpoint that they were not made for
  kWindowIgnored,          // any number of messages is sealed
  kSkippedKeysDropped,     // keys of envelopes that are still to come are not stored
  kClockTrusted,           // a claimed clock is taken as it is
  kRetryWithoutBackoff,    // what did not leave is tried again at once, for ever
  kEvidenceFalls,          // a late report of a transport lowers what is known
  kEarlyDropped,           // what came before its turn is acknowledged and not stored
  kGapAcknowledged,        // a gap is acknowledged as if it were filled
  kBeyondGapForgotten,     // what the receiver holds beyond a gap is taken off the outbox
  kDuplicateUnanswered,    // what came again is not acknowledged again
  kResetKeepsNumbers,      // a reset goes on in the old incarnation
  kAcksUnpermitted,        // an acknowledgement is sent over a path that is not permitted
  kTheirsIgnored,          // what the other side permits is not held against a path
  kListensUnpermitted,     // a network that is not permitted still listens
  kPermitsNotTold,         // the other side does not hear that the permits changed
  kControlForgotten,       // endpoints are taken for told when the messages beside them have come
  kProbeSkipped,           // a new endpoint is used before it has answered
  kAnswerUnchecked,        // any answer proves any endpoint
  kAllAnnounced,           // endpoints of networks that are not in the route are told too
  kRetiredEarly,           // an old inbox is closed as soon as a set without it is told
  kRetiredIncomplete,      // an old inbox is closed before all that went there has come
  kGenerationUnchecked,    // leave that was taken of an older set closes a newer inbox
  kOldSetTaken,            // an older set of endpoints replaces a newer one
  kWaysNotSaved,           // what is known of the ways to a contact is lost with the process
  kFallsBack,              // a path that was left for a hidden address is used again
  kLeavesAtOnce,           // forbidden networks are left before anybody was told of others
  kNeverLeaves,            // they are listened to although all is said
  kCount                   // how many, kNone included
};

#ifdef WHERRY_MUTANTS
struct MutantState {
  Mutant active = Mutant::kNone;
  uint64_t reached = 0;  // how often its place in the code was
};
inline MutantState mutant_state;

// Whether this fault is to be made here.
inline bool mutant(Mutant which) {
  if (mutant_state.active != which) return false;
  ++mutant_state.reached;
  return true;
}
#else
constexpr bool mutant(Mutant) {
  return false;
}
#endif

}  // namespace wherry

#endif  // WHERRY_BASE_MUTANT_H
