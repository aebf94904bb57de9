// Cards and prekeys that were given out; contacts and conversations.
#ifndef WHERRY_STORE_PEOPLE_H
#define WHERRY_STORE_PEOPLE_H

#include <optional>
#include <vector>

#include "policy/reveals.h"
#include "store/database.h"

namespace wherry::store {

struct CardRow {
  uint64_t id = 0;
  uint64_t transport = 0;
  Secret<32> fetch;
  int64_t expires_s = 0;
  int64_t published_ms = 0;  // 0: its bundle is not published yet
};

std::vector<CardRow> cards(Connection& db);
uint64_t card_insert(Connection& db, const CardRow& row);
void card_set_published(Connection& db, uint64_t id, int64_t published_ms);
void card_delete(Connection& db, uint64_t id);

enum class PrekeyKind : int32_t { kCard = 1, kReset = 2 };

struct PrekeyRow {
  uint32_t id = 0;
  PrekeyKind kind = PrekeyKind::kCard;
  uint64_t owner = 0;  // a card's or a contact's id
  SecretBytes secret;  // identity::Prekey, serialised
  Secret<32> fetch;    // what wraps the first envelope that uses it
  int64_t made_ms = 0;
  int64_t used_ms = 0;  // a reset prekey's first use; 0: not yet
};

void prekey_insert(Connection& db, const PrekeyRow& row);
std::optional<PrekeyRow> prekey(Connection& db, uint32_t id);
// The newest of an owner that is not used.
std::optional<PrekeyRow> prekey_of(Connection& db, PrekeyKind kind, uint64_t owner);
// A contact's: the unused one first, then by their use, the last before the others.
std::vector<PrekeyRow> reset_prekeys(Connection& db, uint64_t contact);
// A reset prekey is used for the first time. Of its contact's used ones `kept` stay, the last.
void prekey_set_used(Connection& db, const PrekeyRow& row, int64_t used_ms, size_t kept);
// Prekeys of cards made before, and reset prekeys used before; with what was seen under them.
void prekeys_erase_before(Connection& db, int64_t ms);

// The session that a first envelope made, by the hash of its ephemeral key.
std::optional<uint64_t> seen(Connection& db, const Id128& hash);
void seen_insert(Connection& db, const Id128& hash, uint32_t prekey, uint64_t session);

struct ContactRow {
  uint64_t id = 0;
  Bytes32 identity{};
  int32_t state = 0;  // wherry_contact_state
  std::string name;
  int64_t added_ms = 0;
  uint64_t conversation = 0;
  Bytes devices;             // signed device list; empty: not known yet
  Bytes card;                // the card by which they were added; empty: none
  Bytes bundle;              // theirs, for the next handshake; empty: fetch it by the card
  SecretBytes bundle_fetch;  // with a reset bundle: its secret; empty: the card's
  Bytes endpoints;           // message::Endpoints as announced; empty: the card's
  Bytes announced;           // message::Endpoints that they were sent
  Bytes resets;              // delivery::ResetBudget
  Bytes32 session{};         // hash of the one that was last sent in; zeros: none yet
  Bytes ways;                // routing::Ways; empty: nothing was sent yet
  Bytes moved;               // message::Moved, the newest that they told; empty: none
};

std::vector<ContactRow> contacts(Connection& db, uint64_t after, uint32_t limit);
uint64_t contact_insert(Connection& db, const ContactRow& row);
void contact_update(Connection& db, const ContactRow& row);

// A network that is no longer permitted, until the last word on it is said (engine/leaving.h).
struct Leaving {
  wherry_reveals before{};      // what was permitted
  uint64_t copy = 0;            // the last word's; 0: not sealed yet
  bool said = false;            // it has left, as far as its network knows
  int64_t answer_until_ms = 0;  // wall time; a handshake that is under way is waited for; 0: none
};

struct ConversationRow {
  uint64_t id = 0;
  int32_t kind = 1;  // 1: direct
  Id128 gid{};       // a group's id; zero for a direct one
  uint64_t contact = 0;
  uint64_t clock = 0;     // the highest seen
  uint64_t sent = 0;      // messages of this profile, over all incarnations
  uint64_t received = 0;  // messages of the others, likewise
  uint64_t incarnation = 0;
  uint64_t next_seq = 1;
  uint64_t last_message = 0;
  int32_t waiting = 0;                            // wherry_reason
  wherry_reveals permits = policy::everything();  // this person's for it
  wherry_reveals revealed = policy::nothing();    // by what was sent and opened so far
  std::string route;                              // routing::Route as text; empty: auto
  std::optional<Leaving> leaving;                 // what is no longer permitted
  bool stands_by = false;  // on auto: listens elsewhere, since permits forbid where it was
};

std::vector<ConversationRow> conversations(Connection& db, uint64_t after, uint32_t limit);
uint64_t conversation_insert(Connection& db, const ConversationRow& row);
void conversation_update(Connection& db, const ConversationRow& row);

}  // namespace wherry::store

#endif  // WHERRY_STORE_PEOPLE_H
