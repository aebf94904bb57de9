// The window, and what leaves it.
#include "engine/outbox.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/evidence.h"
#include "engine/turn.h"

namespace wherry::engine {
namespace {

store::SealedRow row_of(const Contact& contact, const Copy& copy, const Bytes& envelope) {
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
  row.envelope = envelope;
  return row;
}

// Its messages that are still in it: of one that was acknowledged in part the others are elsewhere.
std::vector<store::OutboxRow> messages_of(store::Connection& db, uint64_t contact,
                                          const Copy& copy) {
  if (!copy.has_messages()) return {};
  std::vector<store::OutboxRow> rows =
      store::outbox_between(db, contact, copy.first_seq, copy.last_seq);
  std::erase_if(rows, [&](const store::OutboxRow& row) { return row.sealed != copy.id; });
  return rows;
}

// Each row that is acknowledged for the first time leaves the window: for good, or for as long as
// they lack one before it.
bool take_rows(Turn& turn, Contact& contact, const delivery::Acked& acked) {
  Outbox& outbox = contact.outbox;
  bool news = false;
  for (const store::OutboxRow& row :
       store::outbox_sealed(turn.db, contact.row.id, delivery::highest(acked))) {
    const bool was_beyond = row.sealed == store::kBeyondGap;
    const bool known = was_beyond && row.seq >= acked.next;
    if (known || !delivery::covers(acked, row.seq)) continue;
    news = true;
    raise_evidence(turn, contact, row.message, WHERRY_EVIDENCE_DELIVERED, WHERRY_REASON_NONE);
    // What is stored beyond a gap was not given to their app yet: if a reset comes before the gap
    // closes, it is said again in its place.
    const bool is_beyond = row.seq >= acked.next && !mutant(Mutant::kBeyondGapForgotten);
    if (is_beyond) {
      store::outbox_set_sealed(turn.db, contact.row.id, row.seq, row.seq, store::kBeyondGap);
      ++outbox.beyond_gap_messages;
      outbox.beyond_gap_bytes += row.size;
    } else {
      store::outbox_delete(turn.db, contact.row.id, row.seq, row.seq);
    }
    if (was_beyond) {
      --outbox.beyond_gap_messages;
      outbox.beyond_gap_bytes -= row.size;
    } else {
      --outbox.window_messages;
      outbox.window_bytes -= row.size;
    }
  }
  return news;
}

// `next` never falls, not even where an older acknowledgement comes later: so what they lack now
// and had stored before, they have forgotten.
void note_forgotten(store::Connection& db, uint64_t contact, Outbox& outbox, uint64_t next) {
  if (outbox.beyond_gap_messages == 0) return;
  const std::vector<store::OutboxRow> lacking = store::outbox_between(db, contact, next, next);
  if (!lacking.empty() && lacking.front().sealed == store::kBeyondGap) outbox.forgotten = next;
}

}  // namespace

void Copy::begin_attempt(int64_t now) {
  if (attempts != 0 && last != delivery::Attempt::kFailed) ++unanswered;
  ++attempts;
  sent_at = now;
}

void Copy::restart() {
  attempts = unanswered = 0;
}

int64_t Copy::retry_delay_ms() const {
  const bool failed = last == delivery::Attempt::kFailed;
  return delivery::retry_delay_ms(last, failed ? attempts - unanswered : unanswered + 1);
}

Outbox read_outbox(store::Connection& db, uint64_t contact, uint64_t next_seq) {
  Outbox outbox;
  for (store::SealedRow& row : store::sealed_of(db, contact)) {
    Copy copy;
    copy.id = row.id;
    copy.session = row.session;
    copy.g = row.g;
    copy.transport = row.transport;
    copy.endpoint = std::move(row.endpoint);
    copy.first_seq = row.first_seq;
    copy.last_seq = row.last_seq;
    copy.control = row.control;
    for (const store::OutboxRow& message : messages_of(db, contact, copy)) {
      ++outbox.window_messages;
      outbox.window_bytes += message.size;
    }
    outbox.copies.push_back(std::move(copy));
  }
  const std::vector<store::OutboxRow> first = store::outbox_unsealed(db, contact, 0, 1);
  outbox.unsealed_from = first.empty() ? next_seq : first.front().seq;
  outbox.waiting = store::outbox_waiting(db, contact);
  const store::BeyondGap beyond = store::outbox_beyond_gap(db, contact);
  outbox.beyond_gap_messages = beyond.messages;
  outbox.beyond_gap_bytes = beyond.bytes;
  // All below the lowest one is acknowledged: it is what they lack.
  note_forgotten(db, contact, outbox, store::outbox_first(db, contact));
  return outbox;
}

void add_to_outbox(Turn& turn, Contact& contact, uint64_t message, size_t size) {
  store::outbox_insert(turn.db, {contact.row.id, contact.conversation.next_seq, message, 0, size});
  ++contact.conversation.next_seq;
  ++contact.outbox.waiting;
  turn.changed_conversation(contact);
}

std::vector<store::OutboxRow> next_to_seal(store::Connection& db, const Contact& contact) {
  const Outbox& outbox = contact.outbox;
  if (outbox.waiting == 0) return {};
  if (outbox.copies.size() >= limits::kWindowEnvelopes && !mutant(Mutant::kWindowIgnored))
    return {};
  std::vector<store::OutboxRow> rows =
      store::outbox_unsealed(db, contact.row.id, outbox.unsealed_from, limits::kPackedMessages);
  const uint64_t first = store::outbox_first(db, contact.row.id);
  size_t bytes = outbox.window_bytes;
  size_t count = 0;
  for (const store::OutboxRow& row : rows) {
    bytes += row.size;
    const bool in_window =
        outbox.window_messages + count < limits::kWindowMessages && bytes <= limits::kWindowBytes;
    // What they can not keep before its turn would be lost: the same envelope is no news again.
    const bool is_kept = row.seq - first < limits::kReceiveAhead &&
                         bytes + outbox.beyond_gap_bytes <= limits::kAheadBytes;
    const bool in_order = count == 0 || row.seq == rows[count - 1].seq + 1;
    if (!in_order || !is_kept || !(in_window || mutant(Mutant::kWindowIgnored))) break;
    ++count;
  }
  rows.resize(count);
  return rows;
}

Copy& keep_copy(Turn& turn, Contact& contact, Copy copy, const std::vector<store::OutboxRow>& rows,
                const Bytes& envelope) {
  Outbox& outbox = contact.outbox;
  copy.id = turn.profile.next_sealed++;
  if (!rows.empty()) {
    copy.first_seq = rows.front().seq;
    copy.last_seq = rows.back().seq;
    store::outbox_set_sealed(turn.db, contact.row.id, copy.first_seq, copy.last_seq, copy.id);
    outbox.unsealed_from = copy.last_seq + 1;
    outbox.waiting -= rows.size();
    outbox.window_messages += rows.size();
    for (const store::OutboxRow& row : rows) outbox.window_bytes += row.size;
  }
  store::sealed_insert(turn.db, row_of(contact, copy, envelope));
  return outbox.copies.emplace_back(std::move(copy));
}

void replace_copy(store::Connection& db, const Contact& contact, const Copy& copy,
                  const Bytes& envelope) {
  store::sealed_delete(db, copy.id);
  store::sealed_insert(db, row_of(contact, copy, envelope));
}

bool take_acknowledged(Turn& turn, Contact& contact, const delivery::Acked& acked) {
  const bool news = take_rows(turn, contact, acked);
  note_forgotten(turn.db, contact.row.id, contact.outbox, acked.next);
  const auto has_come = [&](const Copy& copy) {
    return copy.has_messages() && delivery::covers_all(acked, copy.first_seq, copy.last_seq);
  };
  for (Copy& copy : contact.outbox.copies) {
    // They may have had these messages by another copy, and nothing else of this one.
    if (has_come(copy) && copy.control && !mutant(Mutant::kControlForgotten)) {
      copy.first_seq = copy.last_seq = 0;
      store::sealed_keep_control(turn.db, copy.id);
    } else if (copy.has_messages() && copy.last_seq < delivery::highest(acked) &&
               copy.send_id == 0) {
      // Once soon; who names a gap again and again has a window no more often than by `reseal`.
      // They are there: what is repeated for them is no step of the schedule for those who are not.
      const int64_t again = copy.attempts <= 1 ? limits::kGapRepeat_ms : limits::kResealEvery_ms;
      copy.next_at = std::min(copy.next_at, copy.sent_at + again);
      copy.attempts = std::min(copy.attempts, 2);
      copy.unanswered = std::min(copy.unanswered, 1);
    }
  }
  drop_copies(turn.db, contact, has_come);
  return news;
}

void drop_copies(store::Connection& db, Contact& contact,
                 const std::function<bool(const Copy& copy)>& is_dropped) {
  std::erase_if(contact.outbox.copies, [&](const Copy& copy) {
    if (!is_dropped(copy)) return false;
    store::sealed_delete(db, copy.id);
    return true;
  });
}

void unseal(store::Connection& db, Contact& contact,
            const std::function<bool(const Copy& copy)>& is_void) {
  Outbox& outbox = contact.outbox;
  for (const Copy& copy : outbox.copies) {
    if (!is_void(copy)) continue;
    for (const store::OutboxRow& row : messages_of(db, contact.row.id, copy)) {
      store::outbox_set_sealed(db, contact.row.id, row.seq, row.seq, 0);
      --outbox.window_messages;
      outbox.window_bytes -= row.size;
      ++outbox.waiting;
      outbox.unsealed_from = std::min(outbox.unsealed_from, row.seq);
    }
  }
  drop_copies(db, contact, is_void);
}

void take_back_beyond_gap(store::Connection& db, Contact& contact) {
  Outbox& outbox = contact.outbox;
  const uint64_t first = std::exchange(outbox.forgotten, 0);
  if (outbox.beyond_gap_messages == 0) return;
  store::outbox_take_back_beyond_gap(db, contact.row.id);
  outbox.waiting += std::exchange(outbox.beyond_gap_messages, 0);
  outbox.beyond_gap_bytes = 0;
  outbox.unsealed_from = std::min(outbox.unsealed_from, first);
}

void renumber_outbox(Turn& turn, Contact& contact) {
  contact.conversation.next_seq = store::outbox_renumber(turn.db, contact.row.id);
  contact.outbox.unsealed_from = 1;
  contact.outbox.waiting = contact.conversation.next_seq - 1;
  contact.outbox.beyond_gap_messages = 0;
  contact.outbox.beyond_gap_bytes = 0;
  contact.outbox.forgotten = 0;
  turn.changed_conversation(contact);
}

}  // namespace wherry::engine
