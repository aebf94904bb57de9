// Evidence and waiting, with their events.
#include "engine/evidence.h"

#include "base/mutant.h"

namespace wherry::engine {

void raise_evidence(Turn& turn, const Contact& contact, uint64_t message, int32_t evidence,
                    int32_t reason) {
  const std::optional<store::EvidenceRow> known = store::message_evidence(turn.db, message);
  if (!known || (known->evidence >= evidence && !mutant(Mutant::kEvidenceFalls))) return;
  if (known->event != 0) store::event_delete(turn.db, known->event);
  store::EventRow event;
  event.type = WHERRY_EVENT_EVIDENCE;
  event.contact = contact.row.id;
  event.conversation = contact.row.conversation;
  event.message = message;
  event.value = evidence;
  event.reason = reason;
  store::message_set_evidence(turn.db, message, evidence, reason, turn.add_event(event));
}

void raise_evidence(Turn& turn, const Contact& contact, const Copy& copy, int32_t evidence) {
  if (!copy.has_messages()) return;
  for (const store::OutboxRow& row :
       store::outbox_between(turn.db, contact.row.id, copy.first_seq, copy.last_seq)) {
    raise_evidence(turn, contact, row.message, evidence, WHERRY_REASON_NONE);
  }
}

void set_waiting(Turn& turn, Contact& contact, int32_t reason) {
  uint64_t waiting = contact.outbox.waiting;
  for (const Copy& copy : contact.outbox.copies) {
    const bool sent = copy.send_id != 0 || copy.last != delivery::Attempt::kFailed;
    if (!sent && copy.has_messages()) waiting += copy.last_seq - copy.first_seq + 1;
  }
  if (waiting == 0) reason = WHERRY_REASON_NONE;
  const int32_t before = contact.conversation.waiting;
  if (before == reason) return;
  contact.conversation.waiting = reason;
  turn.changed_conversation(contact);
  // A full window is the ordinary course of a long feed, and no news.
  const auto quiet = [](int32_t r) { return r == WHERRY_REASON_NONE || r == WHERRY_REASON_WINDOW; };
  if (quiet(before) && quiet(reason)) return;
  // At most one of a conversation waits for the app: the newest.
  if (contact.waiting_event != 0) store::event_delete(turn.db, contact.waiting_event);
  store::EventRow event;
  event.type = WHERRY_EVENT_WAITING;
  event.contact = contact.row.id;
  event.conversation = contact.row.conversation;
  event.value = static_cast<int64_t>(waiting);
  event.reason = reason == WHERRY_REASON_WINDOW ? WHERRY_REASON_NONE : reason;
  contact.waiting_event = turn.add_event(event);
}

}  // namespace wherry::engine
