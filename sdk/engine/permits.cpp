// Permits of an open profile.
#include "engine/permits.h"

#include "base/mutant.h"
#include "engine/paths.h"
#include "engine/running.h"
#include "policy/reveals.h"
#include "store/meta.h"

namespace wherry::engine {
namespace {

wherry_reveals announced_by(const Contact& contact) {
  const std::optional<std::vector<uint32_t>>* list = nullptr;
  if (contact.theirs) {
    list = &contact.theirs->permits;
  } else if (contact.card) {
    list = &contact.card->permits;
  }
  if (mutant(Mutant::kTheirsIgnored)) return policy::everything();
  return list != nullptr && *list ? policy::from_list(**list) : policy::everything();
}

// In this turn, however many others wait to be looked at: what is no longer permitted ends before
// the caller is answered.
void apply_permits(Turn& turn, Contact& contact) {
  refresh_paths(turn, contact);
  ensure_inboxes(turn, contact);
  turn.pump(contact);
}

bool same(const wherry_reveals& a, const wherry_reveals& b) {
  return policy::within(a, b) && policy::within(b, a);
}

}  // namespace

policy::Permits permits_of(const Profile& profile, const Contact& contact) {
  return {profile.permits, contact.conversation.permits, announced_by(contact)};
}

std::optional<std::vector<uint32_t>> announced_permits(const Profile& profile,
                                                       const Contact& contact) {
  const wherry_reveals mine = policy::intersect(profile.permits, contact.conversation.permits);
  if (same(mine, policy::everything())) return std::nullopt;
  return policy::to_list(mine);
}

bool permitted(const Profile& profile, const Contact& contact, const wherry_reveals& reveals) {
  return policy::within(reveals, permits_of(profile, contact).all());
}

bool may_listen(const Profile& profile, const Contact& contact, const wherry_reveals& listening) {
  if (mutant(Mutant::kListensUnpermitted)) return true;
  return policy::within(listening, profile.permits) &&
         policy::within(listening, contact.conversation.permits);
}

bool may_listen(const Profile& profile, const Network& network, const store::InboxRow& inbox) {
  if (inbox.kind == store::InboxKind::kCard) {
    return policy::within(network.listening, profile.permits);
  }
  const auto owner = profile.contacts.find(inbox.owner);
  return owner != profile.contacts.end() && may_listen(profile, *owner->second, network.listening);
}

void note_revealed(Turn& turn, Contact& contact, const wherry_reveals& reveals) {
  if (policy::within(reveals, contact.conversation.revealed)) return;
  contact.conversation.revealed = policy::unite(contact.conversation.revealed, reveals);
  turn.changed_conversation(contact);
}

Status set_profile_permits(Turn& turn, const wherry_reveals& permits) {
  turn.profile.permits = permits;
  store::meta_set(turn.db, kProfilePermits, policy::to_bytes(permits));
  for (auto& [id, network] : turn.runtime.networks) {
    if (network->running() && !policy::within(network->listening, permits)) {
      stop_network(turn, *network);
    }
    network->start_at = turn.now;  // those that were forbidden may be permitted now
  }
  for (auto& [id, contact] : turn.profile.contacts) apply_permits(turn, *contact);
  return {};
}

Status set_conversation_permits(Turn& turn, uint64_t conversation, const wherry_reveals& permits) {
  Contact* contact = turn.profile.contact_of_conversation(conversation);
  if (contact == nullptr) {
    return fail(WHERRY_E_NOT_FOUND, "there is no conversation with this id");
  }
  contact->conversation.permits = permits;
  turn.changed_conversation(*contact);
  apply_permits(turn, *contact);
  return {};
}

Result<Explanation> explain(Turn& turn, uint64_t conversation) {
  Contact* contact = turn.profile.contact_of_conversation(conversation);
  if (contact == nullptr) {
    return fail(WHERRY_E_NOT_FOUND, "there is no conversation with this id");
  }
  keep_networks(turn);  // those that are to run may not be started yet, and know no paths then
  refresh_paths(turn, *contact);
  Explanation made;
  made.permits = permits_of(turn.profile, *contact);
  made.revealed = contact->conversation.revealed;
  const ChosenPath chosen = choose_path(turn, *contact);
  for (const PathEntry& path : contact->paths) {
    PathView view;
    view.transport = path.endpoint.transport;
    view.endpoint = path.endpoint.text;
    view.transport_id = path.transport;
    const Network* network = turn.network(path.transport);
    view.reveals = reveals_of(network, path);
    view.known = network != nullptr;
    view.against_profile = policy::beyond(view.reveals, made.permits.profile);
    view.against_mine = policy::beyond(view.reveals, made.permits.mine);
    view.against_theirs = policy::beyond(view.reveals, policy::mirror(made.permits.theirs));
    view.reason = obstacle_of(turn, *contact, path);
    view.chosen = &path == chosen.path;
    made.paths.push_back(std::move(view));
  }
  return made;
}

}  // namespace wherry::engine
