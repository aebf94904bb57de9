// What the permits of a profile, a conversation and its contact allow now. What follows when they
// change is leaving.h.
#ifndef WHERRY_ENGINE_PERMITS_H
#define WHERRY_ENGINE_PERMITS_H

#include "engine/turn.h"
#include "policy/permits.h"

namespace wherry::engine {

policy::Permits permits_of(const Profile& profile, const Contact& contact);

// What this person permits in the conversation: the profile's and its own.
wherry_reveals own_permits(const Profile& profile, const Contact& contact);

// What the other side is to know: those. None: everything.
std::optional<std::vector<uint32_t>> announced_permits(const Profile& profile,
                                                       const Contact& contact);

// What may go for the conversation by a path that reveals this.
Admission admission_of(const Profile& profile, const Contact& contact,
                       const wherry_reveals& reveals);

// Whether a network that reveals this by being online is to listen for the conversation. That is
// this side's to say: the other one's permits hold back what is sent, and no more, so that nobody
// else can have a transport started anew.
bool may_listen(const Profile& profile, const Contact& contact, const wherry_reveals& listening);

// Whether an inbox, a card's too, may be open: so that it listens, or until the last word is said.
bool may_be_open(const Profile& profile, const Network& network, const store::InboxRow& inbox);

// Whether a network may be online.
bool may_be_online(const Profile& profile, const Network& network);

// Notes what a conversation has revealed.
void note_revealed(Turn& turn, Contact& contact, const wherry_reveals& reveals);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_PERMITS_H
