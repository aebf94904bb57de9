// What sdk/capi/schema.toml says of reasons and events, as tables; their source is made at build
// time by cmake/describe.py.
#ifndef WHERRY_CAPI_SCHEMA_TEXTS_H
#define WHERRY_CAPI_SCHEMA_TEXTS_H

#include <cstdint>
#include <span>

namespace wherry::capi {

enum class FieldKind {
  kWide,   // 64 bits: a decimal string in JSON
  kSmall,  // 32 bits: a number in JSON
  kBytes,
  kText,
};

struct FieldInfo {
  int32_t field;     // wherry_field
  const char* name;  // in JSON
  FieldKind kind;
};

const char* reason_text(int32_t reason);
// Empty for an unknown type.
std::span<const FieldInfo> event_fields(int32_t type);

}  // namespace wherry::capi

#endif  // WHERRY_CAPI_SCHEMA_TEXTS_H
