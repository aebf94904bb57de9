// JSON as the C interface gives it: 64-bit numbers as decimal strings, bytes as base64, one line.
#ifndef WHERRY_CAPI_JSON_H
#define WHERRY_CAPI_JSON_H

#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.h"
#include "wherry/wherry_schema.h"

namespace wherry::capi {

using Json = nlohmann::ordered_json;

inline std::string wide(uint64_t value) {
  return std::to_string(value);
}
inline std::string wide(int64_t value) {
  return std::to_string(value);
}
// RFC 4648 §4, with padding.
std::string base64(ByteView bytes);
// `body`, and for a text also `text`.
void add_body(Json& out, int32_t content, ByteView body);
// Facts by observer, all WHERRY_OBSERVER_ROOM of them.
Json facts_of(const wherry_reveals& set);
// Invalid UTF-8 is replaced, never thrown at.
std::string dump(const Json& json);

}  // namespace wherry::capi

#endif  // WHERRY_CAPI_JSON_H
