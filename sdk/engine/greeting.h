// Beginning a session, from either side, and beginning it anew (PROTOCOL §4).
#ifndef WHERRY_ENGINE_GREETING_H
#define WHERRY_ENGINE_GREETING_H

#include "engine/turn.h"
#include "session/handshake.h"

namespace wherry::engine {

// The session to send in, answered or not; null: none yet.
Session* sending_session(Profile& profile, const Contact& contact);

// From now on the session only receives.
void retire(Turn& turn, Session& session);

// Starts a session as the initiator, once the other's bundle and an endpoint of ours are there;
// asks for the bundle otherwise. Returns the reason why messages wait.
int32_t greet(Turn& turn, Contact& contact);

// Whether a list of a contact's devices may take the place of the one that is known: none that is
// older, nor another of the same generation.
bool takes_list(const Contact& contact, const identity::DeviceList& offered);

// The answer to a get_bundle.
void on_bundle(Turn& turn, Contact& contact, const BundleReport& report);

// Accepts a first envelope if it is one for this inbox. False: it is not, or may not be accepted.
bool accept_greeting(Turn& turn, const store::InboxRow& inbox, ByteView envelope);

// Stores a new session of a contact and takes it up.
Session& add_session(Turn& turn, Contact& contact, std::unique_ptr<Session> session);

// From now on this session is used for sending, and the others only receive.
void send_in(Turn& turn, Contact& contact, Session& chosen);

// An accepted session is the one to send in, unless one of ours was begun at once with it (both
// follow the same session) and has the lower hash: then that one is, and both sides decide so.
// True: `accepted` is used.
bool prefer_accepted(Turn& turn, Contact& contact, Session& accepted);

// Something new opened in a session that was given up. If that one of ours had won a collision, and
// what we send in is the one that lost, its author has the winner after all.
void take_up_again(Turn& turn, Contact& contact, Session& heard);

// Gives the old sessions up for sending and greets again, within the day's budget, with a new
// incarnation: see begin_stream().
void reset_sessions(Turn& turn, Contact& contact, int32_t reason);

// Numbers all that is unacknowledged from 1 in a new incarnation. After a session was given up
// neither side knows any more what the other has stored: one of them may run from an old disk.
void begin_stream(Turn& turn, Contact& contact);

// What is sealed is void: everything unacknowledged is sealed anew.
void void_copies(Turn& turn, Contact& contact);

// Endpoints and reset bundle are to be said again: what said them is void.
void tell_again(Turn& turn, Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_GREETING_H
