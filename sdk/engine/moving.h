// Moving a conversation to other networks while it runs (PROTOCOL §7.2): what each side decides is
// in routing/, this is what follows from it. Each direction moves by itself. The receiver says
// where, by the set of endpoints that it announces; the sender goes there when one has answered a
// probe, and says so; the receiver closes an old inbox when all that could have gone there has
// come.
#ifndef WHERRY_ENGINE_MOVING_H
#define WHERRY_ENGINE_MOVING_H

#include "engine/paths.h"
#include "engine/turn.h"

namespace wherry::engine {

// This person's choice of networks. E_NOT_FOUND, E_ARGUMENT.
Status set_route(Turn& turn, uint64_t conversation, const std::string& text);

// Where both directions stand, as states and reasons of wherry_schema.h.
struct RouteView {
  std::string route;
  std::string sending;    // name of the transport in use; empty: none yet
  std::string receiving;  // names of those announced, with commas between
  int32_t sending_state = WHERRY_ROUTE_STATE_SETTLED;
  int32_t sending_reason = WHERRY_REASON_NONE;
  int32_t receiving_state = WHERRY_ROUTE_STATE_SETTLED;
  int32_t receiving_reason = WHERRY_REASON_NONE;
};
Result<RouteView> route_of(Turn& turn, uint64_t conversation);

// Members of a payload that came.
void take_probe(Turn& turn, Contact& contact, const Id128& probe);
void take_answers(Turn& turn, Contact& contact, const std::vector<Id128>& answers);
void take_moved(Turn& turn, Contact& contact, const Session& session, const message::Moved& moved);

// Adds answers, and that an endpoint was left. True: the copy is to be kept.
bool add_moving(const Contact& contact, message::Payload& payload);
// What it added is sealed.
void moving_told(Contact& contact);
// What carried the last answers may be lost: they are told again.
void answer_again(Contact& contact);

// Whether what was told in `by`, the id of a session, counts and not what comes in this one: it was
// given up since, and is not the one that both use (one that began at once with that may be younger
// here).
bool is_superseded(const Contact& contact, const Session& session, uint64_t by);
// Whether the path waits for an answer, and may be asked as far as its network knows.
bool may_be_probed(const Contact& contact, const PathEntry& path);
// Whether something more may go to where nothing has proven that it is theirs; if so, that counts.
bool may_knock(const Turn& turn, Contact& contact);
// Whether an endpoint may be asked or dialled now; if so, that counts. If not, the contact is
// looked at again when it may.
bool spend_probe(Turn& turn, Contact& contact, PathEntry& path);

// Sends probes that are due, and answers if there is no other way for them.
void send_probes(Turn& turn, Contact& contact, const ChosenPath& chosen);

// A network works again (transport), or they were heard (0): what waits for an answer is asked
// again soon; of whoever was heard only while no way to them works.
void probe_again(Turn& turn, Contact& contact, uint64_t transport);

// An envelope is to go by this path.
void use_path(Turn& turn, Contact& contact, const PathEntry& path);

// A set was announced: notes which inboxes are no longer in it.
void drop_inboxes(Turn& turn, const Contact& contact);
// Closes inboxes of which the contact has taken leave.
void retire_inboxes(Turn& turn, Contact& contact);

// Tells the app when a direction's state changed.
void tell_route(Turn& turn, Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_MOVING_H
