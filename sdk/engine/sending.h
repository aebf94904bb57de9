// The outgoing side of a contact: what is sealed now, sent again, acknowledged (PROTOCOL §7).
#ifndef WHERRY_ENGINE_SENDING_H
#define WHERRY_ENGINE_SENDING_H

#include "engine/turn.h"

namespace wherry::engine {

// Does all that can be done for a contact now, and sets the time of the next look.
void pump(Turn& turn, Contact& contact);

// What became of an attempt.
void on_sent(Turn& turn, Network& network, const SentReport& report);

// An envelope that only acknowledges was lost on its way: what it said is said again.
void acknowledge_again(Turn& turn, Contact& contact);

// What was stored at this contact's endpoints may be lost: everything is sent again.
void repeat_all(Turn& turn, Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_SENDING_H
