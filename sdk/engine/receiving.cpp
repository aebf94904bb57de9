// From a transport's envelope to an opened payload.
#include "engine/receiving.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/contacts.h"
#include "engine/greeting.h"
#include "engine/sending.h"
#include "engine/taking.h"

namespace wherry::engine {
namespace {

// The rows of one session, in the database.
class StoredKeys : public session::KeyLookup {
 public:
  StoredKeys(store::Connection& db, uint64_t session) : db_(db), session_(session) {}

  std::optional<session::KeyRow> find(const session::Tag& tag) override {
    const std::optional<store::RatchetKeyRow> row = store::ratchet_key_by_tag(db_, session_, tag);
    if (!row) return std::nullopt;
    Result<session::KeyRow> key = session::KeyRow::from_bytes(row->g, row->tag, row->value.view());
    if (!key) return std::nullopt;
    return key.take();
  }
  std::optional<uint64_t> first_skipped(uint64_t from) override {
    return store::ratchet_first_skipped(db_, session_, from);
  }
  uint32_t count_skipped(uint64_t below) override {
    return store::ratchet_count_skipped(db_, session_, below);
  }

 private:
  store::Connection& db_;
  uint64_t session_;
};

bool is_bucket(size_t size) {
  return std::ranges::find(limits::kBuckets, size) != limits::kBuckets.end();
}

// Far beyond the tags that are kept ready, or in no session at all.
bool open_by_trial(Turn& turn, Contact& contact, ByteView envelope) {
  const std::vector<uint64_t> ids(contact.sessions.rbegin(), contact.sessions.rend());
  for (uint64_t id : ids) {
    if (!contact.trials.spend(turn.now, 1000, limits::kHeaderTrialsPerSecond)) return false;
    if (open_in_session(turn, *turn.profile.session(id), {}, envelope)) return true;
  }
  return false;
}

// 0: it opens again.
void note_unopened(Turn& turn, Contact& contact, int64_t since_wall_ms) {
  auto resets = delivery::ResetBudget::from_bytes(contact.row.resets);
  resets.unopened_ms = since_wall_ms;
  contact.row.resets = resets.to_bytes();
  contact.stop_asking();
  contact.nothing_opens = since_wall_ms != 0;
  turn.changed(contact);
}

// If that was asked for, and what came since can not be opened either, a session is begun anew.
void ask_reseal(Turn& turn, Contact& contact) {
  const Session* session = sending_session(turn.profile, contact);
  if (session == nullptr || session->stage != store::SessionStage::kWorking) return;
  if (contact.nothing_opens) {
    const int64_t for_ms =
        turn.wall_ms - delivery::ResetBudget::from_bytes(contact.row.resets).unopened_ms;
    if (for_ms >= limits::kResealAskEvery_ms) {
      reset_sessions(turn, contact, WHERRY_REASON_NONE);
    } else if (for_ms < 0) {  // the clock went back
      note_unopened(turn, contact, turn.wall_ms);
    }
    return;
  }
  if (turn.now - contact.reseal_asked_at < limits::kResealAskEvery_ms) return;
  note_unopened(turn, contact, turn.wall_ms);
  ask_for_fresh_copies(turn, contact);
  turn.pump(contact);
}

void open_envelope(Turn& turn, const store::InboxRow& inbox, ByteView envelope) {
  Profile& profile = turn.profile;
  const auto found = profile.tags.find(session::tag_of(envelope));
  if (found) {
    Session* session = profile.session(found->session);
    // Nobody else has a reason to know this inbox.
    if (inbox.kind == store::InboxKind::kContact && inbox.owner != session->contact) return;
    if (open_in_session(turn, *session, found->place, envelope)) return;
  } else if (accept_greeting(turn, inbox, envelope)) {
    return;
  }
  if (inbox.kind != store::InboxKind::kContact) return;
  Contact* contact = profile.contact(inbox.owner);
  if (contact == nullptr) return;
  if (!found && open_by_trial(turn, *contact, envelope)) return;
  turn.log.write(LogLevel::kDebug, "an envelope could not be opened; a fresh copy is asked for");
  ask_reseal(turn, *contact);
}

}  // namespace

void ask_for_fresh_copies(Turn& turn, Contact& contact) {
  contact.reseal_asked_at = turn.now;
  contact.ask_reseal = true;
  contact.ack_at = turn.now;
  contact.ask_again_at = turn.now + (limits::kResealAskEvery_ms << contact.asked_again);
  if (++contact.asked_again > limits::kResealAsksMax) contact.ask_again_at = Executor::kNever;
}

void receive(Turn& turn, const Incoming& incoming) {
  turn.receipts.push_back({incoming.transport, {incoming.inbox, incoming.receipt}});
  if (mutant(Mutant::kReceiptBeforeCommit)) {
    turn.network(incoming.transport)->instance->ack(std::span(&turn.receipts.back().second, 1));
  }
  const auto inbox = turn.profile.inboxes.find(incoming.inbox);
  if (inbox == turn.profile.inboxes.end() || inbox->second.transport != incoming.transport ||
      !is_bucket(incoming.envelope.size())) {
    return;
  }
  turn.heard_over = incoming.transport;
  open_envelope(turn, inbox->second, incoming.envelope);
}

bool open_in_session(Turn& turn, Session& session, const session::Place& place, ByteView envelope) {
  StoredKeys keys(turn.db, session.id);
  Result<session::OpenStep> step = session::open(session.ratchet, place, envelope, keys);
  if (!step) return false;
  Contact& contact = *turn.profile.contact(session.contact);
  // Strangers have nothing more to say before they are answered (PROTOCOL §4.4).
  if (contact.row.state == WHERRY_CONTACT_STATE_REQUEST) return true;
  switch (step->outcome) {
    case session::Outcome::kBelowFloor:
      return true;
    case session::Outcome::kDuplicate:
      if (mutant(Mutant::kDuplicateUnanswered)) return true;
      // Its sender does not know that it came, unless there was nothing to acknowledge in it.
      if (const auto row =
              store::ratchet_key_by_tag(turn.db, session.id, session::tag_of(envelope));
          !row || !row->owed) {
        return true;
      }
      // As many as one envelope holds, the newest: what is older is told when it is said again.
      for (size_t i = 0; i < std::min(contact.streams.size(), limits::kAcksPerEnvelope); ++i) {
        contact.streams[contact.streams.size() - 1 - i].acknowledge = true;
      }
      contact.ack_at = std::min(contact.ack_at, turn.now + limits::kAckDelay_ms);
      turn.pump(contact);
      return true;
    case session::Outcome::kPeerRolledBack:
      // In a session that was given up this is known already.
      if (session.stage == store::SessionStage::kWorking) {
        reset_sessions(turn, contact, WHERRY_REASON_ROLLBACK_SUSPECTED);
      }
      return true;
    case session::Outcome::kOpened:
      break;
  }
  session.ratchet = std::move(*step->next);
  turn.profile.tags.update(session.id, session.ratchet, step->add);
  turn.changed(session);
  if (session.stage == store::SessionStage::kReceiveOnly) take_up_again(turn, contact, session);
  if (session.stage == store::SessionStage::kUnanswered) {
    session.stage = store::SessionStage::kWorking;
    contact.offer_reset = contact.offer_reset ||
                          !store::prekey_of(turn.db, store::PrekeyKind::kReset, contact.row.id);
    session.first.clear();
    session.fetch.clear();
    send_in(turn, contact, session);
    if (contact.row.state == WHERRY_CONTACT_STATE_ADDED) {
      set_contact_state(turn, contact, WHERRY_CONTACT_STATE_CONNECTED);
    }
  }
  take_step(turn, contact, session, *step);
  return true;
}

void take_step(Turn& turn, Contact& contact, Session& session, session::OpenStep& step) {
  if (contact.nothing_opens) note_unopened(turn, contact, 0);
  heard_from(turn, contact);
  session.heard = true;
  Result<message::Payload> payload = message::decode_payload(step.payload);
  const bool owed = payload && (!payload->records.empty() || payload->endpoints || payload->reset ||
                                payload->moved);
  for (const session::KeyRow& key : step.add) {
    store::RatchetKeyRow row{key.g, key.used, key.used && owed, key.tag, key.to_bytes()};
    if (!key.used && mutant(Mutant::kSkippedKeysDropped)) continue;
    store::ratchet_key_put(turn.db, session.id, row);
  }
  store::ratchet_keys_erase_below(turn.db, session.id, session.ratchet.peer_floor);
  // First of all: what they acknowledge is not what this disk sent.
  if (step.own_rollback && session.stage == store::SessionStage::kWorking &&
      contact.row.state != WHERRY_CONTACT_STATE_REQUEST) {
    reset_sessions(turn, contact, WHERRY_REASON_ROLLBACK_SUSPECTED);
  }
  if (!payload) {
    turn.complain(contact, "a contact sent a payload that does not follow the format");
    return;
  }
  take_payload(turn, contact, session, *payload);
}

}  // namespace wherry::engine
