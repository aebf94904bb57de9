// Both halves of a move.
#include "engine/moving.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/greeting.h"
#include "engine/permits.h"
#include "engine/sealing.h"

namespace wherry::engine {
namespace {

struct Standing {
  int32_t state = WHERRY_ROUTE_STATE_SETTLED;
  int32_t reason = WHERRY_REASON_NONE;
};

std::vector<store::InboxRow*> inboxes_of(Turn& turn, const Contact& contact) {
  std::vector<store::InboxRow*> list;
  for (const auto& [id, transport] : turn.profile.transports) {
    const store::InboxRow* inbox =
        turn.profile.inbox_of(store::InboxKind::kContact, contact.row.id, id);
    if (inbox != nullptr) list.push_back(&turn.profile.inboxes.at(inbox->id));
  }
  return list;
}

bool is_listed(const message::Endpoints& theirs, const message::Endpoint& endpoint) {
  return std::ranges::find(theirs.list, endpoint) != theirs.list.end();
}

bool is_listed(const message::Endpoints& announced, const store::InboxRow& inbox) {
  return std::ranges::find(announced.list, inbox.endpoint, &message::Endpoint::text) !=
         announced.list.end();
}

// All that may have gone to an inbox of which they took leave.
bool all_has_come(const Contact& contact) {
  const auto stream =
      std::ranges::find(contact.streams, contact.moved->incarnation, &IncomingStream::incarnation);
  const uint64_t next = stream == contact.streams.end() ? 1 : stream->stream.next;
  return next > contact.moved->last || mutant(Mutant::kRetiredIncomplete);
}

Standing sending(Turn& turn, const Contact& contact) {
  const auto& in_use = contact.ways.in_use;
  if (contact.endpoints() == nullptr || !in_use) return {};
  const auto in_route = [&](const message::Endpoint& endpoint) {
    return contact.route.place_of(endpoint.transport).has_value();
  };
  const auto& newest = contact.endpoints()->list;
  if (in_route(*in_use) && std::ranges::find(newest, *in_use) != newest.end()) return {};
  const PathEntry* next = nullptr;
  for (const PathEntry& path : contact.paths) {
    if (!path.listed || !in_route(path.endpoint)) continue;
    if (next == nullptr || (is_unproven(contact, path) && !is_unproven(contact, *next))) {
      next = &path;
    }
  }
  if (next == nullptr) return {WHERRY_ROUTE_STATE_ELSEWHERE, WHERRY_REASON_NO_ENDPOINT};
  if (contact.quiet_until > turn.now) return {WHERRY_ROUTE_STATE_QUIET, WHERRY_REASON_NONE};
  int32_t reason = obstacle_of(turn, contact, *next);
  // Which is news only when it lasts.
  if (reason == WHERRY_REASON_UNPROVEN && next->probe.sent < limits::kProbesUnanswered) {
    reason = WHERRY_REASON_NONE;
  }
  return {WHERRY_ROUTE_STATE_PROBING, reason};
}

Standing receiving(Turn& turn, const Contact& contact) {
  if (!contact.announced || contact.announced->list.empty()) return {};
  bool open = false;
  bool old = false;
  int32_t reason = WHERRY_REASON_NO_TRANSPORT;
  for (const auto& [id, transport] : turn.profile.transports) {
    const store::InboxRow* inbox =
        turn.profile.inbox_of(store::InboxKind::kContact, contact.row.id, id);
    old = old || (inbox != nullptr && inbox->left());
    if (!listens_on(turn, contact, transport)) continue;
    open = open || (inbox != nullptr && is_listed(*contact.announced, *inbox));
    const Network* network = turn.network(id);
    // What is forbidden may be stopped by that.
    if (network != nullptr && !may_listen(turn.profile, contact, network->listening)) {
      reason = WHERRY_REASON_PERMITS;
    } else if (network == nullptr ||
               (!network->running() && network->state != WHERRY_TRANSPORT_STATE_FAILED)) {
      reason = WHERRY_REASON_TRANSPORT_OFF;
    } else {
      reason = network->reason;
    }
  }
  if (!open) return {WHERRY_ROUTE_STATE_OPENING, reason};
  if (old) return {WHERRY_ROUTE_STATE_ANNOUNCED, WHERRY_REASON_NONE};
  return {};
}

// At most one event of a direction waits for the app: the newest.
void tell(Turn& turn, const Contact& contact, int32_t type, const Standing& standing,
          RouteTold& told) {
  if (standing.state == told.state && standing.reason == told.reason) return;
  if (told.event != 0) store::event_delete(turn.db, told.event);
  store::EventRow event;
  event.type = type;
  event.contact = contact.row.id;
  event.conversation = contact.row.conversation;
  event.value = standing.state;
  event.reason = standing.reason;
  told = {standing.state, standing.reason, turn.add_event(event)};
}

void save_ways(Turn& turn, Contact& contact) {
  if (mutant(Mutant::kWaysNotSaved)) return;
  contact.row.ways = contact.ways.to_bytes();
  turn.changed(contact);
}

// One that may go out now; null: the network has no room, or the session.
Network* room_on(Turn& turn, const Session& session, const PathEntry& path) {
  Network* network = turn.network(path.transport);
  if (network == nullptr || !network->online() || !session.ratchet.can_seal() ||
      session.ratchet.unsettled() >= limits::kUnsettledMax) {
    return nullptr;
  }
  return network->has_room(session.contact) ? network : nullptr;
}

// They are in an envelope now.
void told_answers(Contact& contact) {
  if (contact.answers.empty()) return;
  contact.answers_told = std::move(contact.answers);
  contact.answers.clear();
}

// Whoever is asked may know no way to answer: so a probe says where, until it is known that they
// heard. The first that says something new is kept, if there is no other way to say it.
void probe(Turn& turn, Contact& contact, Session& session, PathEntry& path, bool only_way) {
  if (path.probe.next_at > turn.now) {
    turn.wake(contact, path.probe.next_at);
    return;
  }
  Network* network = room_on(turn, session, path);
  if (network == nullptr || !spend_probe(turn, contact, path)) return;
  message::Payload payload;
  // A late answer counts too: it is the same question until it is answered.
  if (!path.probe.waits()) turn.env.random->fill(path.probe.id.data(), path.probe.id.size());
  payload.probe = path.probe.id;
  payload.answers = contact.answers;
  const bool news = only_way && add_endpoints(turn, contact, payload);
  if (!news && contact.announced && !contact.announced->list.empty()) {
    payload.endpoints = contact.announced;
  }
  path.probe.session = session.id;
  path.probe.g = session.ratchet.next_g();
  path.probe.sent_at = turn.now;
  if (!seal_alone({turn, contact, session, path, *network}, payload,
                  news ? Keep::kYes : Keep::kNo)) {
    return;
  }
  // Whoever has another way says them there as well: this envelope may be lost.
  if (only_way) told_answers(contact);
}

// An answer is worth sending even to where no message may go yet: both sides may be waiting for
// one.
void answer_somehow(Turn& turn, Contact& contact, Session& session) {
  for (PathEntry& path : contact.paths) {
    if (!may_be_probed(contact, path)) continue;
    message::Payload payload;
    payload.answers = contact.answers;
    Network* network = room_on(turn, session, path);
    if (network == nullptr) continue;
    if (!may_knock(turn, contact)) return;
    if (!seal_alone({turn, contact, session, path, *network}, payload, Keep::kNo)) continue;
    told_answers(contact);
    return;
  }
}

}  // namespace

Status set_route(Turn& turn, uint64_t conversation, const std::string& text) {
  const Result<Contact*> found = turn.profile.conversation(conversation);
  if (!found) return found.error();
  Contact* contact = *found;
  Result<routing::Route> route = routing::Route::parse(text);
  if (!route) return route.error();
  for (const std::string& name : route->transports) {
    if (turn.profile.transport_named(name) == nullptr) {
      return fail(WHERRY_E_NOT_FOUND, "no transport '" + name + "' is configured: add it first");
    }
  }
  contact->route = route.take();
  contact->conversation.route =
      contact->route.automatic() ? std::string() : contact->route.to_text();
  contact->quiet_until = 0;
  contact->conversation.stands_by = false;
  contact->ways.closed = false;
  save_ways(turn, *contact);
  turn.changed_conversation(*contact);
  turn.pump(*contact);
  return {};
}

Result<RouteView> route_of(Turn& turn, uint64_t conversation) {
  const Result<Contact*> found = turn.profile.conversation(conversation);
  if (!found) return found.error();
  Contact* contact = *found;
  refresh_paths(turn, *contact);
  const Standing out = sending(turn, *contact);
  const Standing in = receiving(turn, *contact);
  RouteView view;
  view.route = contact->route.to_text();
  if (contact->ways.in_use) view.sending = contact->ways.in_use->transport;
  if (contact->announced) {
    for (const message::Endpoint& endpoint : contact->announced->list) {
      view.receiving += (view.receiving.empty() ? "" : ",") + endpoint.transport;
    }
  }
  view.sending_state = out.state;
  view.sending_reason = out.reason;
  view.receiving_state = in.state;
  view.receiving_reason = in.reason;
  return view;
}

void take_probe(Turn& turn, Contact& contact, const Id128& probe) {
  if (std::ranges::find(contact.answers, probe) == contact.answers.end()) {
    if (contact.answers.size() >= limits::kAnswersMax) return;
    contact.answers.push_back(probe);
  }
  contact.ack_at = turn.now;
  turn.pump(contact);
}

void take_answers(Turn& turn, Contact& contact, const std::vector<Id128>& answers) {
  for (PathEntry& path : contact.paths) {
    const bool asked = path.probe.waits();
    const bool answered = asked && std::ranges::find(answers, path.probe.id) != answers.end();
    if (!answered && !(asked && mutant(Mutant::kAnswerUnchecked))) continue;
    // A newer set may have come in this turn: what it does not name is theirs no more.
    const message::Endpoints* newest = contact.endpoints();
    if (newest == nullptr || !is_listed(*newest, path.endpoint)) continue;
    path.probe.id = {};
    path.probe.sent = 0;
    contact.ways.prove(path.endpoint);
    save_ways(turn, contact);
    turn.pump(contact);
  }
}

void take_moved(Turn& turn, Contact& contact, const Session& session, const message::Moved& moved) {
  contact.ack_at = std::min(contact.ack_at, turn.now + limits::kAckDelay_ms);
  turn.pump(contact);
  if (!contact.announced || moved.generation > contact.announced->generation) {
    turn.complain(contact, "a contact moved to endpoints that it was never told; ignored");
    return;
  }
  if (contact.moved && moved.generation < contact.moved->generation) return;
  // Of the same one, an envelope from before a reset names an incarnation that is over.
  if (is_superseded(contact, session, contact.moved_session)) return;
  contact.moved_session = session.id;
  contact.moved = moved;
  contact.row.moved = moved.to_bytes();
  turn.changed(contact);
}

bool add_moving(const Contact& contact, message::Payload& payload) {
  payload.answers = contact.answers;
  if (!contact.tell_moved) return false;
  payload.moved = message::Moved{contact.ways.moved_to, contact.conversation.incarnation,
                                 contact.conversation.next_seq - 1};
  return true;
}

void answer_again(Contact& contact) {
  if (contact.answers.empty()) contact.answers = contact.answers_told;
}

void moving_told(Contact& contact) {
  told_answers(contact);
  contact.tell_moved = false;
}

bool is_superseded(const Contact& contact, const Session& session, uint64_t by) {
  return session.id < by && session.hash != contact.row.session;
}

bool may_be_probed(const Contact& contact, const PathEntry& path) {
  return is_unproven(contact, path) && !path.is_away();
}

bool may_knock(const Turn& turn, Contact& contact) {
  return contact.probes.spend(turn.now, 3600 * 1000, limits::kProbesPerHour);
}

bool spend_probe(Turn& turn, Contact& contact, PathEntry& path) {
  Probe& probe = path.probe;
  bool may = false;
  if (probe.next_at <= turn.now) {
    may = may_knock(turn, contact);
    if (may) ++probe.sent;
    probe.next_at = turn.now + (may ? delivery::backoff_ms(limits::kProbeRetryFirst_ms,
                                                           limits::kProbeRetryMax_ms, probe.sent)
                                    : limits::kProbeRetryMax_ms);
  }
  turn.wake(contact, probe.next_at);
  return may;
}

void send_probes(Turn& turn, Contact& contact, const ChosenPath& chosen) {
  Session* session = sending_session(turn.profile, contact);
  const bool working = session != nullptr && session->stage == store::SessionStage::kWorking;
  if (!working || is_quiet(turn, contact)) return;
  for (PathEntry& path : contact.paths) {
    if (may_be_probed(contact, path)) {
      probe(turn, contact, *session, path, chosen.path == nullptr);
    }
  }
  if (chosen.path == nullptr && !contact.answers.empty()) {
    answer_somehow(turn, contact, *session);
  }
}

void probe_again(Turn& turn, Contact& contact, uint64_t transport) {
  // Who has another way has time.
  const bool has_way = std::ranges::any_of(contact.paths, [&](const PathEntry& path) {
    return path.works_since != 0 && !is_unproven(contact, path);
  });
  if (has_way && transport == 0) return;
  for (PathEntry& path : contact.paths) {
    if (transport != 0 && path.transport != transport) continue;
    path.probe.next_at = std::min(path.probe.next_at, turn.now + limits::kProbeRetryFirst_ms);
  }
}

void use_path(Turn& turn, Contact& contact, const PathEntry& path) {
  const bool other = contact.ways.in_use != path.endpoint;
  if (other) {
    contact.ways.use(path.endpoint);
    contact.quiet_until = 0;
    // What was told last by the old way may find nobody there any more.
    answer_again(contact);
    if (!contact.answers.empty()) contact.ack_at = turn.now;
  }
  const bool settled = contact.endpoints() != nullptr && contact.ways.settle(*contact.endpoints());
  contact.tell_moved = contact.tell_moved || settled;
  if (other || settled) save_ways(turn, contact);
}

void drop_inboxes(Turn& turn, const Contact& contact) {
  const message::Endpoints& announced = *contact.announced;
  for (store::InboxRow* inbox : inboxes_of(turn, contact)) {
    const bool listed = is_listed(announced, *inbox);
    if (!listed && inbox->dropped != 0) continue;  // since then, or never told
    const uint64_t dropped = listed ? 0 : announced.generation;
    if (dropped == inbox->dropped) continue;
    inbox->dropped = dropped;
    store::inbox_set_dropped(turn.db, inbox->id, dropped);
  }
}

void retire_inboxes(Turn& turn, Contact& contact) {
  const bool early = mutant(Mutant::kRetiredEarly);
  if (!early && (!contact.moved || !all_has_come(contact))) return;
  for (const store::InboxRow* inbox : inboxes_of(turn, contact)) {
    if (!inbox->left()) continue;
    if (early || inbox->dropped <= contact.moved->generation ||
        mutant(Mutant::kGenerationUnchecked)) {
      close_inbox(turn, *inbox);
    }
  }
}

void tell_route(Turn& turn, Contact& contact) {
  tell(turn, contact, WHERRY_EVENT_SENDING_ROUTE, sending(turn, contact), contact.sending_told);
  tell(turn, contact, WHERRY_EVENT_RECEIVING_ROUTE, receiving(turn, contact),
       contact.receiving_told);
}

}  // namespace wherry::engine
