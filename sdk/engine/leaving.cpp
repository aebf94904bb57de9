// Both phases of leaving.
#include "engine/leaving.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/greeting.h"
#include "engine/paths.h"
#include "engine/permits.h"
#include "engine/running.h"
#include "engine/sealing.h"
#include "policy/reveals.h"
#include "store/meta.h"

namespace wherry::engine {
namespace {

bool leads_to_them(const Contact& contact, const PathEntry& path) {
  return path.peer_state != WHERRY_PEER_STATE_GONE &&
         contact.route.place_of(path.endpoint.transport).has_value();
}

// The way by which the last word can go; null: none is needed, since one that is permitted leads to
// them, or none is left.
PathEntry* last_way(Turn& turn, Contact& contact) {
  PathEntry* way = nullptr;
  for (PathEntry& path : contact.paths) {
    if (path.permitted && leads_to_them(contact, path)) return nullptr;
    if (!path.accepted || path.peer_state == WHERRY_PEER_STATE_GONE ||
        !permits_last_word(turn.profile, contact, path.reveals)) {
      continue;
    }
    if (way == nullptr || contact.ways.in_use == path.endpoint) way = &path;
  }
  return way;
}

// Whether this person listens, or is about to, where it is permitted.
bool has_other_network(Turn& turn, const Contact& contact) {
  return std::ranges::any_of(turn.profile.transports, [&](const auto& entry) {
    const Network* network = turn.network(entry.first);
    return network != nullptr && entry.second.started && listens_on(turn, contact, entry.second) &&
           may_listen(turn.profile, contact, network->listening);
  });
}

// On auto, if all that it listens on is forbidden: whatever is not, from now on.
void choose_other_networks(Turn& turn, Contact& contact) {
  if (!contact.route.automatic() || contact.conversation.stands_by) return;
  bool permitted_there = false;
  bool permitted_elsewhere = false;
  for (const auto& [id, transport] : turn.profile.transports) {
    const Network* network = turn.network(id);
    if (network == nullptr || !may_listen(turn.profile, contact, network->listening)) continue;
    (listens_on(turn, contact, transport) ? permitted_there : permitted_elsewhere) = true;
  }
  if (permitted_there || !permitted_elsewhere) return;
  contact.conversation.stands_by = true;
  turn.changed_conversation(contact);
}

void stop_forbidden(Turn& turn) {
  for (auto& [id, network] : turn.runtime.networks) {
    if (!network->running()) continue;
    if (!may_be_online(turn.profile, network->listening)) {
      stop_network(turn, *network);
      network->start_at = turn.now;
    } else if (std::ranges::any_of(network->inboxes, [&](uint64_t inbox) {
                 return turn.profile.inboxes.contains(inbox) &&
                        !may_be_open(turn.profile, *network, turn.profile.inboxes.at(inbox));
               })) {
      restart_network(turn, *network);
    }
  }
}

void leave(Turn& turn, Contact& contact) {
  if (mutant(Mutant::kNeverLeaves)) return;
  contact.conversation.leaving.reset();
  contact.last_word = 0;
  contact.leave_at = Executor::kNever;
  turn.changed_conversation(contact);
  stop_forbidden(turn);
  refresh_paths(turn, contact);
}

// Whether it is known to have left, or to have come.
bool is_said(const Contact& contact) {
  if (contact.last_word == 0) return false;
  const auto copy = std::ranges::find(contact.copies, contact.last_word, &Copy::id);
  return copy == contact.copies.end() || copy->last == delivery::Attempt::kStored ||
         copy->last == delivery::Attempt::kHanded;
}

void say(Turn& turn, Contact& contact, Session& session, PathEntry& way, Network& network) {
  // Said anew after a restart, or if it was said beside what may not go there any more.
  if (contact.announced) contact.announced->list.clear();
  message::Payload payload;
  if (!session.ratchet.can_seal() || !add_endpoints(turn, contact, payload)) return;
  if (!seal_alone({turn, contact, session, way, network, true}, payload, true)) return;
  contact.last_word = contact.copies.back().id;
}

void repeat(Turn& turn, Contact& contact, PathEntry& way, Network& network) {
  const auto copy = std::ranges::find(contact.copies, contact.last_word, &Copy::id);
  if (copy->send_id != 0 || copy->next_at > turn.now) return;
  std::optional<Bytes> envelope = store::sealed_envelope(turn.db, copy->id);
  if (!envelope) return;
  ++copy->attempts;
  copy->sent_at = turn.now;
  copy->send_id = turn.send(network, contact, way, copy->id, std::move(*envelope), true);
}

void begin(Turn& turn, Contact& contact, const wherry_reveals& before, int32_t tightening) {
  const wherry_reveals now = own_permits(turn.profile, contact);
  store::ConversationRow& conversation = contact.conversation;
  if (!policy::within(now, before)) conversation.stands_by = false;
  if (tightening == WHERRY_TIGHTENING_NOW || mutant(Mutant::kLeavesAtOnce)) {
    conversation.leaving.reset();
  } else if (!conversation.leaving && !policy::within(before, now)) {
    conversation.leaving = before;
  }
  turn.changed_conversation(contact);
}

// In this turn, however many others wait to be looked at.
void apply(Turn& turn, Contact& contact) {
  choose_other_networks(turn, contact);
  refresh_paths(turn, contact);
  ensure_inboxes(turn, contact);
  say_last_word(turn, contact);
  turn.pump(contact);
}

}  // namespace

Status set_profile_permits(Turn& turn, const wherry_reveals& permits, int32_t tightening) {
  std::vector<wherry_reveals> before;
  for (auto& [id, contact] : turn.profile.contacts) {
    before.push_back(own_permits(turn.profile, *contact));
  }
  turn.profile.permits = permits;
  store::meta_set(turn.db, kProfilePermits, policy::to_bytes(permits));
  auto each_before = before.begin();
  for (auto& [id, contact] : turn.profile.contacts) {
    begin(turn, *contact, *each_before++, tightening);
  }
  for (auto& [id, network] : turn.runtime.networks) network->start_at = turn.now;
  stop_forbidden(turn);
  for (auto& [id, contact] : turn.profile.contacts) apply(turn, *contact);
  return {};
}

Status set_conversation_permits(Turn& turn, uint64_t conversation, const wherry_reveals& permits,
                                int32_t tightening) {
  Result<Contact*> found = turn.profile.conversation(conversation);
  if (!found) return found.error();
  Contact& contact = **found;
  const wherry_reveals before = own_permits(turn.profile, contact);
  contact.conversation.permits = permits;
  begin(turn, contact, before, tightening);
  apply(turn, contact);
  return {};
}

void say_last_word(Turn& turn, Contact& contact) {
  if (!contact.conversation.leaving) return;
  Session* session = sending_session(turn.profile, contact);
  PathEntry* way = last_way(turn, contact);
  const bool can_be_said = session != nullptr && session->stage == store::SessionStage::kWorking &&
                           way != nullptr && has_other_network(turn, contact);
  if (can_be_said && is_said(contact)) {
    contact.leave_at = std::min(contact.leave_at, turn.now + limits::kLeaveAfter_ms);
    if (contact.leave_at > turn.now) turn.wake(contact, contact.leave_at);
  }
  if (!can_be_said || contact.leave_at <= turn.now) {
    leave(turn, contact);
    return;
  }
  Network* network = turn.network(way->transport);
  if (network == nullptr || !network->online() || is_said(contact)) return;
  if (network->room() == 0) {
    network->crowded = true;
  } else if (contact.last_word == 0) {
    say(turn, contact, *session, *way, *network);
  } else {
    repeat(turn, contact, *way, *network);
  }
}

}  // namespace wherry::engine
