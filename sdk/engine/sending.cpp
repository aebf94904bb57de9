// What is sent when.
#include "engine/sending.h"

#include <algorithm>

#include "base/limits.h"
#include "delivery/retry.h"
#include "engine/evidence.h"
#include "engine/greeting.h"
#include "engine/leaving.h"
#include "engine/moving.h"
#include "engine/paths.h"
#include "engine/receiving.h"
#include "engine/running.h"
#include "engine/sealing.h"

namespace wherry::engine {
namespace {

// The next message in order waits for a network that carries more.
bool next_is_too_large(Turn& turn, const Contact& contact, const Network& network) {
  if (contact.outbox.waiting == 0) return false;
  const std::vector<store::OutboxRow> next =
      store::outbox_unsealed(turn.db, contact.row.id, contact.outbox.unsealed_from, 1);
  return !next.empty() &&
         next.front().size + message::kRecordOverhead + kPayloadFrame > room_alone(network);
}

// Whether a whole window may be sealed anew, where a few bytes of the contact can have it done: not
// more often than they may ask for fresh copies. If not yet, the contact is looked at again then.
bool may_reseal(Turn& turn, Contact& contact) {
  const int64_t due = contact.resealed_at + limits::kResealEvery_ms;
  if (turn.now < due) {
    turn.wake(contact, due);
    return false;
  }
  contact.resealed_at = turn.now;
  return true;
}

// Whoever has no room forgets what came before its turn.
void seal_forgotten(Turn& turn, Contact& contact) {
  if (contact.outbox.forgotten == 0 || !may_reseal(turn, contact)) return;
  take_back_beyond_gap(turn.db, contact);
}

// A copy is bound to its endpoint: for another one its messages are sealed anew.
void drop_strays(Turn& turn, Contact& contact, const PathEntry& path) {
  if (std::ranges::all_of(contact.outbox.copies,
                          [&](const Copy& copy) { return is_for(copy, path); })) {
    return;
  }
  if (!may_reseal(turn, contact)) return;
  unseal(turn.db, contact, [&](const Copy& copy) { return !is_for(copy, path); });
  tell_again(turn, contact);
}

// A first envelope can not be sealed anew: for another endpoint it gets another wrap.
void rewrap_strays(Turn& turn, Contact& contact, const Session& session, const PathEntry& path) {
  for (Copy& copy : contact.outbox.copies) {
    if (is_for(copy, path)) continue;
    const std::optional<Bytes> stored = store::sealed_envelope(turn.db, copy.id);
    if (!stored) continue;
    Result<Bytes> fresh = session::rewrap_first(session.fetch, *stored, *turn.env.random);
    if (!fresh) continue;
    copy.transport = path.transport;
    copy.endpoint = path.endpoint.text;
    copy.send_id = 0;
    copy.next_at = turn.now;
    replace_copy(turn.db, contact, copy, *fresh);
  }
}

// The first copy whose messages their ratchet has, and which they have not acknowledged; 0: none.
uint64_t unacknowledged_copy(const Contact& contact, const Session& session) {
  const auto copy = std::ranges::find_if(contact.outbox.copies, [&](const Copy& one) {
    return one.has_messages() && is_settled(one, session);
  });
  return copy == contact.outbox.copies.end() ? 0 : copy->id;
}

// The same bytes are no news to them: one copy is sealed anew, which is enough to have all
// acknowledged.
void seal_for_missed_ack(const Sender& to) {
  MissedAck& missed = to.contact.missed_ack;
  if (missed.at > to.turn.now) return;
  missed.at = Executor::kNever;
  const uint64_t id = unacknowledged_copy(to.contact, to.session);
  if (id == 0) return;
  ++missed.count;
  missed.sealed_at = to.turn.now;
  // What else it carried has come.
  last_word_sent(to.turn, to.contact, id, true);
  unseal(to.turn.db, to.contact, [id](const Copy& one) { return one.id == id; });
  expect_acknowledgement(to.turn, to.contact);
}

void repeat_due(const Sender& to) {
  for (Copy& copy : to.contact.outbox.copies) {
    if (!is_for(copy, to.path)) continue;
    if (!to.network.has_room(to.contact.row.id)) return;
    repeat_copy(to, copy);
  }
}

void set_timers(Turn& turn, Contact& contact) {
  int64_t at = Executor::kNever;
  // What is due already waits for something else than time: a path, room, an answer.
  const auto consider = [&](int64_t due) {
    if (due > turn.now) at = std::min(at, due);
  };
  consider(contact.ack_at);
  consider(contact.missed_ack.at);
  consider(contact.ask_again_at);
  for (const Copy& copy : contact.outbox.copies) {
    if (copy.send_id == 0) consider(copy.next_at);
  }
  for (const PathEntry& path : contact.paths) {
    if (path.peer_state == WHERRY_PEER_STATE_UNREACHABLE) consider(path.connect_at);
  }
  if (at != Executor::kNever) turn.wake(contact, at);
}

// Nobody is greeted for nothing, but for the session that a reset gave up.
bool needs_session(const Contact& contact) {
  return contact.outbox.waiting != 0 || !contact.sessions.empty();
}

void send_greeting(const Sender& to) {
  if (!to.session.first.empty()) return seal_greeting(to);
  rewrap_strays(to.turn, to.contact, to.session, to.path);
  repeat_due(to);
}

// With neither a session to ask in nor a proven path to begin one by, both would wait for ever: so
// the first envelope goes to an endpoint that is not proven, as seldom as a probe would.
void greet_unproven(Turn& turn, Contact& contact) {
  Session* session = sending_session(turn.profile, contact);
  if (session == nullptr && needs_session(contact)) {
    if (greet(turn, contact) != WHERRY_REASON_NONE) return;
    session = sending_session(turn.profile, contact);
  }
  if (session == nullptr || session->stage != store::SessionStage::kUnanswered) return;
  for (PathEntry& path : contact.paths) {
    Network* network = turn.network(path.transport);
    if (!may_be_probed(contact, path) || network == nullptr || !network->online() ||
        !network->has_room(contact.row.id) || !spend_probe(turn, contact, path)) {
      continue;
    }
    for (Copy& copy : contact.outbox.copies) copy.next_at = std::min(copy.next_at, turn.now);
    return send_greeting({turn, contact, *session, path, *network});
  }
}

int32_t drive(Turn& turn, Contact& contact, const ChosenPath& chosen) {
  Session* session = sending_session(turn.profile, contact);
  if (session == nullptr) {
    if (!needs_session(contact)) return WHERRY_REASON_NONE;
    const int32_t reason = greet(turn, contact);
    if (reason != WHERRY_REASON_NONE) return reason;
    session = sending_session(turn.profile, contact);
  }
  const Sender to{turn, contact, *session, *chosen.path, *chosen.network};
  if (session->stage == store::SessionStage::kUnanswered) {
    send_greeting(to);
    return WHERRY_REASON_HANDSHAKE;
  }
  drop_strays(turn, contact, *chosen.path);
  seal_forgotten(turn, contact);
  seal_for_missed_ack(to);
  repeat_due(to);
  if (session->ratchet.unsettled() >= limits::kUnsettledMax) {
    reset_sessions(turn, contact, WHERRY_REASON_NONE);
    return WHERRY_REASON_HANDSHAKE;
  }
  if (!session->ratchet.can_seal()) return WHERRY_REASON_HANDSHAKE;
  int sealed = 0;
  while (chosen.network->room_for(contact.row.id) > 0 && sealed < limits::kSealsPerTurn &&
         session->ratchet.unsettled() < limits::kUnsettledMax && seal_next(to)) {
    ++sealed;
  }
  if (sealed == limits::kSealsPerTurn) turn.pump(contact);
  chosen.network->has_room(contact.row.id);
  return next_is_too_large(turn, contact, *chosen.network) ? WHERRY_REASON_TOO_LARGE
                                                           : WHERRY_REASON_WINDOW;
}

// What failed before on this network goes again.
void it_carries(Turn& turn, Contact& contact, uint64_t transport, uint64_t peer) {
  for (PathEntry& path : contact.paths) {
    if (path.transport != transport || path.peer != peer) continue;
    path.connects = path.heard = 0;
    path.succeeded_ms = turn.wall_ms;
  }
  repeat_failed(turn, contact, transport, Repeating::kAll, turn.now);
}

}  // namespace

void pump(Turn& turn, Contact& contact) {
  contact.pump = false;
  if (contact.row.state == WHERRY_CONTACT_STATE_REQUEST) return;
  if (contact.ask_again_at <= turn.now) ask_for_fresh_copies(turn, contact);
  refresh_paths(turn, contact);
  ensure_inboxes(turn, contact);
  say_last_word(turn, contact);
  const ChosenPath chosen = choose_path(turn, contact);
  if (chosen.path != nullptr) use_path(turn, contact, *chosen.path);
  send_probes(turn, contact, chosen);
  if (chosen.path == nullptr && !is_quiet(turn, contact)) greet_unproven(turn, contact);
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
  if (!failed) it_carries(turn, *contact, network.id(), flight->peer);
  if (id == kNoCopy) {
    // It may have waited for the room that this one took.
    if (contact->ack_at <= turn.now) turn.pump(*contact);
    if (failed) {
      acknowledge_again(turn, *contact);
    } else if (report.outcome == WHERRY_OUTCOME_STORED) {
      contact->ack_failures = 0;  // what was only handed over may still fail
    }
    return;
  }
  if (failed && id == kProbeCopy) answer_again(*contact);
  const auto copy = std::ranges::find(contact->outbox.copies, id, &Copy::id);
  if (copy == contact->outbox.copies.end()) return;
  last_word_sent(turn, *contact, id, !failed);

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
  copy->next_at = turn.now + copy->retry_delay_ms();
  turn.pump(*contact);
}

void expect_acknowledgement(Turn& turn, Contact& contact) {
  MissedAck& missed = contact.missed_ack;
  const Session* session = sending_session(turn.profile, contact);
  if (session == nullptr || unacknowledged_copy(contact, *session) == 0) {
    missed.at = Executor::kNever;
  } else if (missed.at == Executor::kNever) {
    const int64_t again =
        delivery::backoff_ms(limits::kMissedAckFirst_ms, limits::kMissedAckMax_ms, missed.count);
    missed.at = std::max(turn.now + limits::kMissedAckAfter_ms, missed.sealed_at + again);
    turn.pump(contact);
  }
}

void acknowledge_again(Turn& turn, Contact& contact) {
  for (IncomingStream& stream : contact.streams) {
    stream.acknowledge = true;
    turn.changed(contact, stream);
  }
  answer_again(contact);
  const int64_t delay =
      delivery::retry_delay_ms(delivery::Attempt::kFailed, ++contact.ack_failures);
  contact.ack_at = std::min(contact.ack_at, turn.now + delay);
  turn.pump(contact);
}

void repeat_failed(Turn& turn, Contact& contact, uint64_t transport, Repeating what, int64_t at) {
  for (Copy& copy : contact.outbox.copies) {
    const bool failed = copy.attempts != 0 && copy.last == delivery::Attempt::kFailed;
    if (copy.transport != transport || !failed || copy.send_id != 0) continue;
    // However often a link comes and goes, a window is not sent with each time.
    copy.next_at = std::min(copy.next_at, std::max(at, copy.sent_at + limits::kResealEvery_ms));
    turn.wake(contact, copy.next_at);
    if (what == Repeating::kFirst) return;
  }
}

void heard_from(Turn& turn, Contact& contact) {
  for (PathEntry& path : contact.paths) {
    if (path.transport == turn.heard_over) path.succeeded_ms = turn.wall_ms;
    // Whoever said that it never takes anything may have lied, or been put right.
    if (path.transport == turn.heard_over && path.peer_state == WHERRY_PEER_STATE_GONE &&
        path.connect_at <= turn.now) {
      path.peer_state = WHERRY_PEER_STATE_UNKNOWN;
      path.connect_at = turn.now + limits::kRetryFailedMax_ms;
      turn.pump(contact);
    }
    // Who can be heard and not be reached is dialled ever more seldom.
    const int64_t soon = turn.now + limits::kHeardAgain_ms * (path.heard + 1);
    if (path.transport != turn.heard_over || path.peer_state != WHERRY_PEER_STATE_UNREACHABLE ||
        path.connect_at <= soon) {
      continue;
    }
    path.connect_at = soon;
    ++path.heard;
    turn.wake(contact, soon);
  }
  repeat_failed(turn, contact, turn.heard_over, Repeating::kFirst,
                turn.now + limits::kHeardAgain_ms);
}

void repeat_all(Turn& turn, Contact& contact) {
  for (Copy& copy : contact.outbox.copies) {
    // However often a store is said to be lost, a window is not sent with each time.
    if (copy.send_id == 0) {
      const int64_t again =
          copy.attempts == 0 ? copy.next_at : copy.sent_at + limits::kResealEvery_ms;
      copy.next_at = std::max(turn.now, again);
      turn.wake(contact, copy.next_at);
    }
    copy.restart();
  }
  turn.pump(contact);
}

}  // namespace wherry::engine
