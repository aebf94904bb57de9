// The ways to a contact and the ways from it: endpoints of theirs that running transports know, and
// inboxes of ours that they may send to.
#ifndef WHERRY_ENGINE_PATHS_H
#define WHERRY_ENGINE_PATHS_H

#include "engine/turn.h"
#include "routing/path.h"

namespace wherry::engine {

// Makes the contact's paths those of its newest endpoints, and known to the transports that run.
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

// Opens an inbox for the contact on each transport that its paths use.
void ensure_inboxes(Turn& turn, Contact& contact);

// Endpoints that the contact may send to; empty while no transport has confirmed one.
std::vector<message::Endpoint> own_endpoints(const Profile& profile, const Contact& contact);

// Those that the contact was not told yet; empty: no news.
std::vector<message::Endpoint> unannounced_endpoints(const Profile& profile,
                                                     const Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_PATHS_H
