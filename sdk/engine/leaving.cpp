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

// Whether a path leads to them, if not now then when its transport, which is to run, does again.
bool leads_to_them(Turn& turn, const Contact& contact, const PathEntry& path) {
  const Network* network = turn.network(path.transport);
  return network != nullptr && turn.profile.transports.at(path.transport).started &&
         !is_closed(contact, path) &&  // nothing goes back to what was left
         (path.accepted || !network->running()) && path.peer_state != WHERRY_PEER_STATE_GONE &&
         (contact.endpoints() == nullptr || contact.ways.knows(path.endpoint));
}

// The way by which the last word can go; null: none is needed, since one that is permitted leads to
// them, or none is left.
PathEntry* last_way(Turn& turn, Contact& contact) {
  PathEntry* way = nullptr;
  for (PathEntry& path : contact.paths) {
    if (!leads_to_them(turn, contact, path)) continue;
    switch (admission_of(turn.profile, contact, reveals_of(turn.network(path.transport), path))) {
      case Admission::kPermitted:
        return nullptr;  // in the route or not: until one of it works, messages go there
      case Admission::kLastWord:
        if (way == nullptr || contact.ways.in_use == path.endpoint) way = &path;
        break;
      default:
        break;
    }
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

void stop_forbidden(Turn& turn) {
  for (auto& [id, network] : turn.runtime.networks) {
    if (!network->running()) continue;
    if (!may_be_online(turn.profile, *network)) {
      stop_network(turn, *network);
      network->start_at = turn.now;  // which says why it may not
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
  contact.leave_at = Executor::kNever;
  turn.changed_conversation(contact);
  stop_forbidden(turn);
  refresh_paths(turn, contact);
}

// In an envelope of its own: what else was to go there may not any more.
void say(const Sender& to) {
  Contact& contact = to.contact;
  if (!to.session.ratchet.can_seal() || own_endpoints(to.turn, contact).empty()) return;
  if (contact.announced) contact.announced->list.clear();
  message::Payload payload;
  if (!add_endpoints(to.turn, contact, payload) || !seal_alone(to, payload, Keep::kYes)) return;
  contact.conversation.leaving->copy = contact.outbox.copies.back().id;
  to.turn.changed_conversation(contact);
}

// A handshake that is under way is answered there, but nobody is waited for for ever.
bool may_be_answered(Turn& turn, Contact& contact) {
  int64_t& until = contact.conversation.leaving->answer_until_ms;
  if (until == 0) {
    until = turn.wall_ms + limits::kLeaveUnanswered_ms;
    turn.changed_conversation(contact);
  }
  const int64_t left = until - turn.wall_ms;
  if (left <= 0 || left > limits::kLeaveUnanswered_ms) return false;  // or the clock was put back
  turn.wake(contact, turn.now + left);
  return true;
}

void drop(Turn& turn, Contact& contact, uint64_t copy) {
  drop_copies(turn.db, contact, [&](const Copy& one) { return one.id == copy; });
}

void begin(Turn& turn, Contact& contact, const wherry_reveals& before, int32_t tightening) {
  const wherry_reveals now = own_permits(turn.profile, contact);
  store::ConversationRow& conversation = contact.conversation;
  if (!policy::within(now, before)) conversation.stands_by = false;
  // Where this person is now may be another place than was said.
  contact.leave_at = Executor::kNever;
  contact.last_words = 0;
  if (conversation.leaving) conversation.leaving = store::Leaving{conversation.leaving->before};
  // Whoever was not accepted is told nothing.
  if (tightening == WHERRY_TIGHTENING_NOW || mutant(Mutant::kLeavesAtOnce) ||
      contact.row.state == WHERRY_CONTACT_STATE_REQUEST) {
    conversation.leaving.reset();
  } else if (!conversation.leaving && !policy::within(before, now)) {
    conversation.leaving = store::Leaving{before};
  }
  turn.changed_conversation(contact);
}

// In this turn, however many others wait to be looked at.
void apply(Turn& turn, Contact& contact) {
  if (contact.row.state == WHERRY_CONTACT_STATE_REQUEST) return;
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
  for (auto& [id, network] : turn.runtime.networks) {
    if (network->reason == WHERRY_REASON_PERMITS) network->start_at = turn.now;
  }
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
  if (!contact.conversation.leaving) stop_forbidden(turn);
  apply(turn, contact);
  return {};
}

void say_last_word(Turn& turn, Contact& contact) {
  std::optional<store::Leaving>& leaving = contact.conversation.leaving;
  // Without plug-ins nothing can be said, nor is anything listened to.
  if (!leaving || turn.runtime.networks.empty()) return;
  PathEntry* way = last_way(turn, contact);
  if (way == nullptr || !has_other_network(turn, contact) || contact.leave_at <= turn.now) {
    return leave(turn, contact);
  }
  if (contact.leave_at != Executor::kNever) turn.wake(contact, contact.leave_at);
  if (leaving->said) return;
  Session* session = sending_session(turn.profile, contact);
  if (session == nullptr || session->stage != store::SessionStage::kWorking) {
    if (!may_be_answered(turn, contact)) leave(turn, contact);
    return;
  }
  Network* network = turn.network(way->transport);
  if (!way->accepted || !network->online() || !network->has_room(contact.row.id)) return;
  const Sender to{turn, contact, *session, *way, *network, Passing::kLastWord};
  auto copy = std::ranges::find(contact.outbox.copies, leaving->copy, &Copy::id);
  if (copy != contact.outbox.copies.end() && !is_for(*copy, *way)) {
    drop(turn, contact, copy->id);
    copy = contact.outbox.copies.end();
  }
  if (copy != contact.outbox.copies.end()) {
    repeat_copy(to, *copy);
  } else if (contact.last_words < limits::kLastWordsMax) {
    say(to);
  }
}

void last_word_sent(Turn& turn, Contact& contact, uint64_t copy, bool left) {
  std::optional<store::Leaving>& leaving = contact.conversation.leaving;
  if (!leaving || copy == 0 || leaving->copy != copy || leaving->said == left) return;
  leaving->said = left;
  turn.changed_conversation(contact);
  if (left) {
    ++contact.last_words;
    contact.leave_at = std::min(contact.leave_at, turn.now + limits::kLeaveAfter_ms);
  } else if (contact.last_words < limits::kLastWordsMax) {
    contact.leave_at = Executor::kNever;
  }
}

void last_word_voided(Turn& turn, Contact& contact) {
  std::optional<store::Leaving>& leaving = contact.conversation.leaving;
  if (!leaving || leaving->copy == 0) return;
  leaving->copy = 0;
  leaving->said = false;
  turn.changed_conversation(contact);
}

}  // namespace wherry::engine
