// Tables session, ratchet_key.
#include "store/sessions.h"

namespace wherry::store {
namespace {

// Column `used`.
constexpr int64_t kSkipped = 0;
constexpr int64_t kUsed = 1;
constexpr int64_t kUsedOwed = 2;

}  // namespace

std::vector<SessionRow> sessions(Connection& db) {
  std::vector<SessionRow> rows;
  Query query = db.query(
      "SELECT id, contact, device, mine, stage, hash, follows, first, fetch, made_ms, state "
      "FROM session ORDER BY id");
  while (query.next()) {
    rows.push_back({query.number(0), query.number(1), query.array<16>(2), query.integer(3) != 0,
                    static_cast<SessionStage>(query.small(4)), query.array<32>(5),
                    query.array<32>(6), SecretBytes(query.bytes(7)), Secret<32>(query.view(8)),
                    query.integer(9), SecretBytes(query.bytes(10))});
  }
  return rows;
}

uint64_t session_insert(Connection& db, const SessionRow& row) {
  Query query = db.query(
      "INSERT INTO session(contact, device, mine, stage, hash, follows, first, fetch, made_ms, "
      "state) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  query << row.contact << ByteView(row.device) << row.mine << static_cast<int32_t>(row.stage)
        << ByteView(row.hash) << ByteView(row.follows) << row.first.view() << row.fetch.view()
        << row.made_ms << row.state.view();
  query.run();
  return static_cast<uint64_t>(db.last_id());
}

void session_update(Connection& db, const SessionRow& row) {
  Query query = db.query("UPDATE session SET stage=?, first=?, fetch=?, state=? WHERE id=?");
  query << static_cast<int32_t>(row.stage) << row.first.view() << row.fetch.view()
        << row.state.view() << row.id;
  query.run();
}

void session_delete(Connection& db, uint64_t id) {
  {
    Query query = db.query("DELETE FROM ratchet_key WHERE session=?");
    query << id;
    query.run();
  }
  {
    // Those of a prekey that is kept stay as long as it, so that no replay makes a second session.
    Query query =
        db.query("DELETE FROM seen WHERE session=? AND prekey NOT IN (SELECT id FROM prekey)");
    query << id;
    query.run();
  }
  Query query = db.query("DELETE FROM session WHERE id=?");
  query << id;
  query.run();
}

std::vector<RatchetKeyRow> ratchet_keys(Connection& db, uint64_t session) {
  std::vector<RatchetKeyRow> rows;
  Query query = db.query("SELECT g, used, tag, value FROM ratchet_key WHERE session=? ORDER BY g");
  query << session;
  while (query.next()) {
    rows.push_back({query.number(0), query.integer(1) != 0, query.integer(1) == kUsedOwed,
                    query.array<16>(2), SecretBytes(query.bytes(3))});
  }
  return rows;
}

std::optional<RatchetKeyRow> ratchet_key_by_tag(Connection& db, uint64_t session,
                                                const Id128& tag) {
  Query query = db.query("SELECT g, used, tag, value FROM ratchet_key WHERE session=? AND tag=?");
  query << session << ByteView(tag);
  if (!query.next()) return std::nullopt;
  return RatchetKeyRow{query.number(0), query.integer(1) != 0, query.integer(1) == kUsedOwed,
                       query.array<16>(2), SecretBytes(query.bytes(3))};
}

std::optional<uint64_t> ratchet_first_skipped(Connection& db, uint64_t session, uint64_t from) {
  Query query = db.query("SELECT min(g) FROM ratchet_key WHERE session=? AND g>=? AND used=0");
  query << session << from;
  if (!query.next() || query.is_null(0)) return std::nullopt;
  return query.number(0);
}

uint32_t ratchet_count_skipped(Connection& db, uint64_t session, uint64_t below) {
  Query query = db.query("SELECT count(*) FROM ratchet_key WHERE session=? AND g<? AND used=0");
  query << session << below;
  return query.next() ? static_cast<uint32_t>(query.integer(0)) : 0;
}

void ratchet_key_put(Connection& db, uint64_t session, const RatchetKeyRow& row) {
  Query query = db.query(
      "INSERT OR REPLACE INTO ratchet_key(session, g, used, tag, value) VALUES(?, ?, ?, ?, ?)");
  query << session << row.g << (row.used ? row.owed ? kUsedOwed : kUsed : kSkipped)
        << ByteView(row.tag) << row.value.view();
  query.run();
}

void ratchet_keys_erase_below(Connection& db, uint64_t session, uint64_t g) {
  Query query = db.query("DELETE FROM ratchet_key WHERE session=? AND g<?");
  query << session << g;
  query.run();
}

}  // namespace wherry::store
