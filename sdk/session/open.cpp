// Opening: find the key, check the rules, and only when the body is authentic make the next state.
#include <algorithm>

#include "base/limits.h"
#include "crypto/hash.h"
#include "session/chain.h"
#include "session/ratchet.h"

namespace wherry::session {
namespace {

Error cannot_open() {
  return refuse(WHERRY_REASON_CANNOT_OPEN, "The envelope is not for this session, or damaged.");
}
Error malformed() {
  return refuse(WHERRY_REASON_MALFORMED, "The envelope is malformed.");
}
Error newer() {
  return refuse(WHERRY_REASON_VERSION, "The envelope is of a newer version.");
}
Error broken(const char* rule) {
  return refuse(WHERRY_REASON_PROTOCOL, rule);
}

OpenStep outcome(Outcome what, uint64_t g = 0) {
  OpenStep step;
  step.outcome = what;
  step.g = g;
  return step;
}

// What is kept of a used number. The body is left out: whoever carries an envelope could alter it,
// and would make a repeat look like another envelope under the same number.
Id128 mark_of(ByteView envelope) {
  return crypto::plain_hash<16>(envelope.first(kBodyAt));
}

// The skipped numbers of a state at or above a floor, one of them perhaps just used.
struct Missing {
  uint32_t count = 0;
  std::optional<uint64_t> lowest;
};

Missing missing_from(const Ratchet& state, uint64_t floor, std::optional<uint64_t> used,
                     KeyLookup& keys) {
  uint32_t gone = used ? 1 : 0;
  if (state.skipped > 0 && floor > state.received) gone += keys.count_skipped(floor);
  if (gone >= state.skipped) return {};

  Missing missing{state.skipped - gone, state.received};
  if (state.received < floor || state.received == used) {
    missing.lowest = keys.first_skipped(std::max(state.received, floor));
    if (missing.lowest && missing.lowest == used) missing.lowest = keys.first_skipped(*used + 1);
  }
  return missing;
}

// What every opened head says beside its keys. True if this device's own disk is old.
bool take_announcements(Ratchet& next, const Head& head, uint64_t floor) {
  next.peer_floor = floor;
  if (head.received > next.next_g()) return true;
  next.peer_received = std::max(next.peer_received, head.received);
  return false;
}

Result<OpenStep> open_stored(const Ratchet& state, const KeyRow& row, ByteView envelope,
                             KeyLookup& keys) {
  if (row.g < state.peer_floor) return outcome(Outcome::kBelowFloor);
  const Id128 mark = mark_of(envelope);
  if (row.used && row.mark == mark) return outcome(Outcome::kDuplicate, row.g);

  std::array<uint8_t, kHeadSize> head_bytes;
  if (!open_header(head_bytes, row.header_key, envelope)) return cannot_open();
  if (row.used) return outcome(Outcome::kPeerRolledBack);
  const std::optional<Head> head = Head::decode(head_bytes);
  if (!head) return newer();
  if (head->n != row.n) return malformed();
  if (head->floor > row.g) return broken("The floor is above the envelope's own number.");

  OpenStep step = outcome(Outcome::kOpened, row.g);
  const BodyResult body = open_body(step.payload, row.message_key, state.ad, envelope);
  if (body != BodyResult::kOk) return body == BodyResult::kMalformed ? malformed() : cannot_open();

  const uint64_t floor = std::max(state.peer_floor, head->floor);
  const Missing missing = missing_from(state, floor, row.g, keys);
  Ratchet& next = step.next.emplace(state.clone());
  next.skipped = missing.count;
  next.received = missing.lowest.value_or(next.next_receive_g());
  step.own_rollback = take_announcements(next, *head, floor);

  KeyRow& used = step.add.emplace_back(row.clone());
  used.used = true;
  used.message_key.clear();
  used.mark = mark;
  return step;
}

// The receiving half of a turn (PROTOCOL §5.3).
bool begin_receiving_chain(Ratchet& next, const Head& head) {
  std::optional<RootStep> step = root_step(next.root, next.ours.secret, head.ratchet_key);
  if (!step) return false;
  next.receive_base += next.receive_n;
  next.receive_n = 0;
  next.theirs = head.ratchet_key;
  next.root = std::move(step->root);
  next.receive_chain = std::move(step->chain);
  next.receive_header = std::move(next.receive_header_next);
  next.receive_header_next = HeaderKey(step->next_header.view());
  ++next.receive_chains;
  next.turn_due = true;
  return true;
}

// Moves along the receiving chain up to number n, and keeps the keys at or above the floor.
void skip_to(Ratchet& next, uint32_t n, uint64_t floor, std::vector<KeyRow>& add) {
  for (; next.receive_n < n; ++next.receive_n) {
    Secret<32> message_key = chain_step(next.receive_chain);
    if (next.next_receive_g() < floor) continue;
    KeyRow& row = add.emplace_back();
    row.g = next.next_receive_g();
    row.tag = next.receive_header.tag_for(next.receive_n);
    row.n = next.receive_n;
    row.header_key = next.receive_header.enc.clone();
    row.message_key = std::move(message_key);
  }
}

// An envelope that goes beyond what was received: of the current chain, or the first to come of the
// next one. Its header is authentic.
Result<OpenStep> open_ahead(const Ratchet& state, const Head& head, bool turns, ByteView envelope,
                            KeyLookup& keys) {
  const uint32_t old_chain_end = turns ? head.previous_length : state.receive_n;
  const uint64_t base = state.receive_base + (turns ? head.previous_length : 0);
  const uint64_t g = base + head.n;
  const uint64_t floor = std::max(state.peer_floor, head.floor);
  if (head.floor > g) return broken("The floor is above the envelope's own number.");
  if (g - state.next_receive_g() > limits::kSkipMax) return broken("Too many numbers are skipped.");
  if (g >= floor && g - floor >= limits::kKeysKeptMax)
    return broken("Too many keys are unsettled.");

  OpenStep step = outcome(Outcome::kOpened, g);
  Ratchet& next = step.next.emplace(state.clone());
  if (turns) {
    if (state.receive_chains > 0) skip_to(next, old_chain_end, floor, step.add);
    if (!begin_receiving_chain(next, head)) return malformed();
  }
  skip_to(next, head.n, floor, step.add);
  const Secret<32> message_key = chain_step(next.receive_chain);
  const BodyResult body = open_body(step.payload, message_key, state.ad, envelope);
  if (body != BodyResult::kOk) return body == BodyResult::kMalformed ? malformed() : cannot_open();
  ++next.receive_n;

  const Missing missing = missing_from(state, floor, std::nullopt, keys);
  const uint64_t first_new = std::max(state.next_receive_g(), floor);
  const uint64_t newly_skipped = g > first_new ? g - first_new : 0;
  next.skipped = missing.count + static_cast<uint32_t>(newly_skipped);
  next.received = missing.lowest.value_or(newly_skipped > 0 ? first_new : g + 1);
  step.own_rollback = take_announcements(next, head, floor);

  KeyRow& used = step.add.emplace_back();
  used.g = g;
  used.tag = tag_of(envelope);
  used.n = head.n;
  used.used = true;
  used.header_key = next.receive_header.enc.clone();
  used.mark = mark_of(envelope);
  return step;
}

Result<OpenStep> open_current(const Ratchet& state, const Head& head, ByteView envelope,
                              KeyLookup& keys) {
  if (head.ratchet_key != state.theirs) return outcome(Outcome::kPeerRolledBack);
  if (head.n >= state.receive_n) return open_ahead(state, head, false, envelope, keys);
  const std::optional<KeyRow> row = keys.find(tag_of(envelope));
  return row ? open_stored(state, *row, envelope, keys) : outcome(Outcome::kBelowFloor);
}

Result<OpenStep> open_next(const Ratchet& state, const Head& head, ByteView envelope,
                           KeyLookup& keys) {
  if (state.turn_due) return broken("The peer turned without an answer.");
  if (state.receive_chains == 0 && head.previous_length != 0) {
    return broken("There was no chain before the first.");
  }
  if (head.previous_length < state.receive_n) return outcome(Outcome::kPeerRolledBack);
  return open_ahead(state, head, true, envelope, keys);
}

}  // namespace

Result<OpenStep> open(const Ratchet& state, const Place& place, ByteView envelope,
                      KeyLookup& keys) {
  if (envelope.size() < kEnvelopeOverhead || envelope.size() > limits::kEnvelopeSizeMax) {
    return malformed();
  }
  const Tag tag = tag_of(envelope);
  if (place.kind == Place::Kind::kStored || place.kind == Place::Kind::kTrial) {
    if (const std::optional<KeyRow> row = keys.find(tag)) {
      return open_stored(state, *row, envelope, keys);
    }
    if (place.kind == Place::Kind::kStored) return outcome(Outcome::kBelowFloor);
  }

  std::array<uint8_t, kHeadSize> head_bytes;
  const bool is_current = place.kind != Place::Kind::kNext && state.receive_chains > 0 &&
                          open_header(head_bytes, state.receive_header.enc, envelope);
  if (!is_current && (place.kind == Place::Kind::kCurrent ||
                      !open_header(head_bytes, state.receive_header_next.enc, envelope))) {
    return cannot_open();
  }
  const std::optional<Head> head = Head::decode(head_bytes);
  if (!head) return newer();
  const HeaderKey& header = is_current ? state.receive_header : state.receive_header_next;
  const bool tag_fits =
      place.kind == Place::Kind::kTrial ? header.tag_for(head->n) == tag : head->n == place.n;
  if (!tag_fits) return malformed();
  return is_current ? open_current(state, *head, envelope, keys)
                    : open_next(state, *head, envelope, keys);
}

}  // namespace wherry::session
