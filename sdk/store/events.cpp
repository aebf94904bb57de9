// Table event. The acknowledged cursor keeps numbers rising when the table is empty.
#include "store/events.h"

#include <algorithm>

#include "store/meta.h"

namespace wherry::store {
namespace {
constexpr const char* kCursor = "event_cursor";
}

uint64_t event_next(Connection& db) {
  uint64_t highest = 0;
  {
    Query query = db.query("SELECT ifnull(max(seq), 0) FROM event");
    if (query.next()) highest = query.number(0);
  }
  return std::max(highest, meta_get_number(db, kCursor, 0)) + 1;
}

void event_insert(Connection& db, const EventRow& row) {
  Query query = db.query(
      "INSERT INTO event(seq, type, contact, conversation, message, value, reason) "
      "VALUES(?, ?, ?, ?, ?, ?, ?)");
  query << row.seq << row.type << row.contact << row.conversation << row.message << row.value
        << row.reason;
  query.run();
}

void event_delete(Connection& db, uint64_t seq) {
  Query query = db.query("DELETE FROM event WHERE seq=?");
  query << seq;
  query.run();
}

void events_acknowledge(Connection& db, uint64_t seq) {
  if (seq <= meta_get_number(db, kCursor, 0)) return;
  meta_set_number(db, kCursor, seq);
  Query query = db.query("DELETE FROM event WHERE seq<=?");
  query << seq;
  query.run();
}

std::vector<std::pair<uint64_t, uint64_t>> events_newest(Connection& db, int32_t type) {
  std::vector<std::pair<uint64_t, uint64_t>> newest;
  Query query =
      db.query("SELECT conversation, max(seq) FROM event WHERE type=? GROUP BY conversation");
  query << type;
  while (query.next()) newest.emplace_back(query.number(0), query.number(1));
  return newest;
}

std::vector<EventRow> events_after(Connection& db, uint64_t seq, uint32_t limit) {
  std::vector<EventRow> rows;
  Query query = db.query(
      "SELECT seq, type, contact, conversation, message, value, reason FROM event WHERE seq>? "
      "ORDER BY seq LIMIT ?");
  query << seq << limit;
  while (query.next()) {
    rows.push_back({query.number(0), query.small(1), query.number(2), query.number(3),
                    query.number(4), query.integer(5), query.small(6)});
  }
  return rows;
}

}  // namespace wherry::store
