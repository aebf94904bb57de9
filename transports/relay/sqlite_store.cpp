// The relay's store on SQLite; the only SQL of the relay.
#include "sqlite_store.h"

#include <sqlite3.h>

#include <array>
#include <cstring>

#include "transports/common/crypto.h"

namespace wherry::relay {
namespace {

constexpr int kApplicationId = 0x57525931;  // "WRY1"
constexpr int kSchemaVersion = 1;

constexpr const char* kSchema =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE inbox(row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, token_hash BLOB NOT NULL,"
    " next_number INTEGER NOT NULL, envelopes INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " opened_day INTEGER NOT NULL, closed_s INTEGER NOT NULL);"
    "CREATE TABLE envelope(key INTEGER PRIMARY KEY, inbox INTEGER NOT NULL, hash INTEGER NOT NULL,"
    " arrived_s INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE UNIQUE INDEX envelope_once ON envelope(inbox, hash);"
    "CREATE TABLE bundle(locator BLOB PRIMARY KEY, owner_key BLOB NOT NULL,"
    " expires_s INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX bundle_expiry ON bundle(expires_s);";

std::int64_t envelope_key(std::int64_t inbox, std::uint32_t number) {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(inbox) << 32U) | number);
}

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// One run of a prepared statement: binds in order, steps, and resets at the end of its life.
class Run {
 public:
  Run(sqlite3_stmt* statement, bool& failed) : statement_(statement), failed_(failed) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  Run& bind(std::int64_t value) {
    note(sqlite3_bind_int64(statement_, ++bound_, value));
    return *this;
  }
  Run& bind(const void* data, std::size_t size) {
    note(sqlite3_bind_blob64(statement_, ++bound_, data, size, SQLITE_STATIC));
    return *this;
  }
  template <std::size_t Size>
  Run& bind(const std::array<std::uint8_t, Size>& bytes) {
    return bind(bytes.data(), bytes.size());
  }

