// Who has a say in what a conversation reveals, and what follows when they change their mind.
#ifndef WHERRY_ENGINE_PERMITS_H
#define WHERRY_ENGINE_PERMITS_H

#include "engine/turn.h"
#include "policy/permits.h"

namespace wherry::engine {

policy::Permits permits_of(const Profile& profile, const Contact& contact);

// What the other side is to know: what this one permits in the conversation. None: everything.
std::optional<std::vector<uint32_t>> announced_permits(const Profile& profile,
                                                       const Contact& contact);

// Whether a path or a network that reveals this may be used for the conversation.
bool permitted(const Profile& profile, const Contact& contact, const wherry_reveals& reveals);

// Whether a network that reveals this by being online may listen for the conversation. That is this
// side's to say: the other one's permits hold back what is sent, and no more, so that nobody else
// can have a transport started anew.
bool may_listen(const Profile& profile, const Contact& contact, const wherry_reveals& listening);
// The same for an inbox, a card's too.
bool may_listen(const Profile& profile, const Network& network, const store::InboxRow& inbox);

// Notes what a conversation has revealed.
void note_revealed(Turn& turn, Contact& contact, const wherry_reveals& reveals);

// Both act at once: no forbidden path is sent on, and forbidden networks no longer listen.
Status set_profile_permits(Turn& turn, const wherry_reveals& permits);
Status set_conversation_permits(Turn& turn, uint64_t conversation, const wherry_reveals& permits);

// One way to a contact and what stands against it.
struct PathView {
  std::string transport;
  std::string endpoint;
  uint64_t transport_id = 0;  // 0: this profile has none of this name
  wherry_reveals reveals = {};
  wherry_reveals against_profile = {};  // what each voice does not permit of it
  wherry_reveals against_mine = {};
  wherry_reveals against_theirs = {};
  int32_t reason = WHERRY_REASON_NONE;  // why it can not be used now
  bool known = false;                   // whether this profile can tell what it would reveal
  bool chosen = false;
};
struct Explanation {
  policy::Permits permits;
  wherry_reveals revealed = {};
  std::vector<PathView> paths;  // in the order of the route
};
Result<Explanation> explain(Turn& turn, uint64_t conversation);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_PERMITS_H
