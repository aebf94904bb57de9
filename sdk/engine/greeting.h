// Beginning a session, from either side, and beginning it anew (PROTOCOL §4).
#ifndef WHERRY_ENGINE_GREETING_H
#define WHERRY_ENGINE_GREETING_H

#include "engine/turn.h"
#include "session/handshake.h"

namespace wherry::engine {

// The session to send in, answered or not; null: none yet.
Session* sending_session(Profile& profile, const Contact& contact);

// Starts a session as the initiator, once the other's bundle and an endpoint of ours are there;
// asks for the bundle otherwise. Returns the reason why messages wait.
int32_t greet(Turn& turn, Contact& contact);

// The answer to a get_bundle.
void on_bundle(Turn& turn, Contact& contact, const BundleReport& report);

// Accepts a first envelope if it is one for this inbox. False: it is not, or may not be accepted.
bool accept_greeting(Turn& turn, const store::InboxRow& inbox, ByteView envelope);

// A session that was unanswered got its first answer, or one was accepted: from now on it is used
// for sending, and others only receive; but where both sides may have begun at once (`may_collide`),
// the one with the lower hash stays, which both decide in the same way.
void settle_sessions(Turn& turn, Contact& contact, Session& news, bool may_collide);

// Gives the old sessions up for sending and greets again, within the day's budget. With
// `own_rollback`, sequence numbers begin anew too.
void reset_sessions(Turn& turn, Contact& contact, int32_t reason, bool own_rollback);

// What is sealed is void: everything unacknowledged is sealed anew.
void void_copies(Turn& turn, Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_GREETING_H
