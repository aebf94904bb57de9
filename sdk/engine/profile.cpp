// Loading a profile from its database.
#include "engine/profile.h"

#include "base/limits.h"
#include "policy/permits.h"
#include "policy/reveals.h"
#include "store/events.h"
#include "store/meta.h"

namespace wherry::engine {
namespace {

constexpr const char* kIdentity = "identity";
constexpr const char* kDevice = "device";
constexpr const char* kDeviceList = "device_list";
constexpr const char* kLocal = "local";

Error damaged(const char* what) {
  return fail(WHERRY_E_CORRUPT,
              std::string("the profile's ") + what + " is damaged: restore it from a backup");
}

Status load_keys(store::Connection& db, Profile& profile) {
  const std::optional<Bytes> identity = store::meta_get(db, kIdentity);
  const std::optional<Bytes> device = store::meta_get(db, kDevice);
  const std::optional<Bytes> list = store::meta_get(db, kDeviceList);
  const std::optional<Bytes> local = store::meta_get(db, kLocal);
  if (db.failed()) return db.take_status();
  if (!identity || !device || !list || !local || local->size() != 32) return damaged("identity");

  Result<identity::Identity> read_identity = identity::Identity::from_bytes(*identity);
  Result<identity::Device> read_device = identity::Device::from_bytes(*device);
  Result<identity::DeviceList> read_list = identity::DeviceList::parse(*list);
  if (!read_identity || !read_device || !read_list) return damaged("identity");
  profile.identity = read_identity.take();
  profile.device = read_device.take();
  profile.list = read_list.take();
  profile.local = Secret<32>(*local);
  const std::optional<Bytes> permits = store::meta_get(db, kProfilePermits);
  Result<wherry_reveals> set = permits ? policy::from_bytes(*permits) : policy::everything();
  if (!set) return damaged("permits");
  profile.permits = *set;
  return {};
}

Status load_streams(store::Connection& db, Contact& contact) {
  for (store::StreamRow& row : store::streams(db, contact.row.conversation)) {
    Result<delivery::Stream> stream = delivery::Stream::from_bytes(row.next, row.ranges);
    if (!stream) return stream.error();
    contact.streams.push_back({row.device, row.incarnation, stream.take(), false, row.owed});
    if (row.owed && contact.row.state != WHERRY_CONTACT_STATE_REQUEST) contact.ack_at = 0;
  }
  contact.early_bytes = store::early_bytes(db, contact.row.conversation);
  return {};
}

Status load_contacts(store::Connection& db, Profile& profile) {
  std::unordered_map<uint64_t, store::ConversationRow> conversations;
  for (store::ConversationRow& row : store::conversations(db, 0, UINT32_MAX)) {
    conversations.emplace(row.id, row);
  }
  for (store::ContactRow& row : store::contacts(db, 0, UINT32_MAX)) {
    auto contact = std::make_unique<Contact>();
    const auto conversation = conversations.find(row.conversation);
    if (conversation == conversations.end()) return damaged("list of conversations");
    contact->conversation = conversation->second;
    const auto& leaving = contact->conversation.leaving;
    if (leaving && leaving->said) contact->leave_at = 0;  // it has been long enough
    contact->nothing_opens = delivery::ResetBudget::from_bytes(row.resets).unopened_ms != 0;
    if (contact->nothing_opens) contact->ask_again_at = 0;  // at once
    contact->row = std::move(row);
    if (Status unpacked = unpack(*contact); !unpacked) return unpacked;
    if (Status streams = load_streams(db, *contact); !streams) return streams;
    contact->outbox = read_outbox(db, contact->row.id, contact->conversation.next_seq);
    contact->offer_reset =
        !contact->announced || contact->announced->list.empty() ||
        !store::prekey_of(db, store::PrekeyKind::kReset, contact->row.id).has_value();
    profile.contact_by_identity[contact->row.identity] = contact->row.id;
    profile.contact_by_conversation[contact->row.conversation] = contact->row.id;
    profile.contacts.emplace(contact->row.id, std::move(contact));
  }
  // An event that still waits for the app is replaced by the next of its kind.
  const auto each_newest = [&](int32_t type, const auto& note) {
    for (const auto& [conversation, seq] : store::events_newest(db, type)) {
      if (Contact* contact = profile.contact_of_conversation(conversation)) note(*contact, seq);
    }
  };
  each_newest(WHERRY_EVENT_WAITING, [](Contact& c, uint64_t seq) { c.waiting_event = seq; });
  each_newest(WHERRY_EVENT_SENDING_ROUTE,
              [](Contact& c, uint64_t seq) { c.sending_told.event = seq; });
  each_newest(WHERRY_EVENT_RECEIVING_ROUTE,
              [](Contact& c, uint64_t seq) { c.receiving_told.event = seq; });
  return {};
}

Status load_sessions(store::Connection& db, Profile& profile) {
  for (store::SessionRow& row : store::sessions(db)) {
    Contact* contact = profile.contact(row.contact);
    Result<session::Ratchet> ratchet = session::Ratchet::from_bytes(row.state.view());
    if (contact == nullptr || !ratchet) return damaged("list of sessions");
    auto session = std::make_unique<Session>();
    session->id = row.id;
    session->contact = row.contact;
    session->device = row.device;
    session->mine = row.mine;
    session->stage = row.stage;
    session->hash = row.hash;
    session->follows = row.follows;
    session->first = row.first.bytes();
    session->fetch = std::move(row.fetch);
    session->made_ms = row.made_ms;
    session->ratchet = ratchet.take();
    std::vector<session::TagIndex::StoredTag> tags;
    for (const store::RatchetKeyRow& key : store::ratchet_keys(db, row.id)) {
      tags.push_back({key.g, key.tag});
    }
    profile.tags.load(row.id, session->ratchet, tags);
    contact->sessions.push_back(row.id);
    contact->theirs_session = contact->moved_session = row.id;
    profile.sessions.emplace(row.id, std::move(session));
  }
  return {};
}

void load_networks(store::Connection& db, Profile& profile) {
  for (store::TransportRow& row : store::transports(db)) {
    profile.transports.emplace(row.id, std::move(row));
  }
  for (store::InboxRow& row : store::inboxes(db)) profile.add_inbox(std::move(row));
  for (store::CardRow& row : store::cards(db)) {
    CardState card;
    const uint64_t id = row.id;
    card.row = std::move(row);
    const store::InboxRow* inbox =
        profile.inbox_of(store::InboxKind::kCard, id, card.row.transport);
    card.inbox = inbox == nullptr ? 0 : inbox->id;
    profile.cards.emplace(id, std::move(card));
  }
}

}  // namespace

Status Profile::found(store::Connection& db, Random& random) {
  const identity::Identity identity = identity::Identity::make(random);
  const identity::Device device = identity::Device::make(random);
  const identity::DeviceList list = identity::DeviceList::make(identity, 1, {device.public_part()});
  db.begin();
  store::meta_set(db, kIdentity, identity.to_bytes().view());
  store::meta_set(db, kDevice, device.to_bytes().view());
  store::meta_set(db, kDeviceList, list.bytes());
  store::meta_set(db, kLocal, random.array<32>());
  if (!db.commit()) return db.take_status();
  return {};
}

Result<std::unique_ptr<Profile>> Profile::load(store::Connection& db) {
  auto profile = std::make_unique<Profile>();
  if (Status keys = load_keys(db, *profile); !keys) return keys.error();
  if (Status contacts = load_contacts(db, *profile); !contacts) return contacts.error();
  if (Status sessions = load_sessions(db, *profile); !sessions) return sessions.error();
  load_networks(db, *profile);
  Result<store::MessageIds> ids = store::MessageIds::load(db, profile->local);
  if (!ids) return ids.error();
  profile->message_ids = ids.take();
  profile->next_message = store::message_highest(db) + 1;
  profile->next_sealed = store::sealed_highest(db) + 1;
  profile->next_event = store::event_next(db);
  if (db.failed()) return db.take_status().error();
  return profile;
}

Contact* Profile::contact(uint64_t id) {
  const auto found = contacts.find(id);
  return found == contacts.end() ? nullptr : found->second.get();
}

Contact* Profile::contact_of_conversation(uint64_t id) {
  const auto found = contact_by_conversation.find(id);
  return found == contact_by_conversation.end() ? nullptr : contact(found->second);
}

Result<Contact*> Profile::conversation(uint64_t id) {
  if (Contact* contact = contact_of_conversation(id)) return contact;
  return fail(WHERRY_E_NOT_FOUND, "there is no conversation with this id");
}

Session* Profile::session(uint64_t id) {
  const auto found = sessions.find(id);
  return found == sessions.end() ? nullptr : found->second.get();
}

const store::TransportRow* Profile::transport_named(const std::string& name) const {
  for (const auto& [id, row] : transports) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const store::InboxRow* Profile::inbox_of(store::InboxKind kind, uint64_t owner,
                                         uint64_t transport) const {
  const auto found = inbox_by_owner_.find({kind, owner, transport});
  return found == inbox_by_owner_.end() ? nullptr : &inboxes.at(found->second);
}

void Profile::add_inbox(store::InboxRow row) {
  const uint64_t id = row.id;
  inbox_by_owner_[{row.kind, row.owner, row.transport}] = id;
  inboxes.insert_or_assign(id, std::move(row));
}

void Profile::remove_inbox(uint64_t id) {
  const auto found = inboxes.find(id);
  if (found == inboxes.end()) return;
  inbox_by_owner_.erase({found->second.kind, found->second.owner, found->second.transport});
  inboxes.erase(found);
}

Status unpack(Contact& contact) {
  if (!contact.row.card.empty()) {
    Result<identity::Card> card = identity::Card::parse(as_text(contact.row.card));
    if (!card) return damaged("list of contacts");
    contact.card = card.take();
  }
  if (!contact.row.endpoints.empty()) {
    Result<message::Endpoints> theirs = message::Endpoints::from_bytes(contact.row.endpoints);
    if (!theirs) return damaged("list of contacts");
    contact.theirs = theirs.take();
  }
  if (!contact.row.announced.empty()) {
    // If it can not be read, it is said again.
    Result<message::Endpoints> mine = message::Endpoints::from_bytes(contact.row.announced);
    if (mine) contact.announced = mine.take();
  }
  if (!contact.row.ways.empty()) {
    Result<routing::Ways> ways = routing::Ways::from_bytes(contact.row.ways);
    if (!ways) return damaged("list of contacts");
    contact.ways = ways.take();
    contact.tell_moved = contact.ways.moved_to != 0;
  }
  if (!contact.row.moved.empty()) {
    Result<message::Moved> moved = message::Moved::from_bytes(contact.row.moved);
    if (!moved) return damaged("list of contacts");
    contact.moved = *moved;
  }
  Result<routing::Route> route = routing::Route::parse(contact.conversation.route);
  if (!route) return damaged("list of conversations");
  contact.route = route.take();
  return {};
}

}  // namespace wherry::engine
