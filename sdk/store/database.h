// One connection to the encrypted database, and queries on it.
//
// Errors are sticky: the first failed statement poisons the connection until rollback() or
// forgive(); later statements do nothing. So code between begin() and commit() reads straight on,
// and whoever owns the transaction asks once, at commit. A poisoned read returns no rows.
//
// Not thread-safe: one thread at a time for each connection.
#ifndef WHERRY_STORE_DATABASE_H
#define WHERRY_STORE_DATABASE_H

#include <memory>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

struct sqlite3;
struct sqlite3_stmt;

namespace wherry::store {

enum class Cipher : uint16_t { kAegis256 = 1, kChaCha20 = 2 };

struct OpenOptions {
  std::string path;
  Cipher cipher = Cipher::kChaCha20;
  bool create = false;
  bool read_only = false;
  bool full_sync = true;      // FULL: a commit survives loss of power; else NORMAL
  const char* vfs = nullptr;  // SQLite's default if null
};

class Connection;

// A statement in use; given back to its connection when it goes.
class Query {
 public:
  Query(Connection& connection, sqlite3_stmt* statement);
  Query(Query&& other) noexcept;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query& operator=(Query&&) = delete;
  ~Query();

  // Binds the next parameters in turn. Bytes are borrowed until the query goes.
  Query& operator<<(int64_t value);
  Query& operator<<(uint64_t value) { return *this << static_cast<int64_t>(value); }
  Query& operator<<(int32_t value) { return *this << static_cast<int64_t>(value); }
  Query& operator<<(uint32_t value) { return *this << static_cast<int64_t>(value); }
  Query& operator<<(bool value) { return *this << static_cast<int64_t>(value); }
  Query& operator<<(ByteView value);
  Query& operator<<(const std::string& value);

  // The next row; false at the end or on failure.
  bool next();
  // Runs a statement without rows.
  void run() {
    while (next()) {
    }
  }

  int64_t integer(int column) const;
  uint64_t number(int column) const { return static_cast<uint64_t>(integer(column)); }
  int32_t small(int column) const { return static_cast<int32_t>(integer(column)); }
  bool is_null(int column) const;
  ByteView view(int column) const;  // until the next call of next()
  Bytes bytes(int column) const;
  std::string text(int column) const;
  template <size_t N>
  std::array<uint8_t, N> array(int column) const {
    return to_array<N>(view(column));
  }

 private:
  Connection& connection_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const OpenOptions& options,
                                                  const Secret<32>& key);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // A query whose statement is prepared once for each `sql` pointer: give string literals only.
  Query query(const char* sql);
  // Runs statements that are used once.
  void run_script(const char* sql);

  void begin();
  // True: durable. False: nothing of the transaction happened; error() says why.
  bool commit();
  void rollback();
  // Moves all of the log into the database and empties it. E_BUSY while somebody reads from it.
  void empty_log();
  // The same, unless somebody reads just now or the disk does not work: then another time. So that
  // the log does not keep what was deleted.
  void try_empty_log();

  bool failed() const { return error_.has_value(); }
  const Error& error() const { return *error_; }
  void forgive() { error_.reset(); }
  // OK or the error; forgives.
  Status take_status();

  int64_t last_id() const;

 private:
  friend class Query;
  explicit Connection(sqlite3* db) : db_(db) {}
  void poison(int code);

  sqlite3* db_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::optional<Error> error_;
};

// The status and text for a failed SQLite call. system_error: the errno behind a failure of input
// or output.
Error database_error(int code, const char* message, int system_error);

// Reads of one moment: all that a connection reads while this lives. A look-up needs no lock of its
// own then.
class Snapshot {
 public:
  explicit Snapshot(Connection& db) : db_(db) { db_.query("BEGIN").run(); }
  ~Snapshot() { db_.rollback(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Whether everything could be read.
  Status end() {
    Status status = db_.take_status();
    db_.rollback();
    return status;
  }

 private:
  Connection& db_;
};

}  // namespace wherry::store

#endif  // WHERRY_STORE_DATABASE_H
