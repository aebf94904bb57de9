// What stands against each way to a contact.
#include "engine/explaining.h"

#include "engine/paths.h"
#include "engine/permits.h"
#include "engine/running.h"
#include "policy/reveals.h"

namespace wherry::engine {

Result<Explanation> explain(Turn& turn, uint64_t conversation) {
  Result<Contact*> found = turn.profile.conversation(conversation);
  if (!found) return found.error();
  Contact& contact = **found;
  keep_networks(turn);  // those that are to run may not be started yet, and know no paths then
  refresh_paths(turn, contact);
  Explanation made;
  made.permits = permits_of(turn.profile, contact);
  made.revealed = contact.conversation.revealed;
  made.leaving = contact.conversation.leaving.has_value();
  const ChosenPath chosen = choose_path(turn, contact);
  for (const PathEntry& path : contact.paths) {
    PathView view;
    view.transport = path.endpoint.transport;
    view.endpoint = path.endpoint.text;
    view.transport_id = path.transport;
    const Network* network = turn.network(path.transport);
    view.reveals = reveals_of(network, path);
    view.known = network != nullptr;
    view.against_profile = policy::beyond(view.reveals, made.permits.profile);
    view.against_mine = policy::beyond(view.reveals, made.permits.mine);
    view.against_theirs = policy::beyond(view.reveals, policy::in_my_words(made.permits.theirs));
    view.reason = obstacle_of(turn, contact, path);
    view.chosen = &path == chosen.path;
    view.succeeded_ms = path.succeeded_ms;
    made.paths.push_back(std::move(view));
  }
  return made;
}

}  // namespace wherry::engine
