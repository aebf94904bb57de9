// What the engine keeps in memory of a profile: a cache of the database, loaded whole, and thrown
// away whole when a commit fails. Only turns touch it.
#ifndef WHERRY_ENGINE_PROFILE_H
#define WHERRY_ENGINE_PROFILE_H

#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "delivery/quota.h"
#include "delivery/stream.h"
#include "engine/outbox.h"
#include "identity/card.h"
#include "identity/device_list.h"
#include "message/payload.h"
#include "routing/route.h"
#include "routing/ways.h"
#include "session/ratchet.h"
#include "session/tag_index.h"
#include "store/message_ids.h"
#include "store/networks.h"
#include "store/people.h"
#include "store/sessions.h"

namespace wherry::engine {

// A session and its place in the database.
struct Session {
  uint64_t id = 0;
  uint64_t contact = 0;
  Id128 device{};
  bool mine = false;  // this profile began it
  store::SessionStage stage = store::SessionStage::kWorking;
  Bytes32 hash{};
  Bytes32 follows{};  // of the session that its initiator sent in before; zeros: none
  Bytes first;        // prefix of the first envelope, while it is not sealed
  Secret<32> fetch;   // wraps it
  int64_t made_ms = 0;
  session::Ratchet ratchet;
  bool heard = false;    // something opened in it since its rival was last repeated
  bool changed = false;  // see Turn::save()
};

struct IncomingStream {
  Id128 device{};
  uint64_t incarnation = 0;
  delivery::Stream stream;
  bool changed = false;      // see Turn::save()
  bool acknowledge = false;  // something came that they do not know to have come
};

// What may go by a path: nothing, only the last word on it (see leaving.h), or all.
enum class Admission : uint8_t { kForbidden, kLastWord, kPermitted };

// Whether an endpoint can be reached is asked until it is answered.
struct Probe {
  Id128 id{};            // zeros: none waits for an answer
  int sent = 0;          // since the last answer
  uint64_t session = 0;  // of the last one
  uint64_t g = 0;        // its number there
  int64_t sent_at = 0;   // steady ms
  int64_t next_at = 0;   // steady ms

  bool waits() const { return id != Id128{}; }
};

// The way to one endpoint of a contact; peer 0: no running transport knows it.
struct PathEntry {
  message::Endpoint endpoint;
  uint64_t transport = 0;  // 0: this profile has no such transport
  uint64_t peer = 0;       // the host's id; 0: not added
  bool accepted = false;   // the plug-in knows it, and said what it reveals
  wherry_reveals reveals{};
  Admission admission = Admission::kForbidden;  // when it was last looked at
  bool listed = true;      // in their newest set; else it was in use before that came
  bool has_a_use = false;  // when it was last looked at
  Probe probe;
  int64_t works_since = 0;  // steady ms; 0: it does not
  int32_t peer_state = WHERRY_PEER_STATE_UNKNOWN;
  bool needs_both = false;   // they reach this end only once the plug-in was asked for them
  int connects = 0;          // asked for since it last carried something
  int heard = 0;             // dials brought forward since they were heard, since it last carried
  int64_t connect_at = 0;    // steady ms of the next time, while it is not
  int64_t succeeded_ms = 0;  // wall time when something last went or came this way; 0: not yet

  bool permitted() const { return admission == Admission::kPermitted; }
  // As far as its network knows.
  bool is_away() const {
    return peer_state == WHERRY_PEER_STATE_UNREACHABLE || peer_state == WHERRY_PEER_STATE_GONE;
  }
};

// What the app was told last of a direction's way to another network.
struct RouteTold {
  int32_t state = WHERRY_ROUTE_STATE_SETTLED;
  int32_t reason = WHERRY_REASON_NONE;
  uint64_t event = 0;  // its seq
};

// An acknowledgement that does not come though their ratchet has what it is of: see sending.h.
struct MissedAck {
  // Steady ms: then it is missed. Of what was there at a start nobody knows since when: at once.
  int64_t at = 0;
  int64_t sealed_at = INT64_MIN / 2;  // steady ms, for the last one that was
  int count = 0;                      // missed one after the other
};

struct Contact {
  store::ContactRow row;
  store::ConversationRow conversation;
  std::optional<identity::Card> card;
  std::optional<message::Endpoints> theirs;     // as they announced; none: the card's
  std::optional<message::Endpoints> announced;  // what they were sent
  uint64_t theirs_session = 0;  // that told them, or after a start the newest; older do not count
  std::optional<message::Moved> moved;  // what they told last of leaving an endpoint
  uint64_t moved_session = 0;           // that told it; as above
  routing::Ways ways;                   // to them
  routing::Route route;                 // this person's for the conversation
  std::vector<uint64_t> sessions;       // ids, oldest first
  std::vector<IncomingStream> streams;
  uint64_t early_bytes = 0;  // of what came before its turn
  std::vector<PathEntry> paths;