  // True when there is a row.
  bool step() {
    if (failed_) return false;
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) failed_ = true;
    return code == SQLITE_ROW;
  }

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view blob(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
  }
  // A blob of fixed size: another size means that the database is damaged.
  template <std::size_t Size>
  std::array<std::uint8_t, Size> bytes(int column) {
    std::array<std::uint8_t, Size> out{};
    const std::string_view value = blob(column);
    if (value.size() == Size) {
      std::memcpy(out.data(), value.data(), Size);
    } else {
      failed_ = true;
    }
    return out;
  }

 private:
  void note(int code) {
    if (code != SQLITE_OK) failed_ = true;
  }

  sqlite3_stmt* statement_;
  bool& failed_;
  int bound_ = 0;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(Database database, const StoreId& id) : database_(std::move(database)), id_(id) {
    for (std::size_t i = 0; i < kStatementCount; ++i) {
      sqlite3_stmt* statement = nullptr;
      if (sqlite3_prepare_v3(database_.get(), kStatements[i], -1, SQLITE_PREPARE_PERSISTENT,
                             &statement, nullptr) != SQLITE_OK) {
        prepared_ = false;
      }
      statements_[i].reset(statement);
    }
  }

  bool prepared() const { return prepared_; }

  const StoreId& id() const override { return id_; }

  void begin() override {
    failed_ = false;
    run(kBegin).step();
  }

  bool commit() override {
    if (!failed_) run(kCommit).step();
    if (!failed_) return true;
    // A failed statement may already have ended the transaction.
    if (sqlite3_get_autocommit(database_.get()) == 0) {
      failed_ = false;
      run(kRollback).step();
    }
    // The log may be what fills the disk: give its space back, so that deletions can go on.
    sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                              nullptr);
    failed_ = true;
    return false;
  }

  std::optional<InboxRow> find_inbox(const InboxId& id) override {
    Run find = run(kFindInbox);
    if (!find.bind(id).step()) return std::nullopt;
    return inbox_row(find, 0);
  }

  void create_inbox(const InboxId& id, InboxRow& row) override {
    run(kCreateInbox)
        .bind(id)
        .bind(row.token_hash)
        .bind(row.next_number)
        .bind(row.opened_day)
        .step();
    row.row = failed_ ? 0 : sqlite3_last_insert_rowid(database_.get());
    if (row.row > INT32_MAX) failed_ = true;  // the key of an envelope has no more room
  }

  void update_inbox(const InboxRow& row) override {
    run(kUpdateInbox)
        .bind(row.row)
        .bind(row.token_hash)
        .bind(row.next_number)
        .bind(row.envelopes)
        .bind(static_cast<std::int64_t>(row.bytes))
        .bind(row.opened_day)
        .bind(row.closed_s)
        .step();
  }

  void delete_inbox(std::int64_t row) override {
    delete_envelopes(row, 0, UINT32_MAX);
    run(kDeleteInbox).bind(row).step();
  }

  std::vector<std::pair<InboxId, InboxRow>> inboxes_after(std::int64_t after,
                                                          std::size_t limit) override {
    std::vector<std::pair<InboxId, InboxRow>> found;
    Run list = run(kInboxesAfter);
    list.bind(after).bind(static_cast<std::int64_t>(limit));
    while (list.step()) found.emplace_back(list.bytes<16>(0), inbox_row(list, 1));
    return found;
  }

  bool insert_envelope(std::int64_t inbox, std::uint32_t number, std::int64_t arrived_s,
                       std::int64_t hash, std::string_view body) override {
    run(kInsertEnvelope)
        .bind(envelope_key(inbox, number))
        .bind(inbox)
        .bind(hash)
        .bind(arrived_s)
        .bind(body.data(), body.size())
        .step();
    return sqlite3_changes(database_.get()) > 0;
  }

  std::vector<EnvelopeRow> envelopes_after(std::int64_t inbox, std::uint32_t after,
                                           std::size_t limit, std::size_t bytes) override {
    std::vector<EnvelopeRow> found;
    if (after == UINT32_MAX) return found;
    Run read = run(kEnvelopesAfter);
    read.bind(envelope_key(inbox, after)).bind(envelope_key(inbox, UINT32_MAX));
    read.bind(static_cast<std::int64_t>(limit));
    std::size_t taken = 0;
    while (taken < bytes && read.step()) {
      found.push_back({static_cast<std::uint32_t>(read.integer(0)), std::string(read.blob(1))});
      taken += found.back().body.size();
    }
    return found;
  }

  Removed delete_envelopes(std::int64_t inbox, std::uint32_t first, std::uint32_t last) override {
    Removed removed;
    Run remove = run(kDeleteEnvelopes);
    remove.bind(envelope_key(inbox, first)).bind(envelope_key(inbox, last));
    while (remove.step()) {
      ++removed.envelopes;
      removed.bytes += static_cast<std::uint64_t>(remove.integer(0));
    }
    return removed;
  }

  Removed delete_arrived_before(std::int64_t inbox, std::int64_t before_s) override {
    std::int64_t newest = -1;
    {
      Run oldest = run(kArrivedBefore);
      oldest.bind(envelope_key(inbox, 0)).bind(envelope_key(inbox, UINT32_MAX));
      while (oldest.step() && oldest.integer(1) < before_s) newest = oldest.integer(0);
    }
    if (newest < 0) return {};
    return delete_envelopes(inbox, 0, static_cast<std::uint32_t>(newest & UINT32_MAX));
  }

  std::optional<BundleRow> find_bundle(const Locator& locator) override {
    Run find = run(kFindBundle);
    if (!find.bind(locator).step()) return std::nullopt;
    return BundleRow{find.bytes<32>(0), find.integer(1), std::string(find.blob(2))};
  }

  void put_bundle(const Locator& locator, const BundleRow& bundle) override {
    run(kPutBundle)
        .bind(locator)
        .bind(bundle.owner_key)
        .bind(bundle.expires_s)
        .bind(bundle.body.data(), bundle.body.size())
        .step();
  }

  void delete_bundles_expired(std::int64_t now_s, std::size_t limit) override {
    run(kExpireBundles).bind(now_s).bind(static_cast<std::int64_t>(limit)).step();
  }

 private:
  enum StatementIndex : std::size_t {
    kBegin,
    kCommit,
    kRollback,
    kFindInbox,
    kCreateInbox,
    kUpdateInbox,
    kDeleteInbox,
    kInboxesAfter,
    kInsertEnvelope,
    kEnvelopesAfter,
    kDeleteEnvelopes,
    kArrivedBefore,
    kFindBundle,
    kPutBundle,
    kExpireBundles,
    kStatementCount
  };
  static constexpr std::array<const char*, kStatementCount> kStatements = {
      "BEGIN IMMEDIATE",
      "COMMIT",
      "ROLLBACK",
      "SELECT row,token_hash,next_number,envelopes,bytes,opened_day,closed_s FROM inbox WHERE id=?",
      "INSERT INTO inbox(id,token_hash,next_number,opened_day,envelopes,bytes,closed_s)"
      " VALUES(?,?,?,?,0,0,0)",
      "UPDATE inbox SET token_hash=?2,next_number=?3,envelopes=?4,bytes=?5,opened_day=?6,"
      "closed_s=?7 WHERE row=?1",
      "DELETE FROM inbox WHERE row=?",
      "SELECT id,row,token_hash,next_number,envelopes,bytes,opened_day,closed_s FROM inbox"
      " WHERE row>? ORDER BY row LIMIT ?",
      "INSERT OR IGNORE INTO envelope(key,inbox,hash,arrived_s,body) VALUES(?,?,?,?,?)",
      "SELECT key & 4294967295,body FROM envelope WHERE key>? AND key<=? ORDER BY key LIMIT ?",
      "DELETE FROM envelope WHERE key BETWEEN ? AND ? RETURNING length(body)",
      "SELECT key,arrived_s FROM envelope WHERE key BETWEEN ? AND ? ORDER BY key",
      "SELECT owner_key,expires_s,body FROM bundle WHERE locator=?",
      "INSERT OR REPLACE INTO bundle(locator,owner_key,expires_s,body) VALUES(?,?,?,?)",
      "DELETE FROM bundle WHERE locator IN"
      " (SELECT locator FROM bundle WHERE expires_s<=? ORDER BY expires_s LIMIT ?)",
  };

  Run run(StatementIndex index) { return Run(statements_[index].get(), failed_); }

  static InboxRow inbox_row(Run& from, int first) {
    InboxRow row;
    row.row = from.integer(first);
    row.token_hash = from.bytes<32>(first + 1);
    row.next_number = static_cast<std::uint32_t>(from.integer(first + 2));
    row.envelopes = static_cast<std::uint32_t>(from.integer(first + 3));
    row.bytes = static_cast<std::uint64_t>(from.integer(first + 4));
    row.opened_day = from.integer(first + 5);
    row.closed_s = from.integer(first + 6);
    return row;
  }

  // Statements are finalized before their database closes: members go in reverse order.
  Database database_;
  std::array<Statement, kStatementCount> statements_;
  const StoreId id_;
  bool prepared_ = true;
  bool failed_ = false;
};

