// A turn's bookkeeping.
#include "engine/turn.h"

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/permits.h"

namespace wherry::engine {

Network* Turn::network(uint64_t transport) {
  const auto found = runtime.networks.find(transport);
  return found == runtime.networks.end() ? nullptr : found->second.get();
}

void Turn::pump(Contact& contact) {
  if (contact.pump) return;
  contact.pump = true;
  runtime.pump.push_back(contact.row.id);
}

void Turn::wake(Contact& contact, int64_t at) {
  if (at >= contact.wake_at) return;
  if (contact.wake_at != Executor::kNever) {
    runtime.timers.erase({contact.wake_at, contact.row.id});
  }
  contact.wake_at = at;
  runtime.timers.emplace(at, contact.row.id);
}

void Turn::complain(Contact& contact, const std::string& what) const {
  if (now - contact.complained_at < limits::kComplainEvery_ms) return;
  contact.complained_at = now;
  log.warning(what);
}

void Turn::insert(store::MessageRow& message) {
  message.id = profile.next_message++;
  store::message_insert(db, message);
  profile.message_ids.add(db, message.conversation, message.mid, message.id);
}

uint64_t Turn::add_event(store::EventRow event) {
  event.seq = profile.next_event++;
  store::event_insert(db, event);
  return event.seq;
}

void Turn::add_event(store::EventRow event, store::MessageRow message) {
  event.seq = add_event(event);
  events.push_back({event, std::move(message), std::nullopt, {}});
}

void Turn::open_inbox(Network& network, const store::InboxRow& inbox) {
  calls.push_back(
      [&network, id = inbox.id, secret = to_array<32>(inbox.secret.view()), kind = inbox.kind] {
        network.inboxes.insert(id);
        network.open_inbox(id, Secret<32>(secret), kind);
      });
}

uint64_t Turn::send(Network& network, Contact& contact, const PathEntry& path, uint64_t copy,
                    Bytes envelope, Passing passing) {
  const Admission admission = admission_of(profile, contact, path.reveals);
  const bool may_pass = admission == Admission::kPermitted ||
                        (admission == Admission::kLastWord && passing == Passing::kLastWord);
  if (!may_pass && !mutant(Mutant::kAcksUnpermitted)) {
    log.error("an envelope was about to leave by a path that is not permitted; it is held back");
    return 0;
  }
  note_revealed(*this, contact, path.reveals);
  const uint64_t send_id = runtime.next_send++;
  network.begin_flight(send_id, {contact.row.id, path.peer, copy});
  sends.push_back({network.id(), path.peer, send_id, std::move(envelope)});
  return send_id;
}

void Turn::remember(Contact& contact) {
  if (contact.changed) return;
  contact.changed = true;
  changed_contacts_.push_back(contact.row.id);
}

void Turn::changed(Contact& contact) {
  contact.row_changed = true;
  remember(contact);
}

void Turn::changed_conversation(Contact& contact) {
  contact.conversation_changed = true;
  remember(contact);
}

void Turn::changed(Contact& contact, IncomingStream& stream) {
  stream.changed = true;
  remember(contact);
}

void Turn::changed(Session& session) {
  if (session.changed) return;
  session.changed = true;
  changed_sessions_.push_back(session.id);
}

namespace {

void save_session(store::Connection& db, Session& session) {
  store::SessionRow row;
  row.id = session.id;
  row.stage = session.stage;
  row.first = SecretBytes(session.first);
  row.fetch = session.fetch.clone();
  row.state = session.ratchet.to_bytes();
  store::session_update(db, row);
  session.changed = false;
}

void save_contact(store::Connection& db, Contact& contact) {
  if (contact.row_changed) store::contact_update(db, contact.row);
  if (contact.conversation_changed) store::conversation_update(db, contact.conversation);
  for (IncomingStream& stream : contact.streams) {
    if (!stream.changed) continue;
    store::stream_put(db, {contact.row.conversation, stream.device, stream.incarnation,
                           stream.stream.next, stream.stream.to_bytes(), stream.acknowledge});
    stream.changed = false;
  }
  contact.changed = contact.row_changed = contact.conversation_changed = false;
}

}  // namespace

void Turn::save() {
  for (uint64_t id : changed_sessions_) {
    Session* session = profile.session(id);
    if (session == nullptr) continue;
    // Once begun: without any row the profile would not even open.
    if (session->ratchet.next_g() > 2 && mutant(Mutant::kRatchetNotSaved)) continue;
    save_session(db, *session);
  }
  for (uint64_t id : changed_contacts_) {
    if (Contact* contact = profile.contact(id)) save_contact(db, *contact);
  }
  changed_sessions_.clear();
  changed_contacts_.clear();
}

void Turn::withdraw() {
  for (auto& [id, made] : runtime.networks) {
    if (made->created_only()) made->destroy();
  }
}

}  // namespace wherry::engine
