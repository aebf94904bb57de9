// What becomes of an envelope that came: found by its tag, opened, its payload taken in, and the
// transport told once all that is committed.
#ifndef WHERRY_ENGINE_RECEIVING_H
#define WHERRY_ENGINE_RECEIVING_H

#include "engine/turn.h"

namespace wherry::engine {

void receive(Turn& turn, const Incoming& incoming);

// Asks for them with the next envelope, and again later while nothing opens.
void ask_for_fresh_copies(Turn& turn, Contact& contact);

// Opens a ratchet envelope in a session. False: it does not open there.
bool open_in_session(Turn& turn, Session& session, const session::Place& place, ByteView envelope);

// Stores what an opened step added (its `next` is the session's ratchet already) and takes in the
// payload.
void take_step(Turn& turn, Contact& contact, Session& session, session::OpenStep& step);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_RECEIVING_H
