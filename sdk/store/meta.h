// Single named values.
#ifndef WHERRY_STORE_META_H
#define WHERRY_STORE_META_H

#include <optional>

#include "store/database.h"

namespace wherry::store {

std::optional<Bytes> meta_get(Connection& db, const std::string& name);
void meta_set(Connection& db, const std::string& name, ByteView value);

uint64_t meta_get_number(Connection& db, const std::string& name, uint64_t otherwise);
void meta_set_number(Connection& db, const std::string& name, uint64_t value);

}  // namespace wherry::store

#endif  // WHERRY_STORE_META_H
