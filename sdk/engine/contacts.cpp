// New people, and what becomes of them.
#include "engine/contacts.h"

namespace wherry::engine {

Contact& add_contact(Turn& turn, const Bytes32& identity, int32_t state, const std::string& name) {
  auto made = std::make_unique<Contact>();
  Contact& contact = *made;
  // Each conversation has its own: a device whose disk is from before they met draws another.
  contact.conversation.incarnation = turn.env.random->number();
  contact.conversation.id = store::conversation_insert(turn.db, contact.conversation);
  contact.row.identity = identity;
  contact.row.name = name;
  contact.row.added_ms = turn.wall_ms;
  contact.row.conversation = contact.conversation.id;
  contact.row.id = store::contact_insert(turn.db, contact.row);
  contact.conversation.contact = contact.row.id;
  contact.offer_reset = true;
  turn.changed_conversation(contact);
  turn.profile.contact_by_identity[identity] = contact.row.id;
  turn.profile.contact_by_conversation[contact.conversation.id] = contact.row.id;
  turn.profile.contacts.emplace(contact.row.id, std::move(made));
  set_contact_state(turn, contact, state);
  return contact;
}

void set_contact_state(Turn& turn, Contact& contact, int32_t state) {
  contact.row.state = state;
  turn.changed(contact);
  store::EventRow event;
  event.type = WHERRY_EVENT_CONTACT;
  event.contact = contact.row.id;
  event.conversation = contact.row.conversation;
  event.value = state;
  turn.add_event(event);
}

}  // namespace wherry::engine
