// Commands on transports, contacts and messages.
#include "engine/commands.h"

#include "base/limits.h"
#include "base/mutant.h"
#include "conversation/order.h"
#include "crypto/hash.h"
#include "engine/contacts.h"
#include "engine/greeting.h"
#include "engine/paths.h"
#include "engine/running.h"
#include "engine/settings.h"

namespace wherry::engine {
namespace {

Error not_found(const char* what) {
  return fail(WHERRY_E_NOT_FOUND, std::string("there is no ") + what + " with this id");
}

void rename(Turn& turn, Contact& contact, const std::optional<std::string>& name) {
  if (!name) return;
  contact.row.name = *name;
  turn.changed(contact);
}

// Whether any of the ways that they told might work.
bool may_reach(Turn& turn, Contact& contact) {
  refresh_paths(turn, contact);
  return std::ranges::any_of(contact.paths,
                             [](const PathEntry& path) { return path.works_since != 0; });
}

// Theirs lead nowhere any more; what they permit holds on.
void forget_endpoints(Contact& contact) {
  if (!contact.theirs) return;
  contact.theirs->list.clear();
  contact.row.endpoints = contact.theirs->to_bytes();
}

}  // namespace

Result<uint64_t> add_transport(Turn& turn, const plugin::PluginSet& plugins,
                               const std::string& name, const plugin::Settings& settings) {
  const wherry_transport_plugin* table = plugins.find(name);
  if (table == nullptr) {
    return fail(WHERRY_E_NOT_FOUND, "there is no transport '" + name +
                                        "': link its library and give its plug-in at opening");
  }
  if (turn.profile.transport_named(name) != nullptr) {
    return fail(WHERRY_E_EXISTS,
                "the transport '" + name + "' is configured already: change its settings instead");
  }
  Result<plugin::Settings> full = plugin::complete(*table->describe(), settings);
  if (!full) return full.error();
  // Only the plug-in can tell whether an address is one; what else it says now is for nobody.
  Inputs unheard(*turn.env.executor);
  Network trial(0, *table, unheard, turn.log, {});
  if (Status taken = trial.try_settings(*full); !taken) return taken.error();
  store::TransportRow row;
  row.name = name;
  row.settings = settings_to_bytes(*full);
  row.id = store::transport_insert(turn.db, row);
  const uint64_t id = row.id;
  turn.profile.transports.emplace(id, std::move(row));
  return id;
}

Status set_transport(Turn& turn, const plugin::PluginSet& plugins, uint64_t transport,
                     const plugin::Settings& changes) {
  const auto found = turn.profile.transports.find(transport);
  if (found == turn.profile.transports.end()) return not_found("transport");
  store::TransportRow& row = found->second;
  const wherry_transport_plugin* table = plugins.find(row.name);
  if (table == nullptr) return not_found("plug-in for the transport");
  Result<plugin::Settings> settings = settings_from_bytes(row.settings);
  if (!settings) return settings.error();
  for (const auto& [name, value] : changes) (*settings)[name] = value;
  Result<plugin::Settings> full = plugin::complete(*table->describe(), *settings);
  if (!full) return full.error();
  Network* network = turn.network(transport);
  if (network != nullptr) {
    if (Status taken = network->try_settings(*full); !taken) return taken;
  }
  row.settings = settings_to_bytes(*full);
  store::transport_update(turn.db, row);
  // keep_networks() starts it again with these.
  if (network != nullptr) {
    network->listening = network->listening_with(*full);
    restart_network(turn, *network);
  }
  return {};
}

Status run_transport(Turn& turn, uint64_t transport, bool started) {
  const auto found = turn.profile.transports.find(transport);
  if (found == turn.profile.transports.end()) return not_found("transport");
  Network* network = turn.network(transport);
  if (network == nullptr) {
    return fail(WHERRY_E_NOT_FOUND, "the transport's plug-in was not given at opening");
  }
  if (started) {
    if (Status done = start_network(turn, *network); !done) return done;
  } else {
    stop_network(turn, *network);
  }
  found->second.started = started;
  store::transport_update(turn.db, found->second);
  return {};
}

Result<uint64_t> add_by_card(Turn& turn, const std::string& text,
                             const std::optional<std::string>& name) {
  Result<identity::Card> card = identity::Card::parse(text);
  if (!card) return card.error();
  if (card->identity == turn.profile.identity.public_key()) {
    return fail(WHERRY_E_CARD_OWN, "this card is your own: give it to somebody else");
  }
  if (card->expired(turn.wall_ms / 1000)) {
    return Error{WHERRY_E_CARD_EXPIRED, WHERRY_REASON_EXPIRED,
                 "the card has expired: ask for a new one"};
  }
  const auto known = turn.profile.contact_by_identity.find(card->identity.bytes);
  Contact& contact =
      known == turn.profile.contact_by_identity.end()
          ? add_contact(turn, card->identity.bytes, WHERRY_CONTACT_STATE_ADDED, name.value_or(""))
          : *turn.profile.contact(known->second);
  rename(turn, contact, name);
  contact.row.card = Bytes(text.begin(), text.end());
  contact.card = card.take();
  turn.changed(contact);
  if (contact.row.state == WHERRY_CONTACT_STATE_REQUEST) {
    set_contact_state(turn, contact, WHERRY_CONTACT_STATE_CONNECTED);
    contact.ack_at = turn.now;
  }
  if (Session* session = sending_session(turn.profile, contact)) {
    const bool unanswered = session->stage == store::SessionStage::kUnanswered;
    if (unanswered) {  // a first envelope that nobody answered was made for the old card
      retire(turn, *session);
      void_copies(turn, contact);
    }
    // Both may have changed their addresses at once: the card is the only way that is left.
    const bool lost = !unanswered && !may_reach(turn, contact);
    if (lost) reset_sessions(turn, contact, WHERRY_REASON_NONE);
    if (unanswered || lost) {
      contact.row.bundle.clear();
      contact.row.bundle_fetch.clear();
      forget_endpoints(contact);
    }
  }
  contact.bundle_tries = 0;
  contact.bundle_at = 0;
  turn.pump(contact);
  return contact.row.id;
}

Status accept_contact(Turn& turn, uint64_t id, const std::optional<std::string>& name) {
  Contact* contact = turn.profile.contact(id);
  if (contact == nullptr) return not_found("contact");
  rename(turn, *contact, name);
  if (contact->row.state != WHERRY_CONTACT_STATE_REQUEST) return {};
  set_contact_state(turn, *contact, WHERRY_CONTACT_STATE_CONNECTED);
  for (IncomingStream& stream : contact->streams) stream.acknowledge = true;
  contact->ack_at = turn.now;
  turn.pump(*contact);
  return {};
}

Result<uint64_t> add_message(Turn& turn, const Outbound& message) {
  const Result<Contact*> found = turn.profile.conversation(message.conversation);
  if (!found) return found.error();
  Contact* contact = *found;
  if (contact->row.state == WHERRY_CONTACT_STATE_REQUEST) {
    return fail(WHERRY_E_STATE, "this person has not been accepted: accept them first");
  }
  store::ConversationRow& conversation = contact->conversation;
  store::MessageRow row;
  row.conversation = conversation.id;
  if (message.ref && !mutant(Mutant::kRefIgnored)) {
    // The id says which ref it was made for, to this profile alone.
    const uint64_t place = conversation.id;
    row.mid = crypto::hash<16>(turn.profile.local.view(), "ref",
                               {*message.ref, {reinterpret_cast<const uint8_t*>(&place), 8}});
    if (const auto id = turn.profile.message_ids.find(turn.db, conversation.id, row.mid)) {
      const std::optional<store::MessageRow> same = store::message(turn.db, *id);
      if (same && same->author == 0 && same->content == message.content &&
          equal(same->body, message.body)) {
        return same->id;
      }
      return fail(WHERRY_E_REF, "this ref was used for another message");
    }
  } else {
    row.mid = turn.env.random->array<16>();
  }
  row.clock = ++conversation.clock;
  row.rank = conversation::rank(turn.profile.device.id());
  row.content = message.content;
  row.evidence = WHERRY_EVIDENCE_QUEUED;
  row.sent_ms = std::max<int64_t>(0, turn.wall_ms);
  row.received_ms = row.sent_ms;
  row.body = message.body;
  turn.insert(row);
  ++conversation.sent;
  conversation.last_message = row.id;
  add_to_outbox(turn, *contact, row.id, row.body.size());
  turn.pump(*contact);
  return row.id;
}

}  // namespace wherry::engine
