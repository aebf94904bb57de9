// Which message an id belongs to. Ids are random, so that each new one belongs on another page of
// their table: one page written for each message, when all else of a commit shares a few. So the
// newest are kept in memory alone, and are stored a slice of all at a time, when it has as many as
// are worth their pages. Nothing can be lost by that: the messages have their ids as well.
#ifndef WHERRY_STORE_MESSAGE_IDS_H
#define WHERRY_STORE_MESSAGE_IDS_H

#include <array>
#include <map>
#include <optional>

#include "base/secret.h"
#include "store/database.h"

namespace wherry::store {

// Of one profile; a cache of its database, to be thrown away when a commit fails.
class MessageIds {
 public:
  MessageIds() = default;
  // At opening. The key of the hashes is the profile's secret: nobody else can choose ids that fall
  // together.
  static Result<MessageIds> load(Connection& db, const Secret<32>& key);

  // The message's number.
  std::optional<uint64_t> find(Connection& db, uint64_t conversation, const Id128& id) const;
  // Of a message that was just inserted: its number is the highest. Its id is not known yet.
  void add(Connection& db, uint64_t conversation, const Id128& id, uint64_t message);

  // How many are in memory alone.
  size_t kept() const;

 private:
  // Hashes that begin with the same four bits.
  struct Slice {
    std::multimap<int64_t, uint64_t> newest;  // hash -> message, in the order of the table
    uint64_t stored = 0;  // of the messages up to this one all ids are in the table
  };
  static constexpr size_t kSlices = 16;

  int64_t hash_of(uint64_t conversation, const Id128& id) const;
  static size_t slice_of(int64_t hash) { return static_cast<uint64_t>(hash) >> 60; }
  static void store(Connection& db, Slice& slice, uint64_t last_message);

  Secret<32> key_;
  std::array<Slice, kSlices> slices_;
};

}  // namespace wherry::store

#endif  // WHERRY_STORE_MESSAGE_IDS_H
