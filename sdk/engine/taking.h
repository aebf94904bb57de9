// Taking in an opened payload: messages, acknowledgements, endpoints, reset bundles.
#ifndef WHERRY_ENGINE_TAKING_H
#define WHERRY_ENGINE_TAKING_H

#include "engine/turn.h"

namespace wherry::engine {

void take_payload(Turn& turn, Contact& contact, const Session& session, message::Payload& payload);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_TAKING_H
