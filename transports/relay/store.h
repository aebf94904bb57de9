// What the relay keeps on disk, behind an interface: embedded SQLite now (sqlite_store.h), a server
// database later.
//
// Used by one thread. Everything happens inside a transaction: begin, any number of the others,
// commit. A failure of any of them is remembered and makes commit answer false, after which nothing
// of the transaction is stored; until then the others answer something harmless. So the caller
// checks one place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transports/common/relay_keys.h"

namespace wherry::relay {

using transports::InboxId;
using transports::Locator;
using transports::PublicKey;
using transports::StoreId;
using transports::TokenHash;

struct InboxRow {
  std::int64_t row = 0;  // the store's number for it, 1..2^31-1
  TokenHash token_hash{};
  std::uint32_t next_number = 1;  // of the next envelope; never reused
  std::uint32_t envelopes = 0;    // stored now
  std::uint64_t bytes = 0;        // stored now
  std::int64_t opened_day = 0;    // days since 1970: when its owner last opened it
  std::int64_t closed_s = 0;      // 0: open; else when its owner gave it up
};

struct EnvelopeRow {
  std::uint32_t number = 0;
  std::string body;
};

struct BundleRow {
  PublicKey owner_key{};
  std::int64_t expires_s = 0;
  std::string body;
};

struct Removed {
  std::uint32_t envelopes = 0;
  std::uint64_t bytes = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // Random, made with the database.
  virtual const StoreId& id() const = 0;

  virtual void begin() = 0;
  // Durable when it returns true.
  virtual bool commit() = 0;

  virtual std::optional<InboxRow> find_inbox(const InboxId& id) = 0;
  // Out: row.row; 0 when it failed.
  virtual void create_inbox(const InboxId& id, InboxRow& row) = 0;
  virtual void update_inbox(const InboxRow& row) = 0;
  virtual void delete_inbox(std::int64_t row) = 0;  // with its envelopes
  // At most `limit` inboxes with a row number above `after`, in that order.
  virtual std::vector<std::pair<InboxId, InboxRow>> inboxes_after(std::int64_t after,
                                                                  std::size_t limit) = 0;

  // False when the inbox already holds the same `hash`.
  virtual bool insert_envelope(std::int64_t inbox, std::uint32_t number, std::int64_t arrived_s,
                               std::int64_t hash, std::string_view body) = 0;
  // Envelopes with a number above `after`, oldest first, until a limit is passed.
  virtual std::vector<EnvelopeRow> envelopes_after(std::int64_t inbox, std::uint32_t after,
                                                   std::size_t limit, std::size_t bytes) = 0;
  virtual Removed delete_envelopes(std::int64_t inbox, std::uint32_t first, std::uint32_t last) = 0;
  // Deletes the oldest ones that arrived before `before_s`.
  virtual Removed delete_arrived_before(std::int64_t inbox, std::int64_t before_s) = 0;

  virtual std::optional<BundleRow> find_bundle(const Locator& locator) = 0;
  virtual void put_bundle(const Locator& locator, const BundleRow& bundle) = 0;
  virtual void delete_bundles_expired(std::int64_t now_s, std::size_t limit) = 0;
};

}  // namespace wherry::relay
