// Migrations. A released one is never edited: add another.
#include "store/schema.h"

#include <array>

namespace wherry::store {
namespace {

constexpr const char* kFirst = R"sql(
-- Single values: identity, device and its list, the secret of this profile, event cursor.
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE transport(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, settings BLOB NOT NULL,
  started INTEGER NOT NULL);
-- What a plug-in keeps (transport.h, state_set).
CREATE TABLE transport_state(
  transport INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY(transport, name)) WITHOUT ROWID;

-- Where envelopes are received. kind 1: a card's (owner: card.id); 2: a contact's (contact.id).
-- dropped: the generation of the first set told to the contact that is without it; 0: none; the
-- highest number: no set was ever with it.
CREATE TABLE inbox(
  id INTEGER PRIMARY KEY AUTOINCREMENT, transport INTEGER NOT NULL, kind INTEGER NOT NULL,
  owner INTEGER NOT NULL, secret BLOB NOT NULL, endpoint TEXT NOT NULL, dropped INTEGER NOT NULL,
  UNIQUE(transport, kind, owner));

-- Cards that were given out, and the prekeys of their bundles (PROTOCOL 3).
CREATE TABLE card(
  id INTEGER PRIMARY KEY AUTOINCREMENT, transport INTEGER NOT NULL, fetch BLOB NOT NULL UNIQUE,
  expires_s INTEGER NOT NULL, published_ms INTEGER NOT NULL);
-- kind 1: of a card; 2: reset prekey given to a contact. used_ms: of a reset prekey, when it was first used;
-- 0: not yet.
CREATE TABLE prekey(
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, owner INTEGER NOT NULL, secret BLOB NOT NULL,
  fetch BLOB NOT NULL, made_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL);
CREATE INDEX prekey_owner ON prekey(kind, owner);
-- Ephemeral keys of first envelopes that were accepted (PROTOCOL 4.3).
CREATE TABLE seen(hash BLOB PRIMARY KEY, prekey INTEGER NOT NULL, session INTEGER NOT NULL)
  WITHOUT ROWID;

CREATE TABLE contact(
  id INTEGER PRIMARY KEY AUTOINCREMENT, identity BLOB NOT NULL UNIQUE, state INTEGER NOT NULL,
  name TEXT NOT NULL, added_ms INTEGER NOT NULL, conversation INTEGER NOT NULL,
  devices BLOB NOT NULL, card BLOB NOT NULL, bundle BLOB NOT NULL, bundle_fetch BLOB NOT NULL,
  endpoints BLOB NOT NULL, announced BLOB NOT NULL, resets BLOB NOT NULL, session BLOB NOT NULL,
  ways BLOB NOT NULL, moved BLOB NOT NULL);

CREATE TABLE conversation(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, gid BLOB NOT NULL,
  contact INTEGER NOT NULL, clock INTEGER NOT NULL, sent INTEGER NOT NULL,
  received INTEGER NOT NULL, incarnation INTEGER NOT NULL, next_seq INTEGER NOT NULL, last_message INTEGER NOT NULL,
  waiting INTEGER NOT NULL, permits BLOB NOT NULL, revealed BLOB NOT NULL, route TEXT NOT NULL,
  leaving BLOB NOT NULL, stands_by INTEGER NOT NULL);

-- Sessions with a contact's devices (PROTOCOL 5). stage 1: first envelope unanswered; 2: working;
-- 3: kept for receiving only.
CREATE TABLE session(
  id INTEGER PRIMARY KEY AUTOINCREMENT, contact INTEGER NOT NULL, device BLOB NOT NULL,
  mine INTEGER NOT NULL, stage INTEGER NOT NULL, hash BLOB NOT NULL, follows BLOB NOT NULL,
  first BLOB NOT NULL, fetch BLOB NOT NULL, made_ms INTEGER NOT NULL, state BLOB NOT NULL);
-- Skipped keys and used numbers (PROTOCOL 5.4). used 0: skipped; 1; 2: held something to acknowledge.
CREATE TABLE ratchet_key(
  session INTEGER NOT NULL, g INTEGER NOT NULL, used INTEGER NOT NULL, tag BLOB NOT NULL,
  value BLOB NOT NULL, PRIMARY KEY(session, g)) WITHOUT ROWID;

-- author 0: this profile. transport: by which it came, 0 if by none. rank: the first 8 bytes of the author's device id, for the order.
CREATE TABLE message(
  id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, author INTEGER NOT NULL,
  mid BLOB NOT NULL, clock INTEGER NOT NULL, rank INTEGER NOT NULL,
  content INTEGER NOT NULL, evidence INTEGER NOT NULL, reason INTEGER NOT NULL,
  sent_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, transport INTEGER NOT NULL,
  event INTEGER NOT NULL, body BLOB NOT NULL);
-- Of the newest messages not in it: see message_ids.h.
CREATE TABLE message_id(
  hash INTEGER NOT NULL, message INTEGER NOT NULL, PRIMARY KEY(hash, message)) WITHOUT ROWID;
CREATE INDEX message_order ON message(conversation, clock, rank, id);

-- Messages of this profile that are not acknowledged. sealed 0: not yet encrypted; the highest
-- number: stored by the receiver, beyond a gap.
CREATE TABLE outbox(
  contact INTEGER NOT NULL, seq INTEGER NOT NULL, message INTEGER NOT NULL,
  sealed INTEGER NOT NULL, size INTEGER NOT NULL, PRIMARY KEY(contact, seq)) WITHOUT ROWID;
-- Envelopes that may be sent again as they are. control: they hold more than messages.
CREATE TABLE sealed(
  id INTEGER PRIMARY KEY, contact INTEGER NOT NULL, session INTEGER NOT NULL, g INTEGER NOT NULL,
  transport INTEGER NOT NULL, endpoint TEXT NOT NULL, first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL, control INTEGER NOT NULL, envelope BLOB NOT NULL);
CREATE INDEX sealed_contact ON sealed(contact);

-- What came of each author's device and incarnation, by rowid in the order in which they began;
-- owed: not all of it is acknowledged; `early` holds what came before its turn.
CREATE TABLE stream(
  conversation INTEGER NOT NULL, device BLOB NOT NULL, incarnation INTEGER NOT NULL,
  next INTEGER NOT NULL, ranges BLOB NOT NULL, owed INTEGER NOT NULL,
  UNIQUE(conversation, device, incarnation));
CREATE TABLE early(
  conversation INTEGER NOT NULL, device BLOB NOT NULL, incarnation INTEGER NOT NULL,
  seq INTEGER NOT NULL, transport INTEGER NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY(conversation, device, incarnation, seq)) WITHOUT ROWID;

-- The durable feed.
CREATE TABLE event(
  seq INTEGER PRIMARY KEY, type INTEGER NOT NULL, contact INTEGER NOT NULL,
  conversation INTEGER NOT NULL, message INTEGER NOT NULL, value INTEGER NOT NULL,
  reason INTEGER NOT NULL);
)sql";

constexpr std::array kMigrations = {kFirst};

}  // namespace

int schema_version() {
  return static_cast<int>(kMigrations.size());
}

Status migrate(Connection& db) {
  int64_t version = 0;
  {
    Query query = db.query("PRAGMA user_version");
    if (query.next()) version = query.integer(0);
  }
  if (Status read = db.take_status(); !read) return read;
  if (version > schema_version()) {
    return fail(WHERRY_E_NEWER, "the profile was written by a newer version: update this app");
  }
  if (version == schema_version()) return {};

  db.begin();
  for (size_t i = static_cast<size_t>(version); i < kMigrations.size(); ++i) {
    db.run_script(kMigrations[i]);
  }
  db.run_script(("PRAGMA user_version=" + std::to_string(schema_version())).c_str());
  if (!db.commit()) return db.take_status();
  return {};
}

}  // namespace wherry::store
