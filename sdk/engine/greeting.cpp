// The initiator's side, and what both sides do when sessions begin, collide and end.
#include "engine/greeting.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/evidence.h"
#include "engine/leaving.h"
#include "engine/moving.h"
#include "engine/paths.h"
#include "engine/permits.h"
#include "identity/bundle.h"

namespace wherry::engine {
namespace {

int32_t ask_for_bundle(Turn& turn, Contact& contact) {
  if (!contact.card) return WHERRY_REASON_HANDSHAKE;
  if (contact.card->expired(turn.wall_ms / 1000)) return WHERRY_REASON_EXPIRED;
  const store::TransportRow* row = turn.profile.transport_named(contact.card->transport);
  Network* network = row == nullptr ? nullptr : turn.network(row->id);
  if (network == nullptr) return WHERRY_REASON_NO_TRANSPORT;
  if (admission_of(turn.profile, contact, network->listening) != Admission::kPermitted) {
    return WHERRY_REASON_PERMITS;
  }
  if (!network->online()) return WHERRY_REASON_TRANSPORT_OFFLINE;
  const int32_t reason = contact.bundle_reason == WHERRY_REASON_NONE
                             ? static_cast<int32_t>(WHERRY_REASON_FETCHING_KEYS)
                             : contact.bundle_reason;
  if (contact.bundle_request != 0) return reason;
  if (contact.bundle_at > turn.now) {
    turn.wake(contact, contact.bundle_at);
    return reason;
  }
  contact.bundle_request = turn.runtime.next_request++;
  turn.calls.push_back([network, request = contact.bundle_request,
                        endpoint = contact.card->endpoint,
                        locator = identity::bundle_locator(contact.card->fetch_secret)] {
    network->get_bundle(request, endpoint, locator);
  });
  return reason;
}

void security_event(Turn& turn, const Contact& contact, int32_t reason) {
  store::EventRow event;
  event.type = WHERRY_EVENT_SECURITY;
  event.contact = contact.row.id;
  event.reason = reason;
  turn.add_event(event);
}

void retry_bundle(Turn& turn, Contact& contact, int32_t reason) {
  if (reason == WHERRY_REASON_FORGED && !contact.forgery_told) {
    contact.forgery_told = true;
    security_event(turn, contact, reason);
  }
  ++contact.bundle_tries;
  contact.bundle_reason = reason;
  contact.bundle_at =
      turn.now + delivery::backoff_ms(limits::kBundleRetryFirst_ms, limits::kBundleRetryMax_ms,
                                      contact.bundle_tries);
  turn.wake(contact, contact.bundle_at);
}

void forget_oldest(Turn& turn, Contact& contact) {
  std::vector<uint64_t> old;
  for (uint64_t id : contact.sessions) {
    const Session* session = turn.profile.session(id);
    if (session->stage == store::SessionStage::kReceiveOnly) old.push_back(id);
  }
  for (size_t i = 0; i + limits::kReceiveOnlyKept < old.size(); ++i) {
    std::erase(contact.sessions, old[i]);
    turn.profile.tags.remove(old[i]);
    turn.profile.sessions.erase(old[i]);
    store::session_delete(turn.db, old[i]);
  }
}

}  // namespace

void retire(Turn& turn, Session& session) {
  session.stage = store::SessionStage::kReceiveOnly;
  session.first.clear();
  session.fetch.clear();
  turn.changed(session);
}

Session* sending_session(Profile& profile, const Contact& contact) {
  for (auto id = contact.sessions.rbegin(); id != contact.sessions.rend(); ++id) {
    Session* session = profile.session(*id);
    if (session->stage != store::SessionStage::kReceiveOnly) return session;
  }
  return nullptr;
}

bool takes_list(const Contact& contact, const identity::DeviceList& offered) {
  const Result<identity::DeviceList> known = identity::DeviceList::parse(contact.row.devices);
  if (!known) return true;  // none yet
  const identity::ListChange change = identity::compare(*known, offered);
  return change == identity::ListChange::kSame || change == identity::ListChange::kNewer;
}

int32_t greet(Turn& turn, Contact& contact) {
  if (own_endpoints(turn, contact).empty()) return WHERRY_REASON_TRANSPORT_OFFLINE;
  if (contact.row.bundle.empty()) return ask_for_bundle(turn, contact);

  Result<identity::Bundle> bundle =
      identity::Bundle::parse(contact.row.bundle, crypto::VerifyKey(contact.row.identity));
  const bool usable =
      bundle && !bundle->expired(turn.wall_ms / 1000) && takes_list(contact, bundle->list);
  Result<session::Started> started =
      usable ? session::start(turn.profile.device, *turn.profile.list, *bundle, *turn.env.random)
             : Result<session::Started>(refuse(WHERRY_REASON_EXPIRED, "the bundle has expired"));
  // A reset bundle is for one use, and one that does not serve is fetched again.
  Secret<32> fetch = contact.row.bundle_fetch.bytes().empty() && contact.card
                         ? contact.card->fetch_secret.clone()
                         : Secret<32>(contact.row.bundle_fetch.view());
  contact.row.bundle.clear();
  contact.row.bundle_fetch.clear();
  turn.changed(contact);
  if (!started) {
    retry_bundle(turn, contact, started.error().reason);
    return contact.bundle_reason;
  }

  auto session = std::make_unique<Session>();
  session->device = bundle->device.id();
  session->mine = true;
  session->stage = store::SessionStage::kUnanswered;
  session->hash = started->hash;
  session->follows = contact.row.session;
  session->first = std::move(started->prefix);
  session->fetch = std::move(fetch);
  session->made_ms = turn.wall_ms;
  session->ratchet = std::move(started->ratchet);
  add_session(turn, contact, std::move(session));
  contact.row.devices = bundle->list.bytes();
  contact.bundle_tries = 0;
  contact.bundle_reason = WHERRY_REASON_NONE;
  contact.forgery_told = false;
  return WHERRY_REASON_NONE;
}

void on_bundle(Turn& turn, Contact& contact, const BundleReport& report) {
  contact.bundle_request = 0;
  turn.pump(contact);
  if (!contact.card || !contact.row.bundle.empty()) return;
  if (!report.found) {
    retry_bundle(turn, contact, report.reason);
    return;
  }
  Result<Bytes> opened = identity::open_bundle(contact.card->fetch_secret, report.bundle);
  if (opened) {
    Result<identity::Bundle> bundle =
        identity::Bundle::parse(*opened, crypto::VerifyKey(contact.row.identity));
    if (bundle && !takes_list(contact, bundle->list)) {
      bundle = refuse(WHERRY_REASON_FORGED, "the list of devices contradicts the known one");
    }
    if (bundle && !bundle->expired(turn.wall_ms / 1000)) {
      contact.row.bundle = opened.take();  // whether it serves, greet() finds out
      turn.changed(contact);
      return;
    }
    opened = bundle ? Result<Bytes>(refuse(WHERRY_REASON_EXPIRED, "")) : bundle.error();
  }
  retry_bundle(turn, contact, opened.error().reason);
}

Session& add_session(Turn& turn, Contact& contact, std::unique_ptr<Session> session) {
  Session& made = *session;
  made.contact = contact.row.id;
  store::SessionRow row;
  row.contact = made.contact;
  row.device = made.device;
  row.mine = made.mine;
  row.stage = made.stage;
  row.hash = made.hash;
  row.follows = made.follows;
  row.made_ms = made.made_ms;
  made.id = store::session_insert(turn.db, row);
  contact.sessions.push_back(made.id);
  turn.profile.tags.load(made.id, made.ratchet, {});
  turn.profile.sessions.emplace(made.id, std::move(session));
  turn.changed(made);
  return made;
}

void send_in(Turn& turn, Contact& contact, Session& chosen) {
  bool copies_stay = true;
  for (uint64_t id : contact.sessions) {
    Session* other = turn.profile.session(id);
    if (other == &chosen || other->stage == store::SessionStage::kReceiveOnly) continue;
    retire(turn, *other);
    copies_stay =
        copies_stay && std::ranges::none_of(contact.outbox.copies,
                                            [id](const Copy& copy) { return copy.session == id; });
  }
  contact.row.session = chosen.hash;
  turn.changed(contact);
  if (!copies_stay) void_copies(turn, contact);
  forget_oldest(turn, contact);
  turn.pump(contact);
}

bool prefer_accepted(Turn& turn, Contact& contact, Session& accepted) {
  Session* chosen = &accepted;
  for (uint64_t id : contact.sessions) {
    Session* other = turn.profile.session(id);
    const bool at_once = other->mine && other->stage != store::SessionStage::kReceiveOnly &&
                         other->follows == accepted.follows;
    if (at_once && other->hash < chosen->hash) chosen = other;
  }
  send_in(turn, contact, *chosen);
  return chosen == &accepted;
}

void take_up_again(Turn& turn, Contact& contact, Session& heard) {
  const Session* sending = sending_session(turn.profile, contact);
  const bool won = sending != nullptr && heard.mine && !sending->mine &&
                   heard.follows == sending->follows && heard.hash < sending->hash;
  if (!won) return;
  heard.stage = store::SessionStage::kWorking;
  turn.changed(heard);
  send_in(turn, contact, heard);
}

void begin_stream(Turn& turn, Contact& contact) {
  void_copies(turn, contact);
  if (mutant(Mutant::kResetKeepsNumbers)) return;
  contact.conversation.incarnation = turn.env.random->number();
  renumber_outbox(turn, contact);
}

void tell_again(Turn& turn, Contact& contact) {
  last_word_voided(turn, contact);
  contact.offer_reset = true;
  contact.tell_moved = contact.ways.moved_to != 0;
  answer_again(contact);
  if (!contact.announced) return;
  contact.announced->list.clear();
  contact.row.announced = contact.announced->to_bytes();
  turn.changed(contact);
}

void void_copies(Turn& turn, Contact& contact) {
  unseal(turn.db, contact, [](const Copy&) { return true; });
  // Control members may have been among them.
  tell_again(turn, contact);
  turn.pump(contact);
}

void reset_sessions(Turn& turn, Contact& contact, int32_t reason) {
  auto budget = delivery::ResetBudget::from_bytes(contact.row.resets);
  if (!budget.spend(turn.wall_ms)) {
    turn.complain(contact, "a contact's session was reset too often today; it stays as it is");
    return;
  }
  budget.unopened_ms = 0;  // what opens in the new session is not known yet
  contact.row.resets = budget.to_bytes();
  contact.stop_asking();
  turn.changed(contact);
  if (reason == WHERRY_REASON_ROLLBACK_SUSPECTED) security_event(turn, contact, reason);
  for (uint64_t id : contact.sessions) retire(turn, *turn.profile.session(id));
  begin_stream(turn, contact);
}

}  // namespace wherry::engine
