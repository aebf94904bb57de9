// Tables message, outbox, sealed, stream, early.
#include "store/messages.h"

#include <algorithm>

namespace wherry::store {
namespace {

constexpr const char* kById =
    "SELECT id, conversation, author, mid, clock, rank, content, evidence, reason, sent_ms, "
    "received_ms, transport, event, body FROM message WHERE id=?";
constexpr const char* kOlder =
    "SELECT id, conversation, author, mid, clock, rank, content, evidence, reason, sent_ms, "
    "received_ms, transport, event, body FROM message WHERE conversation=? AND (clock, rank, id) < "
    "(?, ?, ?) "
    "ORDER BY clock DESC, rank DESC, id DESC LIMIT ?";
constexpr const char* kNewer =
    "SELECT id, conversation, author, mid, clock, rank, content, evidence, reason, sent_ms, "
    "received_ms, transport, event, body FROM message WHERE conversation=? AND (clock, rank, id) > "
    "(?, ?, ?) "
    "ORDER BY clock, rank, id LIMIT ?";

MessageRow read_message(const Query& query) {
  return {query.number(0),  query.number(1),  query.number(2),   query.array<16>(3),
          query.number(4),  query.integer(5), query.small(6),    query.small(7),
          query.small(8),   query.integer(9), query.integer(10), query.number(11),
          query.number(12), query.bytes(13)};
}

OutboxRow read_outbox(const Query& query) {
  return {query.number(0), query.number(1), query.number(2), query.number(3), query.number(4)};
}

}  // namespace

uint64_t message_highest(Connection& db) {
  Query query = db.query("SELECT ifnull(max(id), 0) FROM message");
  return query.next() ? query.number(0) : 0;
}

void message_insert(Connection& db, const MessageRow& row) {
  Query query = db.query(
      "INSERT INTO message(id, conversation, author, mid, clock, rank, content, evidence, reason, "
      "sent_ms, received_ms, transport, event, body) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  query << row.id << row.conversation << row.author << ByteView(row.mid) << row.clock << row.rank
        << row.content << row.evidence << row.reason << row.sent_ms << row.received_ms
        << row.transport << row.event << row.body;
  query.run();
}

std::optional<MessageRow> message(Connection& db, uint64_t id) {
  Query query = db.query(kById);
  query << id;
  if (!query.next()) return std::nullopt;
  return read_message(query);
}

uint64_t message_last_clock(Connection& db, uint64_t conversation, int64_t rank) {
  Query query = db.query(
      "SELECT clock FROM message WHERE conversation=? AND rank=? ORDER BY clock DESC LIMIT 1");
  query << conversation << rank;
  return query.next() ? query.number(0) : 0;
}

std::optional<EvidenceRow> message_evidence(Connection& db, uint64_t id) {
  Query query = db.query("SELECT evidence, event FROM message WHERE id=?");
  query << id;
  if (!query.next()) return std::nullopt;
  return EvidenceRow{query.small(0), query.number(1)};
}

void message_set_evidence(Connection& db, uint64_t id, int32_t evidence, int32_t reason,
                          uint64_t event) {
  Query query = db.query("UPDATE message SET evidence=?, reason=?, event=? WHERE id=?");
  query << evidence << reason << event << id;
  query.run();
}

std::vector<MessageRow> history(Connection& db, uint64_t conversation, uint64_t from, bool older,
                                uint32_t limit) {
  int64_t clock = older ? INT64_MAX : -1;
  int64_t rank = older ? INT64_MAX : INT64_MIN;
  int64_t id = older ? INT64_MAX : -1;
  if (from != 0) {
    const std::optional<MessageRow> start = message(db, from);
    if (!start || start->conversation != conversation) return {};
    clock = static_cast<int64_t>(start->clock);
    rank = start->rank;
    id = static_cast<int64_t>(start->id);
  }
  std::vector<MessageRow> rows;
  Query query = db.query(older ? kOlder : kNewer);
  query << conversation << clock << rank << id << limit;
  while (query.next()) rows.push_back(read_message(query));
  if (older) std::reverse(rows.begin(), rows.end());
  return rows;
}

void outbox_insert(Connection& db, const OutboxRow& row) {
  Query query =
      db.query("INSERT INTO outbox(contact, seq, message, sealed, size) VALUES(?, ?, ?, ?, ?)");
  query << row.contact << row.seq << row.message << row.sealed << row.size;
  query.run();
}

std::vector<OutboxRow> outbox_unsealed(Connection& db, uint64_t contact, uint64_t seq,
                                       uint32_t limit) {
  std::vector<OutboxRow> rows;
  Query query = db.query(
      "SELECT contact, seq, message, sealed, size FROM outbox WHERE contact=? AND seq>=? AND "
      "sealed=0 ORDER BY seq LIMIT ?");
  query << contact << seq << limit;
  while (query.next()) rows.push_back(read_outbox(query));
  return rows;
}

uint64_t outbox_first(Connection& db, uint64_t contact) {
  Query query = db.query("SELECT seq FROM outbox WHERE contact=? ORDER BY seq LIMIT 1");
  query << contact;
  return query.next() ? query.number(0) : 0;
}

std::vector<OutboxRow> outbox_between(Connection& db, uint64_t contact, uint64_t first,
                                      uint64_t last) {
  std::vector<OutboxRow> rows;
  Query query = db.query(
      "SELECT contact, seq, message, sealed, size FROM outbox WHERE contact=? AND seq>=? AND "
      "seq<=? ORDER BY seq");
  query << contact << first << last;
  while (query.next()) rows.push_back(read_outbox(query));
  return rows;
}

std::vector<OutboxRow> outbox_sealed(Connection& db, uint64_t contact, uint64_t last) {
  std::vector<OutboxRow> rows;
  Query query = db.query(
      "SELECT contact, seq, message, sealed, size FROM outbox WHERE contact=? AND seq<=? AND "
      "sealed<>0 ORDER BY seq");
  query << contact << last;
  while (query.next()) rows.push_back(read_outbox(query));
  return rows;
}

void outbox_set_sealed(Connection& db, uint64_t contact, uint64_t first, uint64_t last,
                       uint64_t sealed) {
  Query query = db.query("UPDATE outbox SET sealed=? WHERE contact=? AND seq>=? AND seq<=?");
  query << sealed << contact << first << last;
  query.run();
}

void outbox_delete(Connection& db, uint64_t contact, uint64_t first, uint64_t last) {
  Query query = db.query("DELETE FROM outbox WHERE contact=? AND seq>=? AND seq<=?");
  query << contact << first << last;
  query.run();
}

uint64_t outbox_renumber(Connection& db, uint64_t contact) {
  // Acknowledged ones leave holes and order is kept, so a new number is never above the old one:
  // going upwards, its place is free.
  std::vector<uint64_t> numbers;
  {
    Query query = db.query("SELECT seq FROM outbox WHERE contact=? ORDER BY seq");
    query << contact;
    while (query.next()) numbers.push_back(query.number(0));
  }
  uint64_t next = 1;
  for (uint64_t number : numbers) {
    Query query = db.query("UPDATE outbox SET seq=?, sealed=0 WHERE contact=? AND seq=?");
    query << next++ << contact << number;
    query.run();
  }
  return next;
}

uint64_t outbox_count(Connection& db, uint64_t contact) {
  Query query = db.query("SELECT count(*) FROM outbox WHERE contact=?");
  query << contact;
  return query.next() ? query.number(0) : 0;
}

uint64_t outbox_waiting(Connection& db, uint64_t contact) {
  Query query = db.query("SELECT count(*) FROM outbox WHERE contact=? AND sealed=0");
  query << contact;
  return query.next() ? query.number(0) : 0;
}

BeyondGap outbox_beyond_gap(Connection& db, uint64_t contact) {
  Query query =
      db.query("SELECT count(*), ifnull(sum(size), 0) FROM outbox WHERE contact=? AND sealed=?");
  query << contact << kBeyondGap;
  return query.next() ? BeyondGap{query.number(0), query.number(1)} : BeyondGap{};
}

void outbox_take_back_beyond_gap(Connection& db, uint64_t contact) {
  Query query = db.query("UPDATE outbox SET sealed=0 WHERE contact=? AND sealed=?");
  query << contact << kBeyondGap;
  query.run();
}

uint64_t outbox_unsent(Connection& db, uint64_t contact) {
  Query query = db.query(
      "SELECT count(*) FROM outbox JOIN message ON message.id=outbox.message "
      "WHERE outbox.contact=? AND message.evidence=0");
  query << contact;
  return query.next() ? query.number(0) : 0;
}

uint64_t sealed_highest(Connection& db) {
  Query query = db.query("SELECT ifnull(max(id), 0) FROM sealed");
  return query.next() ? query.number(0) : 0;
}

void sealed_insert(Connection& db, const SealedRow& row) {
  Query query = db.query(
      "INSERT INTO sealed(id, contact, session, g, transport, endpoint, first_seq, last_seq, "
      "control, envelope) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  query << row.id << row.contact << row.session << row.g << row.transport << row.endpoint
        << row.first_seq << row.last_seq << row.control << row.envelope;
  query.run();
}

std::vector<SealedRow> sealed_of(Connection& db, uint64_t contact) {
  std::vector<SealedRow> rows;
  Query query = db.query(
      "SELECT id, contact, session, g, transport, endpoint, first_seq, last_seq, control "
      "FROM sealed WHERE contact=? ORDER BY id");
  query << contact;
  while (query.next()) {
    rows.push_back({query.number(0),
                    query.number(1),
                    query.number(2),
                    query.number(3),
                    query.number(4),
                    query.text(5),
                    query.number(6),
                    query.number(7),
                    query.integer(8) != 0,
                    {}});
  }
  return rows;
}

void sealed_keep_control(Connection& db, uint64_t id) {
  Query query = db.query("UPDATE sealed SET first_seq=0, last_seq=0 WHERE id=?");
  query << id;
  query.run();
}

std::optional<Bytes> sealed_envelope(Connection& db, uint64_t id) {
  Query query = db.query("SELECT envelope FROM sealed WHERE id=?");
  query << id;
  if (!query.next()) return std::nullopt;
  return query.bytes(0);
}

void sealed_delete(Connection& db, uint64_t id) {
  Query query = db.query("DELETE FROM sealed WHERE id=?");
  query << id;
  query.run();
}

std::vector<StreamRow> streams(Connection& db, uint64_t conversation) {
  std::vector<StreamRow> rows;
  Query query = db.query(
      "SELECT conversation, device, incarnation, next, ranges, owed FROM stream WHERE "
      "conversation=? ORDER BY rowid");
  query << conversation;
  while (query.next()) {
    rows.push_back({query.number(0), query.array<16>(1), query.number(2), query.number(3),
                    query.bytes(4), query.integer(5) != 0});
  }
  return rows;
}

void stream_put(Connection& db, const StreamRow& row) {
  Query query = db.query(
      "INSERT INTO stream(conversation, device, incarnation, next, ranges, owed) "
      "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(conversation, device, incarnation) DO UPDATE SET "
      "next=excluded.next, ranges=excluded.ranges, owed=excluded.owed");
  query << row.conversation << ByteView(row.device) << row.incarnation << row.next << row.ranges
        << row.owed;
  query.run();
}

uint64_t stream_delete(Connection& db, const StreamRow& row) {
  const uint64_t bytes = early_forget(db, row);
  Query query = db.query("DELETE FROM stream WHERE conversation=? AND device=? AND incarnation=?");
  query << row.conversation << ByteView(row.device) << row.incarnation;
  query.run();
  return bytes;
}

uint64_t early_bytes(Connection& db, uint64_t conversation) {
  Query query = db.query("SELECT COALESCE(SUM(LENGTH(record)), 0) FROM early WHERE conversation=?");
  query << conversation;
  return query.next() ? query.number(0) : 0;
}

void early_put(Connection& db, const StreamRow& stream, const EarlyRow& row) {
  Query query = db.query(
      "INSERT OR REPLACE INTO early(conversation, device, incarnation, seq, transport, record) "
      "VALUES(?, ?, ?, ?, ?, ?)");
  query << stream.conversation << ByteView(stream.device) << stream.incarnation << row.seq
        << row.transport << row.record;
  query.run();
}

uint64_t early_forget(Connection& db, const StreamRow& stream) {
  uint64_t bytes = 0;
  {
    Query query = db.query(
        "SELECT COALESCE(SUM(LENGTH(record)), 0) FROM early "
        "WHERE conversation=? AND device=? AND incarnation=?");
    query << stream.conversation << ByteView(stream.device) << stream.incarnation;
    if (query.next()) bytes = query.number(0);
  }
  Query query = db.query("DELETE FROM early WHERE conversation=? AND device=? AND incarnation=?");
  query << stream.conversation << ByteView(stream.device) << stream.incarnation;
  query.run();
  return bytes;
}

std::optional<EarlyRow> early_take(Connection& db, const StreamRow& stream, uint64_t seq) {
  std::optional<EarlyRow> row;
  {
    Query query = db.query(
        "SELECT transport, record FROM early WHERE conversation=? AND device=? AND incarnation=? "
        "AND seq=?");
    query << stream.conversation << ByteView(stream.device) << stream.incarnation << seq;
    if (query.next()) row = EarlyRow{seq, query.number(0), query.bytes(1)};
  }
  if (!row) return std::nullopt;
  Query query =
      db.query("DELETE FROM early WHERE conversation=? AND device=? AND incarnation=? AND seq=?");
  query << stream.conversation << ByteView(stream.device) << stream.incarnation << seq;
  query.run();
  return row;
}

}  // namespace wherry::store