bool execute(sqlite3* database, const std::string& sql) {
  return sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::optional<std::int64_t> query_integer(sqlite3* database, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &raw, nullptr) != SQLITE_OK) return std::nullopt;
  const Statement statement(raw);
  if (sqlite3_step(raw) != SQLITE_ROW) return std::nullopt;
  return sqlite3_column_int64(raw, 0);
}

// "ok", or what is wrong.
std::string quick_check(sqlite3* database) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, "PRAGMA quick_check(1)", -1, &raw, nullptr) != SQLITE_OK) {
    return sqlite3_errmsg(database);
  }
  const Statement statement(raw);
  if (sqlite3_step(raw) != SQLITE_ROW) return sqlite3_errmsg(database);
  return reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
}

bool make_schema(sqlite3* database) {
  StoreId id{};
  transports::random_bytes(id);
  if (!execute(database, "BEGIN IMMEDIATE") || !execute(database, kSchema)) return false;
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, "INSERT INTO meta VALUES('store_id',?)", -1, &raw, nullptr) !=
      SQLITE_OK) {
    return false;
  }
  const Statement statement(raw);
  sqlite3_bind_blob(raw, 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
  if (sqlite3_step(raw) != SQLITE_DONE) return false;
  return execute(database, "PRAGMA application_id=" + std::to_string(kApplicationId)) &&
         execute(database, "PRAGMA user_version=" + std::to_string(kSchemaVersion)) &&
         execute(database, "COMMIT");
}

