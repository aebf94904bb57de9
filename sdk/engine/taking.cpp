// The members of a payload (PROTOCOL §6), each with its own rule.
#include "engine/taking.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "codec/utf8.h"
#include "conversation/order.h"
#include "engine/greeting.h"
#include "engine/leaving.h"
#include "engine/moving.h"
#include "engine/paths.h"
#include "engine/sealing.h"
#include "engine/sending.h"

namespace wherry::engine {
namespace {

IncomingStream& stream_of(Turn& turn, Contact& contact, const Id128& device, uint64_t incarnation) {
  for (IncomingStream& stream : contact.streams) {
    if (stream.device == device && stream.incarnation == incarnation) return stream;
  }
  // Honest devices begin a new incarnation at a reset, a few a day at most. What an old one says
  // again is still known by its id.
  if (contact.streams.size() >= limits::kStreamsPerContact) {
    const IncomingStream& oldest = contact.streams.front();
    contact.early_bytes -= store::stream_delete(
        turn.db, {contact.row.conversation, oldest.device, oldest.incarnation, 0, {}, false});
    contact.streams.erase(contact.streams.begin());
  }
  contact.streams.push_back({device, incarnation, {}, false, false});
  return contact.streams.back();
}

// What other streams hold before its turn gives way, as that of an incarnation that ended and will
// never be complete. A device that goes on in one of them learns what was forgotten by what is
// acknowledged, and sends it again.
void forget_early(Turn& turn, Contact& contact, const IncomingStream& stays) {
  for (IncomingStream& stream : contact.streams) {
    if (&stream == &stays || stream.stream.beyond.empty()) continue;
    contact.early_bytes -= store::early_forget(
        turn.db, {contact.row.conversation, stream.device, stream.incarnation, 0, {}, false});
    stream.stream.beyond.clear();
    turn.changed(contact, stream);
  }
}

// Gives a message its place in the history and in the feed.
void deliver(Turn& turn, Contact& contact, const Id128& device, uint64_t transport,
             message::Record& record) {
  store::ConversationRow& conversation = contact.conversation;
  const int64_t rank = conversation::rank(device);
  uint64_t clock =
      mutant(Mutant::kClockTrusted)
          ? record.clock
          : conversation::bounded_clock(record.clock, conversation.sent, conversation.received);
  const bool shown = record.content != message::kVoid &&
                     !turn.profile.message_ids.find(turn.db, conversation.id, record.id);
  // No honest author's clock falls back behind a message of theirs.
  if (shown) {
    clock = std::max(clock, store::message_last_clock(turn.db, conversation.id, rank) + 1);
  }
  ++conversation.received;
  conversation.clock = std::max(conversation.clock, clock);
  turn.changed_conversation(contact);
  if (!shown) return;
  store::MessageRow row;
  row.conversation = conversation.id;
  row.author = contact.row.id;
  row.mid = record.id;
  row.clock = clock;
  row.rank = rank;
  row.content = record.content;
  if (row.content == WHERRY_CONTENT_TEXT && !codec::utf8_valid(as_text(record.body))) {
    row.content = WHERRY_CONTENT_DATA;
  }
  const bool known = row.content == WHERRY_CONTENT_TEXT || row.content == WHERRY_CONTENT_DATA;
  row.reason = known ? WHERRY_REASON_NONE : WHERRY_REASON_UNKNOWN_CONTENT;
  row.evidence = WHERRY_EVIDENCE_DELIVERED;
  row.sent_ms = record.sent_ms;
  row.received_ms = turn.wall_ms;
  row.transport = transport;
  row.body = std::move(record.body);
  turn.insert(row);
  conversation.last_message = row.id;
  store::EventRow event;
  event.type = WHERRY_EVENT_MESSAGE;
  event.contact = contact.row.id;
  event.conversation = conversation.id;
  event.message = row.id;
  turn.add_event(event, std::move(row));
}

void take_record(Turn& turn, Contact& contact, const Session& session, message::Record& record) {
  // Groups and messages passed on for other devices are not built: their sender keeps them.
  if (record.conversation || (record.device && *record.device != session.device)) return;
  IncomingStream& stream = stream_of(turn, contact, session.device, record.incarnation);
  const store::StreamRow key{contact.row.conversation, stream.device, stream.incarnation, 0, {}};
  const delivery::Arrival arrival = delivery::classify(stream.stream, record.seq);
  if (arrival == delivery::Arrival::kTooFar) return;
  const Bytes early = arrival == delivery::Arrival::kEarly ? message::encode(record) : Bytes();
  stream.acknowledge = true;
  ++contact.ack_messages;
  const auto fits = [&] { return contact.early_bytes + early.size() <= limits::kEarlyBytesMax; };
  if (!fits()) forget_early(turn, contact, stream);
  if (!fits()) {
    turn.complain(contact, "a contact sent too much before its turn; ignored");
    return;
  }
  if (arrival == delivery::Arrival::kDuplicate) {
    if (mutant(Mutant::kDedupeSkipped)) {
      record.id[0] ^= 1;
      deliver(turn, contact, session.device, turn.heard_over, record);
    }
    return;
  }
  delivery::admit(stream.stream, record.seq);
  turn.changed(contact, stream);
  if (arrival == delivery::Arrival::kEarly) {
    if (mutant(Mutant::kEarlyDropped)) return;
    store::early_put(turn.db, key, {record.seq, turn.heard_over, early});
    contact.early_bytes += early.size();
    return;
  }
  const uint64_t first_early = record.seq + 1;
  deliver(turn, contact, session.device, turn.heard_over, record);
  for (uint64_t seq = first_early; seq < stream.stream.next; ++seq) {
    const std::optional<store::EarlyRow> row = store::early_take(turn.db, key, seq);
    if (!row) continue;
    contact.early_bytes -= row->record.size();
    if (Result<message::Record> kept = message::decode_record(row->record)) {
      deliver(turn, contact, session.device, row->transport, *kept);
    }
  }
}

bool is_of(const Contact& contact, const message::Ack& ack) {
  return !ack.conversation && !ack.device && ack.incarnation == contact.conversation.incarnation;
}

void take_acknowledgement(Turn& turn, Contact& contact, const message::Ack& ack) {
  delivery::Acked acked{ack.next, {}};
  for (const message::AckRange& range : ack.ranges) acked.ranges.push_back({range.from, range.to});
  const uint64_t end = delivery::highest(acked);
  if (end >= contact.conversation.next_seq) {
    turn.complain(contact, "a contact acknowledges messages that were never sent; ignored");
    return;
  }
  // Nobody stores further ahead than this.
  if (end >= acked.next + limits::kReceiveAhead) {
    turn.complain(contact, "a contact acknowledges messages too far ahead; ignored");
    return;
  }
  if (take_acknowledged(turn, contact, acked)) contact.missed_ack.count = 0;
  turn.pump(contact);
}

// Copies without messages are settled by the ratchet's own numbers.
void settle_control(Turn& turn, Contact& contact, const Session& session) {
  drop_copies(turn.db, contact, [&](const Copy& copy) {
    if (copy.has_messages() || !is_settled(copy, session)) return false;
    last_word_sent(turn, contact, copy.id, true);
    return true;
  });
}

void take_endpoints(Turn& turn, Contact& contact, const Session& session,
                    message::Endpoints& endpoints) {
  contact.ack_at = std::min(contact.ack_at, turn.now + limits::kAckDelay_ms);
  turn.pump(contact);
  const bool old = contact.theirs && endpoints.generation <= contact.theirs->generation;
  // Generations are counted anew after a reset: an envelope from before it is not news.
  const bool superseded = is_superseded(contact, session, contact.theirs_session);
  if (endpoints.list.empty() || superseded || (old && !mutant(Mutant::kOldSetTaken))) return;
  contact.theirs_session = session.id;
  const auto heard = turn.profile.transports.find(turn.heard_over);
  contact.ways.renew(contact.theirs ? &*contact.theirs : nullptr, endpoints,
                     heard == turn.profile.transports.end() ? "" : heard->second.name,
                     [&] { return may_knock(turn, contact); });
  contact.row.ways = contact.ways.to_bytes();
  contact.quiet_until = 0;
  contact.row.endpoints = endpoints.to_bytes();
  contact.theirs = std::move(endpoints);
  turn.changed(contact);
}

void take_reset(Turn& turn, Contact& contact, message::ResetOffer& offer) {
  contact.ack_at = std::min(contact.ack_at, turn.now + limits::kAckDelay_ms);
  turn.pump(contact);
  Result<identity::Bundle> bundle =
      identity::Bundle::parse(offer.bundle, crypto::VerifyKey(contact.row.identity));
  if (!bundle || !takes_list(contact, bundle->list)) {
    turn.complain(contact, "a contact sent a reset bundle that does not check; ignored");
    return;
  }
  contact.row.bundle = std::move(offer.bundle);
  contact.row.bundle_fetch = SecretBytes(Bytes(offer.fetch.begin(), offer.fetch.end()));
  turn.changed(contact);
}

}  // namespace

void take_payload(Turn& turn, Contact& contact, const Session& session, message::Payload& payload) {
  probe_again(turn, contact, 0);
  if (payload.probe) take_probe(turn, contact, *payload.probe);
  take_answers(turn, contact, payload.answers);
  if (payload.endpoints) take_endpoints(turn, contact, session, *payload.endpoints);
  if (payload.moved) take_moved(turn, contact, session, *payload.moved);
  if (payload.reset) take_reset(turn, contact, *payload.reset);
  // Of one stream once.
  const auto ack = std::ranges::find_if(
      payload.acks, [&](const message::Ack& one) { return is_of(contact, one); });
  if (ack != payload.acks.end()) take_acknowledgement(turn, contact, *ack);
  settle_control(turn, contact, session);
  expect_acknowledgement(turn, contact);
  for (message::Record& record : payload.records) take_record(turn, contact, session, record);
  retire_inboxes(turn, contact);
  if (!payload.records.empty()) {
    const int64_t delay = contact.ack_messages >= limits::kAckMessages ? 0 : limits::kAckDelay_ms;
    contact.ack_at = std::min(contact.ack_at, turn.now + delay);
    turn.pump(contact);
  }
  if (payload.reseal && turn.now - contact.resealed_at >= limits::kResealEvery_ms) {
    // While a handshake is unanswered its first envelope is all that is sent, and there is no
    // other.
    const Session* sending = sending_session(turn.profile, contact);
    if (sending != nullptr && sending->stage == store::SessionStage::kUnanswered) return;
    contact.resealed_at = turn.now;
    void_copies(turn, contact);
  }
}

}  // namespace wherry::engine
