// Sealing (PROTOCOL §7): as late as possible, for one endpoint, and once: an envelope that carries
// what must not be lost is kept as it is and sent again until it is known to have come.
#ifndef WHERRY_ENGINE_SEALING_H
#define WHERRY_ENGINE_SEALING_H

#include "engine/turn.h"

namespace wherry::engine {

// What a payload's map and list of messages add to their members, bytes at most.
inline constexpr size_t kPayloadFrame = 8;

struct Sender {
  Turn& turn;
  Contact& contact;
  Session& session;
  PathEntry& path;
  Network& network;
  Passing passing = Passing::kPermitted;
};

// The lowest number of a session that may still come: sent again as it was sealed, or a probe that
// is under way. now: steady ms.
uint64_t sealed_floor(const Contact& contact, const Session& session, int64_t now);

// For one message in an envelope of its own, on this network: bytes.
size_t room_alone(const Network& network);

// Their ratchet has gone beyond it: the same bytes would be no news (PROTOCOL §5.4).
bool is_settled(const Copy& copy, const Session& session);

// A copy is bound to its endpoint.
bool is_for(const Copy& copy, const PathEntry& path);

// Sends the same bytes again, if they are due.
void repeat_copy(const Sender& to, Copy& copy);

// Adds endpoints and permits that they were not told yet; they are told from now on. True:
// something was added, and the copy is to be kept.
bool add_endpoints(Turn& turn, Contact& contact, message::Payload& payload);

// The first envelope of an unanswered session.
void seal_greeting(const Sender& to);

// One envelope with whatever is due. False: nothing was, or it could not be sealed.
bool seal_next(const Sender& to);

// An envelope of its own with this payload and nothing else, kept until it is known to have come or
// not. False: it could not be sealed.
enum class Keep : bool { kNo, kYes };
bool seal_alone(const Sender& to, const message::Payload& payload, Keep keep);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_SEALING_H