std::optional<StoreId> read_store_id(sqlite3* database) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, "SELECT value FROM meta WHERE name='store_id'", -1, &raw,
                         nullptr) != SQLITE_OK) {
    return std::nullopt;
  }
  const Statement statement(raw);
  StoreId id{};
  if (sqlite3_step(raw) != SQLITE_ROW ||
      sqlite3_column_bytes(raw, 0) != static_cast<int>(id.size())) {
    return std::nullopt;
  }
  std::memcpy(id.data(), sqlite3_column_blob(raw, 0), id.size());
  return id;
}

// Empty when the database can be used, after making its tables if it is new.
std::string prepare(sqlite3* database) {
  const auto application = query_integer(database, "PRAGMA application_id");
  const auto version = query_integer(database, "PRAGMA user_version");
  const auto tables = query_integer(database, "SELECT count(*) FROM sqlite_schema");
  if (!application || !version || !tables) return sqlite3_errmsg(database);
  if (*tables == 0 && *application == 0 && *version == 0) {
    return make_schema(database) ? "" : sqlite3_errmsg(database);
  }
  if (*application != kApplicationId) return "it is not a database of wherry-relay";
  if (*version > kSchemaVersion) return "it was written by a newer version of wherry-relay";
  const std::string check = quick_check(database);
  return check == "ok" ? "" : "it is damaged: " + check;
}

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file,
                                         const StoreOptions& options, std::string& error) {
  const auto fail = [&](const std::string& why) {
    error = "cannot use the database " + file.string() + ": " + why;
    return nullptr;
  };
  const auto fail_of = [&](sqlite3* database) {
    const bool full = sqlite3_errcode(database) == SQLITE_FULL;
    return fail(sqlite3_errmsg(database) +
                std::string(full ? ": make room on its disk, then start the relay again" : ""));
  };
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) return fail(raw == nullptr ? "no memory" : sqlite3_errmsg(raw));
  // One process owns the file (a lock file sees to that), so the log's index can stay in memory.
  // A page is zeroed when deleting touches it anyway: acknowledged envelopes leave no copy there.
  const bool configured =
      execute(raw, "PRAGMA locking_mode=EXCLUSIVE") && execute(raw, "PRAGMA journal_mode=WAL") &&
      execute(raw, options.full_sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL") &&
      execute(raw, "PRAGMA secure_delete=FAST") && execute(raw, "PRAGMA cache_size=-16384") &&
      execute(raw, "PRAGMA wal_autocheckpoint=4000") &&
      execute(raw, "PRAGMA journal_size_limit=67108864") &&
      // What the log held when a sync failed may be in the page cache alone: it is written anew.
      execute(raw, "PRAGMA wal_checkpoint(TRUNCATE)");
  if (!configured) return fail_of(raw);
  const std::string problem = prepare(raw);
  if (!problem.empty()) return fail(problem);
  if (options.page_count_max != 0 &&
      !execute(raw, "PRAGMA max_page_count=" + std::to_string(options.page_count_max))) {
    return fail(sqlite3_errmsg(raw));
  }
  const auto id = read_store_id(raw);
  if (!id) return fail("it is damaged: it has no store id");
  auto store = std::make_unique<SqliteStore>(std::move(database), *id);
  if (!store->prepared()) return fail("its tables are not as expected");
  return store;
}

}  // namespace wherry::relay
