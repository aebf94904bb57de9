// The responder's side of a handshake: first envelopes at cards' and contacts' inboxes.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/limits.h"
#include "engine/contacts.h"
#include "engine/greeting.h"
#include "engine/receiving.h"

namespace wherry::engine {
namespace {

struct Candidate {
  store::PrekeyKind kind;
  uint64_t owner;
  Secret<32> fetch;
};

// The secrets under which a first envelope for this inbox may be wrapped.
std::vector<Candidate> candidates(Turn& turn, const store::InboxRow& inbox) {
  std::vector<Candidate> list;
  if (inbox.kind == store::InboxKind::kCard) {
    const auto card = turn.profile.cards.find(inbox.owner);
    if (card != turn.profile.cards.end()) {
      list.push_back({store::PrekeyKind::kCard, inbox.owner, card->second.row.fetch.clone()});
    }
  } else {
    // Used ones too: a repeat is known by them, and an old disk has no other.
    for (store::PrekeyRow& prekey : store::reset_prekeys(turn.db, inbox.owner)) {
      list.push_back({store::PrekeyKind::kReset, inbox.owner, std::move(prekey.fetch)});
    }
  }
  return list;
}

// Honest devices begin anew a few times a day. What is refused is repeated by its author, and
// accepted later.
bool may_begin(const Turn& turn, Contact& contact) {
  return contact.handshakes.spend(turn.now, 3600 * 1000, limits::kHandshakesPerHour);
}

// The contact who wrote; a new one, as a request, if there is room. Null: refused.
Contact* author(Turn& turn, const session::Accepted& accepted, const Candidate& candidate,
                size_t envelope_size) {
  Profile& profile = turn.profile;
  const Bytes32 identity = accepted.list.identity().bytes;
  if (identity == profile.identity.public_key().bytes) return nullptr;
  const auto known = profile.contact_by_identity.find(identity);
  if (known != profile.contact_by_identity.end()) {
    Contact* contact = profile.contact(known->second);
    if (contact->row.state == WHERRY_CONTACT_STATE_REQUEST &&
        (envelope_size > limits::kRequestEnvelopeMax ||
         contact->sessions.size() >= limits::kRequestGreetings)) {
      return nullptr;
    }
    if (candidate.kind == store::PrekeyKind::kReset && candidate.owner != contact->row.id) {
      return nullptr;
    }
    return takes_list(*contact, accepted.list) ? contact : nullptr;
  }
  if (candidate.kind == store::PrekeyKind::kReset) return nullptr;
  const auto requests = std::ranges::count_if(profile.contacts, [](const auto& entry) {
    return entry.second->row.state == WHERRY_CONTACT_STATE_REQUEST;
  });
  if (static_cast<size_t>(requests) >= limits::kRequestsMax ||
      envelope_size > limits::kRequestEnvelopeMax) {
    return nullptr;
  }
  return &add_contact(turn, identity, WHERRY_CONTACT_STATE_REQUEST, "");
}

// The same handshake again: its ratchet knows whether this is news. If it lost a collision and its
// author still repeats it, they do not have the session that won; but if anything came in that one
// since the last time, they have it, and this is only an old envelope. What comes in it later tells
// that as well: see take_up_again(). Each time costs as much as a handshake that is new.
void repeated(Turn& turn, Session& session, const session::FirstEnvelope& first) {
  Contact& contact = *turn.profile.contact(session.contact);
  if (session.stage == store::SessionStage::kReceiveOnly && contact.sessions.back() == session.id &&
      std::abs(turn.wall_ms - session.made_ms) > limits::kCollisionOver_ms) {
    Session* winner = sending_session(turn.profile, contact);
    const bool heard = winner != nullptr && std::exchange(winner->heard, false);
    if (!heard && may_begin(turn, contact)) {
      session.stage = store::SessionStage::kWorking;
      turn.changed(session);
      send_in(turn, contact, session);
      begin_stream(turn, contact);
    }
  }
  open_in_session(turn, session, {}, first.envelope);
}

// The session that the author of a handshake sent in before it.
Bytes32 follows_of(const session::Accepted& accepted) {
  const Result<message::Payload> payload = message::decode_payload(accepted.step.payload);
  return payload && payload->follows ? *payload->follows : Bytes32{};
}

// Whether a session with this contact was ever answered, so that streams had begun in it.
bool had_begun(const Profile& profile, const Contact& contact) {
  return std::ranges::any_of(contact.sessions, [&](uint64_t id) {
    const Session& session = *profile.sessions.at(id);
    return session.stage == store::SessionStage::kWorking || session.ratchet.receive_chains > 0;
  });
}

}  // namespace

bool accept_greeting(Turn& turn, const store::InboxRow& inbox, ByteView envelope) {
  for (Candidate& candidate : candidates(turn, inbox)) {
    Result<session::FirstEnvelope> first = session::peek_first(candidate.fetch, envelope);
    if (!first) continue;
    if (const std::optional<uint64_t> made = store::seen(turn.db, first->seen)) {
      if (Session* session = turn.profile.session(*made)) repeated(turn, *session, *first);
      return true;
    }
    std::optional<store::PrekeyRow> row = store::prekey(turn.db, first->prekey_id);
    if (!row || row->kind != candidate.kind || row->owner != candidate.owner) return false;
    Result<identity::Prekey> prekey = identity::Prekey::from_bytes(row->secret.view());
    if (!prekey) return false;
    Result<session::Accepted> accepted =
        session::accept(*first, turn.profile.identity.public_key(), turn.profile.device, *prekey);
    if (!accepted || accepted->step.outcome != session::Outcome::kOpened) return false;
    Contact* contact = author(turn, *accepted, candidate, envelope.size());
    if (contact == nullptr || !may_begin(turn, *contact)) return false;

    const bool anew = had_begun(turn.profile, *contact);
    auto made = std::make_unique<Session>();
    made->device = accepted->device.id();
    made->hash = accepted->hash;
    made->follows = follows_of(*accepted);
    made->made_ms = turn.wall_ms;
    made->ratchet = std::move(*accepted->step.next);
    Session& session = add_session(turn, *contact, std::move(made));
    contact->row.devices = accepted->list.bytes();
    turn.changed(*contact);
    if (row->kind == store::PrekeyKind::kReset) {
      if (row->used_ms == 0) {
        store::prekey_set_used(turn.db, *row, turn.wall_ms, limits::kUsedPrekeysKept);
      }
      contact->offer_reset = true;
    }
    store::seen_insert(turn.db, first->seen, row->id, session.id);
    const bool used = prefer_accepted(turn, *contact, session);
    if (used && anew) {
      begin_stream(turn, *contact);
      // Their count of generations may have begun anew as well.
      if (contact->theirs) contact->theirs->generation = 0;
      contact->moved.reset();
    }
    if (contact->row.state == WHERRY_CONTACT_STATE_ADDED) {
      set_contact_state(turn, *contact, WHERRY_CONTACT_STATE_CONNECTED);
    }
    contact->ack_at = turn.now;  // the answer: the other side waits for it
    take_step(turn, *contact, session, accepted->step);
    return true;
  }
  return false;
}

}  // namespace wherry::engine
