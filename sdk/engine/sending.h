// The outgoing side of a contact: what is sealed now, sent again, acknowledged (PROTOCOL §7).
#ifndef WHERRY_ENGINE_SENDING_H
#define WHERRY_ENGINE_SENDING_H

#include "engine/turn.h"

namespace wherry::engine {

// Does all that can be done for a contact now, and sets the time of the next look.
void pump(Turn& turn, Contact& contact);

// What became of an attempt.
void on_sent(Turn& turn, Network& network, const SentReport& report);

// Looks whether messages are settled (PROTOCOL §5.4) that are not acknowledged: then what said so
// was lost, or is late, and is missed after a while.
void expect_acknowledgement(Turn& turn, Contact& contact);

// An envelope that only acknowledges was lost on its way: what it said is said again.
void acknowledge_again(Turn& turn, Contact& contact);

// Copies that failed on a network go again at this time, if not earlier: the first, which shows
// whether the network carries, or all.
enum class Repeating : uint8_t { kFirst, kAll };
void repeat_failed(Turn& turn, Contact& contact, uint64_t transport, Repeating what, int64_t at);

// They are there, on the network of the envelope that is being read: it is tried again soon.
void heard_from(Turn& turn, Contact& contact);

// What was stored at this contact's endpoints may be lost: everything is sent again.
void repeat_all(Turn& turn, Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_SENDING_H
