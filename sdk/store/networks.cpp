// Tables transport, transport_state, inbox.
#include "store/networks.h"

namespace wherry::store {

std::vector<TransportRow> transports(Connection& db) {
  std::vector<TransportRow> rows;
  Query query = db.query("SELECT id, name, settings, started FROM transport ORDER BY id");
  while (query.next()) {
    rows.push_back({query.number(0), query.text(1), query.bytes(2), query.integer(3) != 0});
  }
  return rows;
}

uint64_t transport_insert(Connection& db, const TransportRow& row) {
  Query query = db.query("INSERT INTO transport(name, settings, started) VALUES(?, ?, ?)");
  query << row.name << row.settings << row.started;
  query.run();
  return static_cast<uint64_t>(db.last_id());
}

void transport_update(Connection& db, const TransportRow& row) {
  Query query = db.query("UPDATE transport SET settings=?, started=? WHERE id=?");
  query << row.settings << row.started << row.id;
  query.run();
}

std::vector<std::pair<std::string, Bytes>> transport_states(Connection& db, uint64_t transport) {
  std::vector<std::pair<std::string, Bytes>> states;
  Query query = db.query("SELECT name, value FROM transport_state WHERE transport=?");
  query << transport;
  while (query.next()) states.emplace_back(query.text(0), query.bytes(1));
  return states;
}

void transport_state_set(Connection& db, uint64_t transport, const std::string& name,
                         ByteView value) {
  if (value.empty()) {
    Query query = db.query("DELETE FROM transport_state WHERE transport=? AND name=?");
    query << transport << name;
    query.run();
    return;
  }
  Query query =
      db.query("INSERT OR REPLACE INTO transport_state(transport, name, value) VALUES(?, ?, ?)");
  query << transport << name << value;
  query.run();
}

std::vector<InboxRow> inboxes(Connection& db) {
  std::vector<InboxRow> rows;
  Query query = db.query(
      "SELECT id, transport, kind, owner, secret, endpoint, dropped FROM inbox ORDER BY id");
  while (query.next()) {
    rows.push_back({query.number(0), query.number(1), static_cast<InboxKind>(query.small(2)),
                    query.number(3), Secret<32>(query.view(4)), query.text(5), query.number(6)});
  }
  return rows;
}

uint64_t inbox_insert(Connection& db, const InboxRow& row) {
  Query query = db.query(
      "INSERT INTO inbox(transport, kind, owner, secret, endpoint, dropped) VALUES(?, ?, ?, ?, ?, "
      "?)");
  query << row.transport << static_cast<int32_t>(row.kind) << row.owner << row.secret.view()
        << row.endpoint << row.dropped;
  query.run();
  return static_cast<uint64_t>(db.last_id());
}

void inbox_set_endpoint(Connection& db, uint64_t id, const std::string& endpoint) {
  Query query = db.query("UPDATE inbox SET endpoint=? WHERE id=?");
  query << endpoint << id;
  query.run();
}

void inbox_set_dropped(Connection& db, uint64_t id, uint64_t generation) {
  Query query = db.query("UPDATE inbox SET dropped=? WHERE id=?");
  query << generation << id;
  query.run();
}

void inbox_delete(Connection& db, uint64_t id) {
  Query query = db.query("DELETE FROM inbox WHERE id=?");
  query << id;
  query.run();
}

}  // namespace wherry::store
