// SQLite3 Multiple Ciphers behind Connection and Query.
#include "store/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstdio>

namespace wherry::store {

Error database_error(int code, const char* message, int system_error) {
  const std::string detail = message == nullptr ? "" : message;
  const int kind = code & 0xff;
  // SQLite calls it FULL when it writes, and a failure when it makes room for its files.
  const bool no_room = system_error == ENOSPC || system_error == EDQUOT;
  if (kind == SQLITE_FULL || (no_room && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN))) {
    return fail(WHERRY_E_DISK, "the disk is full: free some space and try again");
  }
  switch (kind) {
    case SQLITE_IOERR:
      return fail(WHERRY_E_DISK, "the disk failed (" + detail + ")");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(WHERRY_E_CORRUPT, "the profile's database is damaged: restore it from a backup");
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return fail(WHERRY_E_READ_ONLY, "the profile's files can not be written to");
    case SQLITE_CANTOPEN:
      return fail(WHERRY_E_DISK, "the profile's database can not be opened (" + detail + ")");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(WHERRY_E_LOCKED, "another program uses the profile's database");
    case SQLITE_NOMEM:
      return fail(WHERRY_E_MEMORY, "out of memory");
    default:
      return fail(WHERRY_E_INTERNAL, "the database refused a statement (" + detail + ")");
  }
}

Query::Query(Connection& connection, sqlite3_stmt* statement)
    : connection_(connection), statement_(statement) {}

Query::Query(Query&& other) noexcept
    : connection_(other.connection_), statement_(other.statement_), bound_(other.bound_) {
  other.statement_ = nullptr;
}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::operator<<(int64_t value) {
  if (statement_ != nullptr) sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Query& Query::operator<<(ByteView value) {
  if (statement_ == nullptr) return *this;
  // A null pointer would bind NULL; an empty byte string is not NULL.
  const void* data = value.empty() ? "" : static_cast<const void*>(value.data());
  sqlite3_bind_blob64(statement_, ++bound_, data, value.size(), SQLITE_STATIC);
  return *this;
}

Query& Query::operator<<(const std::string& value) {
  if (statement_ != nullptr) {
    sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  return *this;
}

bool Query::next() {
  if (statement_ == nullptr || connection_.failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.poison(sqlite3_extended_errcode(connection_.db_));
  return false;
}

int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

ByteView Query::view(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const uint8_t*>(data), static_cast<size_t>(size)};
}

Bytes Query::bytes(int column) const {
  const ByteView bytes = view(column);
  return {bytes.begin(), bytes.end()};
}

std::string Query::text(int column) const {
  return std::string(as_text(view(column)));
}

namespace {

constexpr int kBusy_ms = 2000;  // how long a connection waits for another

int move_log(sqlite3* db) {
  return sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

int execute(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
}

std::string key_pragma(const Secret<32>& key) {
  return "PRAGMA key=\"raw:" + to_hex(key.view()) + "\"";
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const OpenOptions& options,
                                                     const Secret<32>& key) {
  int flags = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* db = nullptr;
  int code = sqlite3_open_v2(options.path.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, options.vfs);
  std::unique_ptr<Connection> connection(new Connection(db));
  if (code != SQLITE_OK) return database_error(code, sqlite3_errmsg(db), sqlite3_system_errno(db));
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusy_ms);

  const char* cipher =
      options.cipher == Cipher::kAegis256 ? "PRAGMA cipher='aegis'" : "PRAGMA cipher='chacha20'";
  std::string pragma = key_pragma(key);
  code = execute(db, cipher);
  if (code == SQLITE_OK) code = execute(db, pragma);
  wipe(pragma.data(), pragma.size());
  if (code != SQLITE_OK) return database_error(code, sqlite3_errmsg(db), sqlite3_system_errno(db));

  // Deleted contents are overwritten. The log keeps its size at checkpoints: to write over what is
  // there costs half of what it does to make a file longer with each commit. See try_empty_log().
  std::string settings = "PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY;";
  if (!options.read_only) {
    settings += "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON;";
    settings += options.full_sync ? "PRAGMA synchronous=FULL;" : "PRAGMA synchronous=NORMAL;";
    settings += "PRAGMA wal_autocheckpoint=2000; PRAGMA cache_size=-4096;";
  } else {
    settings += "PRAGMA cache_size=-1024;";
  }
  settings += "SELECT count(*) FROM sqlite_schema;";  // reads a page: a wrong key shows here
  code = execute(db, settings);
  if (code != SQLITE_OK) {
    return database_error(sqlite3_extended_errcode(db), sqlite3_errmsg(db),
                          sqlite3_system_errno(db));
  }
  return connection;
}

Connection::~Connection() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

Query Connection::query(const char* sql) {
  auto [found, fresh] = statements_.try_emplace(sql, nullptr);
  if (fresh) {
    const int code =
        sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &found->second, nullptr);
    if (code != SQLITE_OK) {
      poison(sqlite3_extended_errcode(db_));
      statements_.erase(found);
      return Query(*this, nullptr);
    }
  }
  return Query(*this, found->second);
}

void Connection::run_script(const char* sql) {
  if (failed()) return;
  if (execute(db_, sql) != SQLITE_OK) poison(sqlite3_extended_errcode(db_));
}

void Connection::begin() {
  query("BEGIN IMMEDIATE").run();
}

bool Connection::commit() {
  if (!failed()) query("COMMIT").run();
  if (!failed()) return true;
  const Error error = *error_;
  rollback();
  error_ = error;
  return false;
}

void Connection::rollback() {
  forgive();
  if (sqlite3_get_autocommit(db_) == 0) query("ROLLBACK").run();
  forgive();
}

void Connection::empty_log() {
  if (const int code = move_log(db_); code != SQLITE_OK) poison(code);
}

void Connection::try_empty_log() {
  sqlite3_busy_timeout(db_, 0);
  move_log(db_);
  sqlite3_busy_timeout(db_, kBusy_ms);
}

Status Connection::take_status() {
  if (!failed()) return {};
  Error error = *error_;
  forgive();
  return error;
}

int64_t Connection::last_id() const {
  return sqlite3_last_insert_rowid(db_);
}

void Connection::poison(int code) {
  if (!error_) error_ = database_error(code, sqlite3_errmsg(db_), sqlite3_system_errno(db_));
}

}  // namespace wherry::store
