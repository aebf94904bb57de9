// The ways to a contact and the ways from it: endpoints of theirs that running transports know, and
// inboxes of ours that they may send to.
#ifndef WHERRY_ENGINE_PATHS_H
#define WHERRY_ENGINE_PATHS_H

#include "engine/turn.h"
#include "routing/path.h"

namespace wherry::engine {

// Makes the contact's paths those of its newest endpoints, and known to the transports that run;
// asks those that are due to be dialled, and leaves the path in use for one that hides the address
// (PROTOCOL §7.2: break before make).
void refresh_paths(Turn& turn, Contact& contact);

// After a transport's instance went: its peers are unknown.
void forget_peers(Profile& profile, uint64_t transport);

// The path to use now, or why there is none.
struct ChosenPath {
  PathEntry* path = nullptr;
  Network* network = nullptr;
  int32_t reason = WHERRY_REASON_NONE;
};
ChosenPath choose_path(Turn& turn, Contact& contact);

// Opens an inbox for the contact on each transport that the conversation listens on and the permits
// allow, and stops one that has to forget an inbox: it is started again without it.
void ensure_inboxes(Turn& turn, Contact& contact);

// Gives an inbox up for good.
void close_inbox(Turn& turn, const store::InboxRow& inbox);

// Whether this person wants to be written to by this transport: it is in the route; on auto it is
// where the contact has chosen to be, or else where this person was before, or, if that is
// forbidden, where it is not.
bool listens_on(Turn& turn, const Contact& contact, const store::TransportRow& transport);

// A path of their newest set and of this person's route that waits for an answer to a probe.
bool is_unproven(const Contact& contact, const PathEntry& path);

// The path in use, which was left for one that hides this device's address.
bool is_closed(const Contact& contact, const PathEntry& path);

// Whether nothing is sent for now, since that path was left. The contact is looked at again then.
bool is_quiet(Turn& turn, Contact& contact);

// What a path reveals; while its transport does not run: what being online there does.
wherry_reveals reveals_of(const Network* network, const PathEntry& path);

// Why the path can not be used now; NONE: it can.
int32_t obstacle_of(Turn& turn, const Contact& contact, const PathEntry& path);

// Endpoints that the contact may send to: those of networks that may listen for the conversation.
// Empty while no transport has confirmed one.
std::vector<message::Endpoint> own_endpoints(Turn& turn, const Contact& contact);

// Those and the permits, if the contact was not told so yet, with the next generation.
std::optional<message::Endpoints> unannounced_endpoints(Turn& turn, const Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_PATHS_H
