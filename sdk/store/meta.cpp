// Table meta.
#include "store/meta.h"

#include "codec/fields.h"

namespace wherry::store {

std::optional<Bytes> meta_get(Connection& db, const std::string& name) {
  Query query = db.query("SELECT value FROM meta WHERE name=?");
  query << name;
  if (!query.next()) return std::nullopt;
  return query.bytes(0);
}

void meta_set(Connection& db, const std::string& name, ByteView value) {
  Query query = db.query("INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)");
  query << name << value;
  query.run();
}

uint64_t meta_get_number(Connection& db, const std::string& name, uint64_t otherwise) {
  const std::optional<Bytes> value = meta_get(db, name);
  if (!value || value->size() != sizeof(uint64_t)) return otherwise;
  return codec::load_le<uint64_t>(value->data());
}

void meta_set_number(Connection& db, const std::string& name, uint64_t value) {
  std::array<uint8_t, sizeof value> bytes;
  codec::store_le(bytes.data(), value);
  meta_set(db, name, bytes);
}

}  // namespace wherry::store
