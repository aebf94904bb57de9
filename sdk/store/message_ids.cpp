// Table message_id: hashes of ids, and the numbers of messages.
#include "store/message_ids.h"

#include <algorithm>

#include "base/limits.h"
#include "codec/fields.h"
#include "crypto/hash.h"
#include "store/meta.h"

namespace wherry::store {
namespace {

// For each slice the number up to which its ids are stored: u64 each.
constexpr const char* kStored = "message_ids_stored";

bool is_message(Connection& db, uint64_t message, uint64_t conversation, const Id128& id) {
  Query query = db.query("SELECT 1 FROM message WHERE id=? AND conversation=? AND mid=?");
  query << message << conversation << ByteView(id);
  return query.next();
}

}  // namespace

Result<MessageIds> MessageIds::load(Connection& db, const Secret<32>& key) {
  MessageIds ids;
  ids.key_ = crypto::derive_key(key.view(), "message ids");
  uint64_t from = 0;
  if (const std::optional<Bytes> stored = meta_get(db, kStored)) {
    if (stored->size() != kSlices * sizeof(uint64_t)) {
      return fail(WHERRY_E_CORRUPT, "the profile's messages are damaged: restore it from a backup");
    }
    codec::FieldReader in(*stored);
    for (Slice& slice : ids.slices_) slice.stored = in.number<uint64_t>();
    from = std::ranges::min_element(ids.slices_, {}, &Slice::stored)->stored;
  }
  Query query = db.query("SELECT id, conversation, mid FROM message WHERE id>?");
  query << from;
  while (query.next()) {
    const uint64_t message = query.number(0);
    const int64_t hash = ids.hash_of(query.number(1), query.array<16>(2));
    Slice& slice = ids.slices_[slice_of(hash)];
    if (message > slice.stored) slice.newest.emplace(hash, message);
  }
  return ids;
}

std::optional<uint64_t> MessageIds::find(Connection& db, uint64_t conversation,
                                         const Id128& id) const {
  const int64_t hash = hash_of(conversation, id);
  const Slice& slice = slices_[slice_of(hash)];
  const auto [first, last] = slice.newest.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    if (is_message(db, at->second, conversation, id)) return at->second;
  }
  Query query = db.query("SELECT message FROM message_id WHERE hash=?");
  query << hash;
  while (query.next()) {
    const uint64_t message = query.number(0);
    if (is_message(db, message, conversation, id)) return message;
  }
  return std::nullopt;
}

void MessageIds::add(Connection& db, uint64_t conversation, const Id128& id, uint64_t message) {
  const int64_t hash = hash_of(conversation, id);
  Slice& slice = slices_[slice_of(hash)];
  slice.newest.emplace(hash, message);
  if (slice.newest.size() < limits::kMessageIdsKept / kSlices) return;
  store(db, slice, message);
  Bytes stored;
  for (const Slice& one : slices_) codec::append_le(stored, one.stored);
  meta_set(db, kStored, stored);
}

size_t MessageIds::kept() const {
  size_t count = 0;
  for (const Slice& slice : slices_) count += slice.newest.size();
  return count;
}

int64_t MessageIds::hash_of(uint64_t conversation, const Id128& id) const {
  Bytes place;
  codec::append_le(place, conversation);
  const auto hash = crypto::hash<8>(key_.view(), "", {place, id});
  return static_cast<int64_t>(codec::load_le<uint64_t>(hash.data()));
}

void MessageIds::store(Connection& db, Slice& slice, uint64_t last_message) {
  for (const auto& [hash, message] : slice.newest) {
    Query query = db.query("INSERT INTO message_id(hash, message) VALUES(?, ?)");
    query << hash << message;
    query.run();
  }
  slice.newest.clear();
  slice.stored = last_message;
}

}  // namespace wherry::store
