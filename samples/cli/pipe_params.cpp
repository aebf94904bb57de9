// Parameters of a JSON-RPC call; see pipe_params.h.
#include "pipe_params.h"

#include <string.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base64.h"
#include "enum_names.h"

namespace cli {
namespace {

RpcError bad(const char* name, const std::string& what) {
  return {rpc_invalid_params, std::string("the parameter ") + name + " " + what};
}

template <class Number>
Number small_number(const Json& value, const char* name) {
  if (!value.is_number_integer()) throw bad(name, "must be an integer");
  // Beyond int64 a JSON integer is unsigned, and too large for both types that come here.
  const bool huge = value.is_number_unsigned() &&
                    value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<Number>::max()};
  const std::int64_t number = huge ? 0 : value.get<std::int64_t>();
  if (huge || number < std::numeric_limits<Number>::min() ||
      number > std::int64_t{std::numeric_limits<Number>::max()}) {
    throw bad(name, "is out of range");
  }
  return static_cast<Number>(number);
}

template <class Number>
Number decimal(const Json& value, const char* name) {
  if (!value.is_string()) throw bad(name, "must be a decimal number as a string");
  const std::string& text = value.get_ref<const std::string&>();
  Number number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) {
    throw bad(name, "must be a decimal number as a string");
  }
  return number;
}

std::string plain_text(const Json& value, const char* name) {
  if (!value.is_string()) throw bad(name, "must be a string");
  std::string text = value.get<std::string>();
  if (text.find('\0') != std::string::npos) throw bad(name, "must not contain U+0000");
  return text;
}

}  // namespace

RpcError call_error(std::int32_t status, const wherry_error& error) {
  const std::string text = error.text[0] != 0 ? error.text : wherry_status_text(status);
  return {status, text,
          Json{{"reason", error.reason}, {"text", text}, {"name", status_name(status)}}};
}

Json library_json(const char* text) {
  if (text == nullptr) throw RpcError(rpc_internal_error, "out of memory");
  return Json::parse(text);
}

Json reveals_json(const wherry_reveals& set) {
  return Json(set.facts);
}

PipeBytes::~PipeBytes() {
  if (!bytes_.empty()) explicit_bzero(bytes_.data(), bytes_.size());
}

PipeParams::PipeParams(const Json& given, std::initializer_list<std::string_view> allowed)
    : given_(given) {
  if (!given.is_object()) throw RpcError(rpc_invalid_params, "parameters go by name, in an object");
  for (const auto& [name, value] : given.items()) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      throw bad(name.c_str(), "is unknown");
    }
  }
}

bool PipeParams::has(const char* name) const {
  const auto at = given_.find(name);
  return at != given_.end() && !at->is_null();
}

const Json& PipeParams::get(const char* name) const {
  if (!has(name)) throw bad(name, "is missing");
  return *given_.find(name);
}

std::int32_t PipeParams::int32(const char* name) const {
  return small_number<std::int32_t>(get(name), name);
}

std::uint32_t PipeParams::uint32(const char* name) const {
  return small_number<std::uint32_t>(get(name), name);
}

std::int64_t PipeParams::int64(const char* name) const {
  return decimal<std::int64_t>(get(name), name);
}

std::uint64_t PipeParams::uint64(const char* name) const {
  return decimal<std::uint64_t>(get(name), name);
}

std::string PipeParams::text(const char* name) const {
  return plain_text(get(name), name);
}

std::optional<std::string> PipeParams::optional_text(const char* name) const {
  if (!has(name)) return std::nullopt;
  return text(name);
}

PipeBytes PipeParams::bytes(const char* name) const {
  const Json& value = get(name);
  if (!value.is_string()) throw bad(name, "must be base64 in a string");
  auto decoded = base64_decode(value.get_ref<const std::string&>());
  if (!decoded) throw bad(name, "is not base64");
  return PipeBytes(std::move(*decoded));
}

PipeBytes PipeParams::bytes(const char* name, std::size_t size) const {
  PipeBytes found = bytes(name);
  if (found.size() != size) throw bad(name, "must have " + std::to_string(size) + " bytes");
  return found;
}

std::optional<PipeBytes> PipeParams::optional_bytes(const char* name, std::size_t size) const {
  if (!has(name)) return std::nullopt;
  return bytes(name, size);
}

wherry_reveals PipeParams::reveals(const char* name) const {
  const Json& list = get(name);
  if (!list.is_array() || list.size() != WHERRY_OBSERVER_ROOM) {
    throw bad(name, "must be an array of " + std::to_string(WHERRY_OBSERVER_ROOM) + " numbers");
  }
  wherry_reveals set{};
  for (std::size_t i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
    set.facts[i] = small_number<std::uint32_t>(list[i], name);
  }
  return set;
}

const Json& PipeParams::object(const char* name) const {
  const Json& value = get(name);
  if (!value.is_object()) throw bad(name, "must be an object");
  return value;
}

PipeTable PipeParams::table(const char* name, std::initializer_list<const char*> members) const {
  const Json& rows = get(name);
  if (!rows.is_array()) throw bad(name, "must be an array of objects");
  PipeTable table;
  for (const Json& row : rows) {
    if (!row.is_object() || row.size() != members.size()) {
      throw bad(name, "has an element that is not an object with the right members");
    }
    std::vector<std::string>& cells = table.emplace_back();
    for (const char* member : members) {
      const auto at = row.find(member);
      if (at == row.end()) throw bad(name, std::string("has an element without ") + member);
      cells.push_back(plain_text(*at, name));
    }
  }
  return table;
}

}  // namespace cli
