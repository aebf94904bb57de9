// Tables card, prekey, seen, contact, conversation.
#include "store/people.h"

#include <algorithm>

#include "codec/fields.h"
#include "policy/permits.h"

namespace wherry::store {

std::vector<CardRow> cards(Connection& db) {
  std::vector<CardRow> rows;
  Query query = db.query("SELECT id, transport, fetch, expires_s, published_ms FROM card");
  while (query.next()) {
    rows.push_back({query.number(0), query.number(1), Secret<32>(query.view(2)), query.integer(3),
                    query.integer(4)});
  }
  return rows;
}

uint64_t card_insert(Connection& db, const CardRow& row) {
  Query query =
      db.query("INSERT INTO card(transport, fetch, expires_s, published_ms) VALUES(?, ?, ?, ?)");
  query << row.transport << row.fetch.view() << row.expires_s << row.published_ms;
  query.run();
  return static_cast<uint64_t>(db.last_id());
}

void card_set_published(Connection& db, uint64_t id, int64_t published_ms) {
  Query query = db.query("UPDATE card SET published_ms=? WHERE id=?");
  query << published_ms << id;
  query.run();
}

void card_delete(Connection& db, uint64_t id) {
  Query query = db.query("DELETE FROM card WHERE id=?");
  query << id;
  query.run();
}

void prekey_insert(Connection& db, const PrekeyRow& row) {
  Query query = db.query(
      "INSERT INTO prekey(id, kind, owner, secret, fetch, made_ms, used_ms) "
      "VALUES(?, ?, ?, ?, ?, ?, ?)");
  query << row.id << static_cast<int32_t>(row.kind) << row.owner << row.secret.view()
        << row.fetch.view() << row.made_ms << row.used_ms;
  query.run();
}

namespace {

PrekeyRow read_prekey(const Query& query) {
  return {static_cast<uint32_t>(query.integer(0)),
          static_cast<PrekeyKind>(query.small(1)),
          query.number(2),
          SecretBytes(query.bytes(3)),
          Secret<32>(query.view(4)),
          query.integer(5),
          query.integer(6)};
}

void prekey_erase(Connection& db, uint32_t id) {
  {
    Query query = db.query("DELETE FROM seen WHERE prekey=?");
    query << id;
    query.run();
  }
  Query query = db.query("DELETE FROM prekey WHERE id=?");
  query << id;
  query.run();
}

}  // namespace

std::optional<PrekeyRow> prekey(Connection& db, uint32_t id) {
  Query query =
      db.query("SELECT id, kind, owner, secret, fetch, made_ms, used_ms FROM prekey WHERE id=?");
  query << id;
  if (!query.next()) return std::nullopt;
  return read_prekey(query);
}

std::optional<PrekeyRow> prekey_of(Connection& db, PrekeyKind kind, uint64_t owner) {
  Query query = db.query(
      "SELECT id, kind, owner, secret, fetch, made_ms, used_ms FROM prekey "
      "WHERE kind=? AND owner=? AND used_ms=0 ORDER BY made_ms DESC, id DESC LIMIT 1");
  query << static_cast<int32_t>(kind) << owner;
  if (!query.next()) return std::nullopt;
  return read_prekey(query);
}

std::vector<PrekeyRow> reset_prekeys(Connection& db, uint64_t contact) {
  std::vector<PrekeyRow> rows;
  Query query = db.query(
      "SELECT id, kind, owner, secret, fetch, made_ms, used_ms FROM prekey "
      "WHERE kind=2 AND owner=? ORDER BY used_ms<>0, used_ms DESC, made_ms DESC, id DESC");
  query << contact;
  while (query.next()) rows.push_back(read_prekey(query));
  return rows;
}

void prekey_set_used(Connection& db, const PrekeyRow& row, int64_t used_ms, size_t kept) {
  {
    Query query = db.query("UPDATE prekey SET used_ms=? WHERE id=?");
    query << used_ms << row.id;
    query.run();
  }
  for (const PrekeyRow& other : reset_prekeys(db, row.owner)) {
    if (other.used_ms == 0) continue;
    if (kept == 0) {
      prekey_erase(db, other.id);
    } else {
      --kept;
    }
  }
}

void prekeys_erase_before(Connection& db, int64_t ms) {
  std::vector<uint32_t> over;
  {
    Query query = db.query(
        "SELECT id FROM prekey WHERE (kind=1 AND made_ms<?) "
        "OR (kind=2 AND used_ms<>0 AND used_ms<?)");
    query << ms << ms;
    while (query.next()) over.push_back(static_cast<uint32_t>(query.integer(0)));
  }
  for (uint32_t id : over) prekey_erase(db, id);
}

std::optional<uint64_t> seen(Connection& db, const Id128& hash) {
  Query query = db.query("SELECT session FROM seen WHERE hash=?");
  query << ByteView(hash);
  if (!query.next()) return std::nullopt;
  return query.number(0);
}

void seen_insert(Connection& db, const Id128& hash, uint32_t prekey, uint64_t session) {
  Query query = db.query("INSERT INTO seen(hash, prekey, session) VALUES(?, ?, ?)");
  query << ByteView(hash) << prekey << session;
  query.run();
}

std::vector<ContactRow> contacts(Connection& db, uint64_t after, uint32_t limit) {
  std::vector<ContactRow> rows;
  Query query = db.query(
      "SELECT id, identity, state, name, added_ms, conversation, devices, card, bundle, "
      "bundle_fetch, endpoints, announced, resets, session, ways, moved FROM contact WHERE id>? "
      "ORDER BY id LIMIT ?");
  query << after << limit;
  while (query.next()) {
    rows.push_back({query.number(0), query.array<32>(1), query.small(2), query.text(3),
                    query.integer(4), query.number(5), query.bytes(6), query.bytes(7),
                    query.bytes(8), SecretBytes(query.bytes(9)), query.bytes(10), query.bytes(11),
                    query.bytes(12), query.array<32>(13), query.bytes(14), query.bytes(15)});
  }
  return rows;
}

uint64_t contact_insert(Connection& db, const ContactRow& row) {
  Query query = db.query(
      "INSERT INTO contact(identity, state, name, added_ms, conversation, devices, card, bundle, "
      "bundle_fetch, endpoints, announced, resets, session, ways, moved) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  query << ByteView(row.identity) << row.state << row.name << row.added_ms << row.conversation
        << row.devices << row.card << row.bundle << row.bundle_fetch.view() << row.endpoints
        << row.announced << row.resets << ByteView(row.session) << row.ways << row.moved;
  query.run();
  return static_cast<uint64_t>(db.last_id());
}

void contact_update(Connection& db, const ContactRow& row) {
  Query query = db.query(
      "UPDATE contact SET state=?, name=?, conversation=?, devices=?, card=?, bundle=?, "
      "bundle_fetch=?, endpoints=?, announced=?, resets=?, session=?, ways=?, moved=? WHERE id=?");
  query << row.state << row.name << row.conversation << row.devices << row.card << row.bundle
        << row.bundle_fetch.view() << row.endpoints << row.announced << row.resets
        << ByteView(row.session) << row.ways << row.moved << row.id;
  query.run();
}

namespace {

// Damaged: whichever shows least.
wherry_reveals reveals_of(const Query& query, int column, const wherry_reveals& damaged) {
  const Result<wherry_reveals> set = policy::from_bytes(query.view(column));
  return set ? *set : damaged;
}

// What was permitted, copy, said, the time until which an answer is waited for.
Bytes leaving_bytes(const std::optional<Leaving>& leaving) {
  if (!leaving) return {};
  Bytes bytes = policy::to_bytes(leaving->before);
  codec::append_le(bytes, leaving->copy);
  codec::append_le(bytes, static_cast<uint8_t>(leaving->said ? 1 : 0));
  codec::append_le(bytes, static_cast<uint64_t>(leaving->answer_until_ms));
  return bytes;
}

// Damaged: nothing is left to say there.
std::optional<Leaving> leaving_of(ByteView bytes) {
  constexpr size_t kTail = 2 * sizeof(uint64_t) + 1;
  codec::FieldReader fields(bytes);
  const auto before = policy::from_bytes(fields.take(bytes.size() - std::min(bytes.size(), kTail)));
  const auto copy = fields.number<uint64_t>();
  const bool said = fields.number<uint8_t>() != 0;
  const auto until = static_cast<int64_t>(fields.number<uint64_t>());
  if (!before || !fields.done()) return std::nullopt;
  return Leaving{*before, copy, said, until};
}

}  // namespace

std::vector<ConversationRow> conversations(Connection& db, uint64_t after, uint32_t limit) {
  std::vector<ConversationRow> rows;
  Query query = db.query(
      "SELECT id, kind, gid, contact, clock, sent, received, incarnation, next_seq, last_message, "
      "waiting, permits, revealed, route, leaving, stands_by FROM conversation WHERE id>? ORDER BY "
      "id LIMIT ?");
  query << after << limit;
  while (query.next()) {
    rows.push_back({query.number(0), query.small(1), query.array<16>(2), query.number(3),
                    query.number(4), query.number(5), query.number(6), query.number(7),
                    query.number(8), query.number(9), query.small(10),
                    reveals_of(query, 11, policy::nothing()),
                    reveals_of(query, 12, policy::everything()), query.text(13),
                    leaving_of(query.view(14)), query.number(15) != 0});
  }
  return rows;
}

uint64_t conversation_insert(Connection& db, const ConversationRow& row) {
  Query query = db.query(
      "INSERT INTO conversation(kind, gid, contact, clock, sent, received, incarnation, next_seq, "
      "last_message, waiting, permits, revealed, route, leaving, stands_by) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const Bytes permits = policy::to_bytes(row.permits);
  const Bytes revealed = policy::to_bytes(row.revealed);
  const Bytes leaving = leaving_bytes(row.leaving);
  query << row.kind << ByteView(row.gid) << row.contact << row.clock << row.sent << row.received
        << row.incarnation << row.next_seq << row.last_message << row.waiting << permits << revealed
        << row.route << leaving << (row.stands_by ? 1 : 0);
  query.run();
  return static_cast<uint64_t>(db.last_id());
}

void conversation_update(Connection& db, const ConversationRow& row) {
  Query query = db.query(
      "UPDATE conversation SET contact=?, clock=?, sent=?, received=?, incarnation=?, next_seq=?, "
      "last_message=?, waiting=?, permits=?, revealed=?, route=?, leaving=?, stands_by=? WHERE "
      "id=?");
  const Bytes permits = policy::to_bytes(row.permits);
  const Bytes revealed = policy::to_bytes(row.revealed);
  const Bytes leaving = leaving_bytes(row.leaving);
  query << row.contact << row.clock << row.sent << row.received << row.incarnation << row.next_seq
        << row.last_message << row.waiting << permits << revealed << row.route << leaving
        << (row.stands_by ? 1 : 0) << row.id;
  query.run();
}

}  // namespace wherry::store