  Outbox outbox;
  MissedAck missed_ack;

  int64_t ack_at = Executor::kNever;  // steady ms
  uint32_t ack_messages = 0;
  int ack_failures = 0;  // of envelopes that only acknowledge, one after the other
  bool ask_reseal = false;
  int64_t reseal_asked_at = INT64_MIN / 2;  // steady ms
  bool nothing_opens = false;               // since then, or longer: row.resets tells
  int64_t ask_again_at = Executor::kNever;  // steady ms, while nothing opens
  uint32_t asked_again = 0;                 // times
  int64_t resealed_at = INT64_MIN / 2;      // steady ms
  int64_t complained_at = INT64_MIN / 2;    // steady ms, see Turn::complain()
  bool offer_reset = false;                 // they have no reset bundle of ours
  bool tell_moved = false;                  // they do not know that an endpoint was left
  std::vector<Id128> answers;               // to probes of theirs, not sent yet
  std::vector<Id128> answers_told;          // the last that were sent, in case they are lost
  delivery::Quota probes;                   // sent
  delivery::Quota trials;                   // of headers without a known tag
  int64_t quiet_until = 0;                  // steady ms; 0: no quiet time was drawn
  int64_t leave_at = Executor::kNever;      // steady ms; once the last word has left, see leaving.h
  int last_words = 0;                       // that have left
  delivery::Quota handshakes;               // accepted

  uint64_t bundle_request = 0;  // under way
  int bundle_tries = 0;
  int64_t bundle_at = 0;  // steady ms of the next try
  int32_t bundle_reason = 0;
  bool forgery_told = false;  // since a bundle last served

  uint64_t waiting_event = 0;  // seq of the last WAITING event
  RouteTold sending_told;
  RouteTold receiving_told;
  int32_t send_failure = WHERRY_REASON_NONE;  // of the last attempt, if it failed

  int64_t wake_at = Executor::kNever;  // as in Turn's timers
  bool pump = false;                   // in the list of those to look at

  // What was done while nothing opened is over.
  void stop_asking() {
    nothing_opens = false;
    ask_again_at = Executor::kNever;
    asked_again = 0;
  }

  // Theirs, if they lead anywhere.
  const message::Endpoints* endpoints() const {
    return theirs && !theirs->list.empty() ? &*theirs : nullptr;
  }

  // See Turn::save().
  bool changed = false;
  bool row_changed = false;
  bool conversation_changed = false;
};

struct CardState {
  store::CardRow row;
  uint64_t inbox = 0;
  uint64_t put_request = 0;  // under way
  int put_tries = 0;
  int64_t put_at = Executor::kNever;  // steady ms of the next try
};

struct Profile {
  identity::Identity identity;
  identity::Device device;
  std::optional<identity::DeviceList> list;
  Secret<32> local;          // derives what only this profile needs to know again
  wherry_reveals permits{};  // cap those of every conversation, and govern listening

  std::map<uint64_t, std::unique_ptr<Contact>> contacts;
  std::unordered_map<Bytes32, uint64_t, IdHash> contact_by_identity;
  std::unordered_map<uint64_t, uint64_t> contact_by_conversation;
  std::unordered_map<uint64_t, std::unique_ptr<Session>> sessions;
  session::TagIndex tags;
  std::map<uint64_t, store::InboxRow> inboxes;  // changed by add_inbox() and remove_inbox() alone
  std::map<uint64_t, CardState> cards;
  std::map<uint64_t, store::TransportRow> transports;

  store::MessageIds message_ids;
  uint64_t next_message = 1;
  uint64_t next_sealed = 1;
  uint64_t next_event = 1;

  // Draws identity and device of a new profile and stores them.
  static Status found(store::Connection& db, Random& random);
  static Result<std::unique_ptr<Profile>> load(store::Connection& db);

  Contact* contact(uint64_t id);
  Contact* contact_of_conversation(uint64_t id);
  // The same, or E_NOT_FOUND.
  Result<Contact*> conversation(uint64_t id);
  Session* session(uint64_t id);
  const store::TransportRow* transport_named(const std::string& name) const;
  // Where a contact sends to on a transport; null: not opened yet.
  const store::InboxRow* inbox_of(store::InboxKind kind, uint64_t owner, uint64_t transport) const;
  void add_inbox(store::InboxRow row);
  void remove_inbox(uint64_t id);

 private:
  std::map<std::tuple<store::InboxKind, uint64_t, uint64_t>, uint64_t> inbox_by_owner_;
};

// Name of the permits among the single values of the store.
inline constexpr const char* kProfilePermits = "permits";

// Reads the contact's card and lists of endpoints out of its row.
Status unpack(Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_PROFILE_H
