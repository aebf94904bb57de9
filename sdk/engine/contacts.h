// Who this profile knows.
#ifndef WHERRY_ENGINE_CONTACTS_H
#define WHERRY_ENGINE_CONTACTS_H

#include "engine/turn.h"

namespace wherry::engine {

// A new contact with its direct conversation, and an event.
Contact& add_contact(Turn& turn, const Bytes32& identity, int32_t state, const std::string& name);
void set_contact_state(Turn& turn, Contact& contact, int32_t state);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_CONTACTS_H
