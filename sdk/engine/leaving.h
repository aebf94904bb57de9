// Permits that change. What is no longer permitted ends before the caller is answered; but where it
// was the only way by which the contact could learn of another one, it ends in two phases: first
// the contact is told where else this person listens, in an envelope that says nothing more, the
// last word; soon after that has left, nothing is listened to there any more.
#ifndef WHERRY_ENGINE_LEAVING_H
#define WHERRY_ENGINE_LEAVING_H

#include "engine/turn.h"

namespace wherry::engine {

// tightening: a wherry_tightening.
Status set_profile_permits(Turn& turn, const wherry_reveals& permits, int32_t tightening);
Status set_conversation_permits(Turn& turn, uint64_t conversation, const wherry_reveals& permits,
                                int32_t tightening);

// Says it when it can be said, and leaves when it has, or when it has become needless or
// impossible.
void say_last_word(Turn& turn, Contact& contact);

// What the network said of a copy, if that is the last word: it has left, or has failed.
void last_word_sent(Turn& turn, Contact& contact, uint64_t copy, bool left);

// It was not opened, and will not be. It is said anew, but the time to leave runs on: nobody else
// is to keep this person there.
void last_word_voided(Turn& turn, Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_LEAVING_H
