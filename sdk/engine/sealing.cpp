// Messages, acknowledgements and all else that travels become envelopes.
#include "engine/sealing.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/moving.h"
#include "engine/paths.h"
#include "identity/bundle.h"
#include "session/handshake.h"

namespace wherry::engine {
namespace {

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
  const std::vector<store::OutboxRow> next = next_to_seal(turn.db, contact);
  if (next.empty()) return {};
  size_t size = message::encode(payload).size() + kPayloadFrame;
  std::vector<store::OutboxRow> taken;
  for (const store::OutboxRow& row : next) {
    size += row.size + message::kRecordOverhead;
    if (size > (taken.empty() ? std::max(room, room_alone) : room)) break;
    const std::optional<store::MessageRow> message = store::message(turn.db, row.message);
    if (!message) break;
    payload.records.push_back(record_of(contact, *message, row.seq));
    taken.push_back(row);
  }
  return taken;
}

// With it the session has taken its step.
Result<session::SealStep> seal_payload(const Sender& to, const message::Payload& payload) {
  Result<session::SealStep> step =
      session::seal(to.session.ratchet, sealed_floor(to.contact, to.session, to.turn.now),
                    message::encode(payload), 0, *to.turn.env.random);
  if (!step) return step;
  to.session.ratchet = std::move(step->next);
  to.turn.changed(to.session);
  return step;
}

void send_and_keep(const Sender& to, session::SealStep& step,
                   const std::vector<store::OutboxRow>& rows, bool control) {
  Copy sealed;
  sealed.control = control;
  sealed.session = to.session.id;
  sealed.g = step.g;
  sealed.transport = to.path.transport;
  sealed.endpoint = to.path.endpoint.text;
  sealed.begin_attempt(to.turn.now);
  Copy& copy = keep_copy(to.turn, to.contact, std::move(sealed), rows, step.envelope);
  copy.send_id =
      to.turn.send(to.network, to.contact, to.path, copy.id, std::move(step.envelope), to.passing);
}

}  // namespace

uint64_t sealed_floor(const Contact& contact, const Session& session, int64_t now) {
  const uint64_t next = session.ratchet.next_g();
  uint64_t floor = next;
  for (const Copy& copy : contact.outbox.copies) {
    if (copy.session == session.id) floor = std::min(floor, copy.g);
  }
  // A probe goes by another network than what is said meanwhile, which may be faster.
  for (const PathEntry& path : contact.paths) {
    const Probe& probe = path.probe;
    const bool under_way = probe.waits() && probe.session == session.id &&
                           now - probe.sent_at < limits::kProbeRetryFirst_ms &&
                           next - probe.g < limits::kProbeOvertakenMax;
    if (under_way) floor = std::min(floor, probe.g);
  }
  return floor;
}

size_t room_alone(const Network& network) {
  const size_t largest = network.instance->description().envelope_size_max;
  return session::payload_room(session::largest_bucket(largest));
}

bool is_settled(const Copy& copy, const Session& session) {
  return copy.session == session.id && copy.g < session.ratchet.peer_received;
}

bool is_for(const Copy& copy, const PathEntry& path) {
  return (copy.transport == path.transport && copy.endpoint == path.endpoint.text) ||
         mutant(Mutant::kCopyToAnotherEndpoint);
}

void repeat_copy(const Sender& to, Copy& copy) {
  if (copy.send_id != 0 || copy.next_at > to.turn.now) return;
  std::optional<Bytes> envelope = store::sealed_envelope(to.turn.db, copy.id);
  if (!envelope) return;
  copy.begin_attempt(to.turn.now);
  copy.send_id =
      to.turn.send(to.network, to.contact, to.path, copy.id, std::move(*envelope), to.passing);
  // One without messages is settled once they have all that is below it. What was lost there they
  // take for late, until an envelope tells a newer floor than this copy does.
  const bool left = copy.last != delivery::Attempt::kFailed;
  if (!copy.has_messages() && left) to.contact.ack_at = to.turn.now;
}

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
  send_and_keep(to, *step, rows, payload.endpoints.has_value());
}

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
  Result<session::SealStep> step = seal_payload(to, payload);
  if (!step) {
    to.turn.log.error("an envelope could not be sealed: " + step.error().text);
    return false;
  }
  acknowledged(to.turn, to.contact);
  moving_told(to.contact);
  if (keep) {
    send_and_keep(to, *step, rows, control);
  } else {
    to.turn.send(to.network, to.contact, to.path, kNoCopy, std::move(step->envelope));
  }
  return true;
}

bool seal_alone(const Sender& to, const message::Payload& payload, Keep keep) {
  Result<session::SealStep> step = seal_payload(to, payload);
  if (!step) return false;
  if (keep == Keep::kYes) {
    send_and_keep(to, *step, {}, true);
  } else {
    to.turn.send(to.network, to.contact, to.path, kProbeCopy, std::move(step->envelope));
  }
  return true;
}

}  // namespace wherry::engine
