// Sealing late, repeating the same bytes, acknowledging.
#include "engine/sending.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/evidence.h"
#include "engine/greeting.h"
#include "engine/moving.h"
#include "engine/paths.h"
#include "engine/running.h"
#include "identity/bundle.h"

namespace wherry::engine {
namespace {

// What a payload's map and list of messages add to their members, bytes at most.
constexpr size_t kPayloadFrame = 8;

struct Sender {
  Turn& turn;
  Contact& contact;
  Session& session;
  PathEntry& path;
  Network& network;
};

message::Record record_of(const Contact& contact, const store::MessageRow& row, uint64_t seq) {
  message::Record record;
  record.seq = seq;
  record.incarnation = contact.conversation.incarnation;
  record.id = row.mid;
  record.clock = row.clock;
  record.sent_ms = row.sent_ms;
  // What ended before it was sent keeps its place in the sequence.
  if (row.evidence < WHERRY_EVIDENCE_EXPIRED) {
    record.content = row.content;
    record.body = row.body;
  }
  return record;
}

// The streams that the next envelope acknowledges.
std::vector<IncomingStream*> owed_streams(Contact& contact) {
  std::vector<IncomingStream*> owed;
  for (IncomingStream& stream : contact.streams) {
    if (stream.acknowledge && owed.size() < limits::kAcksPerEnvelope) owed.push_back(&stream);
  }
  return owed;
}

void add_acknowledgements(Contact& contact, message::Payload& payload) {
  for (const IncomingStream* stream : owed_streams(contact)) {
    const delivery::Acked acked = delivery::acknowledgement(stream->stream);
    message::Ack ack;
    ack.incarnation = stream->incarnation;
    ack.next = acked.next;
    for (const delivery::Range& range : acked.ranges) ack.ranges.push_back({range.from, range.to});
    payload.acks.push_back(std::move(ack));
  }
  payload.reseal = contact.ask_reseal;
}

// What add_acknowledgements() wrote is sealed.
void acknowledged(Turn& turn, Contact& contact) {
  for (IncomingStream* stream : owed_streams(contact)) {
    stream->acknowledge = false;
    turn.changed(contact, *stream);
  }
  contact.ask_reseal = false;
  contact.ack_at = owed_streams(contact).empty() ? Executor::kNever : turn.now;
  contact.ack_messages = 0;
}

// Endpoints and permits that they were not told yet. True: something was added.
bool add_endpoints(Turn& turn, Contact& contact, message::Payload& payload) {
  std::optional<message::Endpoints> endpoints = unannounced_endpoints(turn, contact);
  if (!endpoints) return false;
  contact.row.announced = endpoints->to_bytes();
  contact.announced = endpoints;
  turn.changed(contact);
  drop_inboxes(turn, contact);
  payload.endpoints = std::move(endpoints);
  return true;
}

bool add_reset_offer(Turn& turn, Contact& contact, message::Payload& payload) {
  if (!contact.offer_reset) return false;
  std::optional<store::PrekeyRow> row =
      store::prekey_of(turn.db, store::PrekeyKind::kReset, contact.row.id);
  if (!row) {
    row.emplace();
    row->id = static_cast<uint32_t>(turn.env.random->number());
    row->kind = store::PrekeyKind::kReset;
    row->owner = contact.row.id;
    row->made_ms = turn.wall_ms;
    turn.env.random->fill(row->fetch.data(), 32);
    row->secret = identity::Prekey::make(row->id, turn.wall_ms / 1000 + limits::kResetOfferValid_s,
                                         *turn.env.random)
                      .to_bytes();
    store::prekey_insert(turn.db, *row);
  }
  Result<identity::Prekey> prekey = identity::Prekey::from_bytes(row->secret.view());
  if (!prekey) return false;
  Result<Bytes> bundle = identity::Bundle::make(turn.profile.device, *turn.profile.list, *prekey);
  if (!bundle) return false;
  payload.reset = message::ResetOffer{bundle.take(), to_array<32>(row->fetch.view())};
  contact.offer_reset = false;
  return true;
}

// Fills a payload with messages that are not sealed yet, in order, up to `room` bytes or, if the
// first alone is larger, with that one up to `room_alone`. Out: what was taken.
std::vector<store::OutboxRow> add_messages(Turn& turn, const Contact& contact, size_t room,
                                           size_t room_alone, message::Payload& payload) {
  size_t size = message::encode(payload).size() + kPayloadFrame;
  size_t window_bytes = contact.window_bytes;
  std::vector<store::OutboxRow> taken;
  for (const store::OutboxRow& row : store::outbox_unsealed(
           turn.db, contact.row.id, contact.unsealed_from, limits::kPackedMessages)) {
    const bool next_in_order = taken.empty() || row.seq == taken.back().seq + 1;
    const size_t cost = row.size + message::kRecordOverhead;
    const bool fits = size + cost <= (taken.empty() ? std::max(room, room_alone) : room);
    const bool window = contact.window_messages + taken.size() < limits::kWindowMessages &&
                        window_bytes + row.size <= limits::kWindowBytes;
    if (!next_in_order || !fits || (!window && !mutant(Mutant::kWindowIgnored))) break;
    const std::optional<store::MessageRow> message = store::message(turn.db, row.message);
    if (!message) break;
    payload.records.push_back(record_of(contact, *message, row.seq));
    size += cost;
    taken.push_back(row);
    window_bytes += row.size;
  }
  return taken;
}

// For one message in an envelope of its own, on this network.
size_t room_alone(const Network& network) {
  const size_t largest = network.instance->description().envelope_size_max;
  return session::payload_room(session::largest_bucket(largest));
}

// The next message in order waits for a network that carries more.
bool next_is_too_large(Turn& turn, const Contact& contact, const Network& network) {
  if (contact.waiting_count == 0) return false;
  const std::vector<store::OutboxRow> next =
      store::outbox_unsealed(turn.db, contact.row.id, contact.unsealed_from, 1);
  return !next.empty() &&
         next.front().size + message::kRecordOverhead + kPayloadFrame > room_alone(network);
}

store::SealedRow row_of(const Contact& contact, const Copy& copy, Bytes envelope) {
  store::SealedRow row;
  row.id = copy.id;
  row.contact = contact.row.id;
  row.session = copy.session;
  row.g = copy.g;
  row.transport = copy.transport;
  row.endpoint = copy.endpoint;
  row.first_seq = copy.first_seq;
  row.last_seq = copy.last_seq;
  row.control = copy.control;
  row.envelope = std::move(envelope);
  return row;
}

void keep_copy(const Sender& to, session::SealStep& step, const std::vector<store::OutboxRow>& rows,
               bool control) {
  Copy copy;
  copy.control = control;
  copy.id = to.turn.profile.next_sealed++;
  copy.session = to.session.id;
  copy.g = step.g;
  copy.transport = to.path.transport;
  copy.endpoint = to.path.endpoint.text;
  copy.first_seq = rows.empty() ? 0 : rows.front().seq;
  copy.last_seq = rows.empty() ? 0 : rows.back().seq;
  copy.attempts = 1;
  copy.sent_at = to.turn.now;
  store::sealed_insert(to.turn.db, row_of(to.contact, copy, step.envelope));
  if (!rows.empty()) {
    store::outbox_set_sealed(to.turn.db, to.contact.row.id, copy.first_seq, copy.last_seq, copy.id);
    to.contact.unsealed_from = copy.last_seq + 1;
    to.contact.window_messages += rows.size();
    for (const store::OutboxRow& taken : rows) to.contact.window_bytes += taken.size;
    to.contact.waiting_count -= rows.size();
  }
  copy.send_id = to.turn.send(to.network, to.contact, to.path, copy.id, std::move(step.envelope));
  to.contact.copies.push_back(std::move(copy));
}

// The first envelope of an unanswered session.
void seal_greeting(const Sender& to) {
  message::Payload payload;
  if (to.session.follows != Bytes32{}) payload.follows = to.session.follows;
  add_endpoints(to.turn, to.contact, payload);
  const size_t room = session::first_payload_room(to.session.first, limits::kRequestEnvelopeMax);
  const std::vector<store::OutboxRow> rows = add_messages(to.turn, to.contact, room, 0, payload);
  Result<session::SealStep> step =
      session::seal_first(to.session.ratchet, to.session.first, to.session.fetch,
                          message::encode(payload), 0, *to.turn.env.random);
  if (!step) {
    to.turn.log.error("a first envelope could not be sealed: " + step.error().text);
    return;
  }
  to.session.ratchet = std::move(step->next);
  to.session.first.clear();
  to.turn.changed(to.session);
  keep_copy(to, *step, rows, payload.endpoints.has_value());
}

// One envelope with whatever is due. False: nothing was, or it could not be sealed.
bool seal_next(const Sender& to) {
  message::Payload payload;
  bool keep = add_endpoints(to.turn, to.contact, payload);
  keep = add_reset_offer(to.turn, to.contact, payload) || keep;
  keep = add_moving(to.contact, payload) || keep;
  const bool acknowledge = to.contact.ack_at <= to.turn.now;
  add_acknowledgements(to.contact, payload);
  const std::vector<store::OutboxRow> rows =
      add_messages(to.turn, to.contact, session::payload_room(limits::kPackedEnvelope),
                   payload.reset ? 0 : room_alone(to.network), payload);
  const bool control = keep;
  keep = control || !rows.empty();
  if (!keep && !acknowledge) return false;
  Result<session::SealStep> step =
      session::seal(to.session.ratchet, sealed_floor(to.contact, to.session),
                    message::encode(payload), 0, *to.turn.env.random);
  if (!step) {
    to.turn.log.error("an envelope could not be sealed: " + step.error().text);
    return false;
  }
  to.session.ratchet = std::move(step->next);
  to.turn.changed(to.session);
  acknowledged(to.turn, to.contact);
  moving_told(to.contact);
  if (keep) {
    keep_copy(to, *step, rows, control);
  } else {
    to.turn.send(to.network, to.contact, to.path, 0, std::move(step->envelope));
  }
  return true;
}

bool is_for(const Copy& copy, const PathEntry& path) {
  return (copy.transport == path.transport && copy.endpoint == path.endpoint.text) ||
         mutant(Mutant::kCopyToAnotherEndpoint);
}

// A copy is bound to its endpoint: for another one its messages are sealed anew. A whole window may
// be, and by a few bytes of the contact: not more often than they may ask for fresh copies.
void drop_strays(Turn& turn, Contact& contact, const PathEntry& path) {
  if (std::ranges::all_of(contact.copies, [&](const Copy& copy) { return is_for(copy, path); })) {
    return;
  }
  if (turn.now - contact.resealed_at < limits::kResealEvery_ms) {
    turn.wake(contact, contact.resealed_at + limits::kResealEvery_ms);
    return;
  }
  contact.resealed_at = turn.now;
  for (Copy& copy : contact.copies) {
    if (is_for(copy, path)) continue;
    for (const store::OutboxRow& row :
         copy.first_seq == 0
             ? std::vector<store::OutboxRow>()
             : store::outbox_between(turn.db, contact.row.id, copy.first_seq, copy.last_seq)) {
      if (row.sealed != copy.id) continue;
      --contact.window_messages;
      contact.window_bytes -= row.size;
      ++contact.waiting_count;
      contact.unsealed_from = std::min(contact.unsealed_from, row.seq);
    }
    store::sealed_delete(turn.db, copy.id);
    store::outbox_unseal(turn.db, contact.row.id, copy.id);
    copy.id = 0;
  }
  std::erase_if(contact.copies, [](const Copy& copy) { return copy.id == 0; });
  tell_again(turn, contact);
}

// A first envelope can not be sealed anew: for another endpoint it gets another wrap.
void rewrap_strays(Turn& turn, Contact& contact, const Session& session, const PathEntry& path) {
  for (Copy& copy : contact.copies) {
    if (is_for(copy, path)) continue;
    const std::optional<Bytes> stored = store::sealed_envelope(turn.db, copy.id);
    if (!stored) continue;
    Result<Bytes> fresh = session::rewrap_first(session.fetch, *stored, *turn.env.random);
    if (!fresh) continue;
    copy.transport = path.transport;
    copy.endpoint = path.endpoint.text;
    copy.send_id = 0;
    copy.next_at = turn.now;
    store::sealed_delete(turn.db, copy.id);
    store::sealed_insert(turn.db, row_of(contact, copy, fresh.take()));
  }
}

void repeat_due(Turn& turn, Contact& contact, PathEntry& path, Network& network) {
  for (Copy& copy : contact.copies) {
    if (!is_for(copy, path)) continue;
    if (network.room() == 0) {
      network.crowded = true;
      return;
    }
    if (copy.send_id != 0 || copy.next_at > turn.now) continue;
    std::optional<Bytes> envelope = store::sealed_envelope(turn.db, copy.id);
    if (!envelope) continue;
    ++copy.attempts;
    copy.sent_at = turn.now;
    copy.send_id = turn.send(network, contact, path, copy.id, std::move(*envelope));
  }
}

void set_timers(Turn& turn, Contact& contact) {
  int64_t at = Executor::kNever;
  // What is due already waits for something else than time: a path, room, an answer.
  const auto consider = [&](int64_t due) {
    if (due > turn.now) at = std::min(at, due);
  };
  consider(contact.ack_at);
  for (const Copy& copy : contact.copies) {
    if (copy.send_id == 0) consider(copy.next_at);
  }
  for (const PathEntry& path : contact.paths) {
    if (path.peer_state == WHERRY_PEER_STATE_UNREACHABLE) consider(path.connect_at);
  }
  if (at != Executor::kNever) turn.wake(contact, at);
}

int32_t drive(Turn& turn, Contact& contact, const ChosenPath& chosen) {
  Session* session = sending_session(turn.profile, contact);
  if (session == nullptr) {
    // Nobody is greeted for nothing, but for the session that a reset gave up.
    if (contact.waiting_count == 0 && contact.sessions.empty()) return WHERRY_REASON_NONE;
    const int32_t reason = greet(turn, contact);
    if (reason != WHERRY_REASON_NONE) return reason;
    session = sending_session(turn.profile, contact);
  }
  const Sender to{turn, contact, *session, *chosen.path, *chosen.network};
  if (session->stage == store::SessionStage::kUnanswered) {
    if (!session->first.empty()) {
      seal_greeting(to);
    } else {
      rewrap_strays(turn, contact, *session, *chosen.path);
      repeat_due(turn, contact, *chosen.path, *chosen.network);
    }
    return WHERRY_REASON_HANDSHAKE;
  }
  drop_strays(turn, contact, *chosen.path);
  repeat_due(turn, contact, *chosen.path, *chosen.network);
  if (session->ratchet.unsettled() >= limits::kUnsettledMax) {
    reset_sessions(turn, contact, WHERRY_REASON_NONE);
    return WHERRY_REASON_HANDSHAKE;
  }
  if (!session->ratchet.can_seal()) return WHERRY_REASON_HANDSHAKE;
  int sealed = 0;
  while (chosen.network->room() > 0 && sealed < limits::kSealsPerTurn &&
         session->ratchet.unsettled() < limits::kUnsettledMax && seal_next(to)) {
    ++sealed;
  }
  if (sealed == limits::kSealsPerTurn) turn.pump(contact);
  if (chosen.network->room() == 0) chosen.network->crowded = true;
  return next_is_too_large(turn, contact, *chosen.network) ? WHERRY_REASON_TOO_LARGE
                                                           : WHERRY_REASON_WINDOW;
}

}  // namespace

uint64_t sealed_floor(const Contact& contact, const Session& session) {
  uint64_t floor = session.ratchet.next_g();
  for (const Copy& copy : contact.copies) {
    if (copy.session == session.id) floor = std::min(floor, copy.g);
  }
  return floor;
}

void pump(Turn& turn, Contact& contact) {
  contact.pump = false;
  if (contact.row.state == WHERRY_CONTACT_STATE_REQUEST) return;
  refresh_paths(turn, contact);
  ensure_inboxes(turn, contact);
  const ChosenPath chosen = choose_path(turn, contact);
  if (chosen.path != nullptr) use_path(turn, contact, *chosen.path);
  send_probes(turn, contact, chosen);
  const int32_t reason = chosen.path == nullptr ? chosen.reason : drive(turn, contact, chosen);
  // What the network said of the last attempt tells more than that others wait behind it.
  const bool refused = reason == WHERRY_REASON_WINDOW || reason == WHERRY_REASON_HANDSHAKE;
  set_waiting(
      turn, contact,
      refused && contact.send_failure != WHERRY_REASON_NONE ? contact.send_failure : reason);
  tell_route(turn, contact);
  set_timers(turn, contact);
}

void on_sent(Turn& turn, Network& network, const SentReport& report) {
  const std::optional<Network::Flight> flight = network.end_flight(report.send_id);
  if (!flight) return;
  if (report.outcome == WHERRY_OUTCOME_HANDED) network.set_handed(report.send_id, *flight);
  Contact* contact = turn.profile.contact(flight->contact);
  const uint64_t id = flight->copy;
  if (network.crowded && network.room() >= limits::kInFlight / 2) {
    network.crowded = false;
    pump_all(turn);
  }
  if (contact == nullptr) return;
  const bool failed =
      report.outcome != WHERRY_OUTCOME_HANDED && report.outcome != WHERRY_OUTCOME_STORED;
  if (id == 0) {
    if (failed) {
      acknowledge_again(turn, *contact);
    } else if (report.outcome == WHERRY_OUTCOME_STORED) {
      contact->ack_failures = 0;  // what was only handed over may still fail
    }
    return;
  }
  const auto copy = std::ranges::find(contact->copies, id, &Copy::id);
  if (copy == contact->copies.end()) return;

  switch (report.outcome) {
    case WHERRY_OUTCOME_HANDED:
      copy->last = delivery::Attempt::kHanded;
      contact->send_failure = WHERRY_REASON_NONE;
      raise_evidence(turn, *contact, *copy, WHERRY_EVIDENCE_SENT);
      break;
    case WHERRY_OUTCOME_STORED:
      copy->last = delivery::Attempt::kStored;
      contact->send_failure = WHERRY_REASON_NONE;
      raise_evidence(turn, *contact, *copy, WHERRY_EVIDENCE_STORED);
      break;
    default:
      copy->last = delivery::Attempt::kFailed;
      contact->send_failure = report.reason;
      if (report.outcome == WHERRY_OUTCOME_FAILED_PERMANENT) {
        for (PathEntry& path : contact->paths) {
          if (path.transport == network.id() && path.endpoint.text == copy->endpoint) {
            path.peer_state = WHERRY_PEER_STATE_GONE;
          }
        }
      }
  }
  copy->send_id = 0;
  copy->next_at = turn.now + delivery::retry_delay_ms(copy->last, copy->attempts);
  turn.pump(*contact);
}

void acknowledge_again(Turn& turn, Contact& contact) {
  for (IncomingStream& stream : contact.streams) {
    stream.acknowledge = true;
    turn.changed(contact, stream);
  }
  const int64_t delay =
      delivery::retry_delay_ms(delivery::Attempt::kFailed, ++contact.ack_failures);
  contact.ack_at = std::min(contact.ack_at, turn.now + delay);
  turn.pump(contact);
}

void repeat_all(Turn& turn, Contact& contact) {
  for (Copy& copy : contact.copies) {
    if (copy.send_id == 0) copy.next_at = turn.now;
    copy.attempts = 0;
  }
  turn.pump(contact);
}

}  // namespace wherry::engine
