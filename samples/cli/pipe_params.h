// Parameters of a JSON-RPC call, checked and converted to what the C functions take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "wherry/wherry.h"

namespace cli {

using Json = nlohmann::ordered_json;

// JSON-RPC 2.0's own codes, §5.1. Other codes are statuses of Wherry.
constexpr int rpc_parse_error = -32700;
constexpr int rpc_invalid_request = -32600;
constexpr int rpc_unknown_method = -32601;
constexpr int rpc_invalid_params = -32602;
constexpr int rpc_internal_error = -32603;

// Becomes an error response.
class RpcError : public std::runtime_error {
 public:
  RpcError(int code, const std::string& text, Json data = nullptr)
      : std::runtime_error(text), code_(code), data_(std::move(data)) {}
  int code() const { return code_; }
  const Json& data() const { return data_; }

 private:
  int code_;
  Json data_;
};

// A failed call: the code is the status; `data` has reason, text and name.
RpcError call_error(std::int32_t status, const wherry_error& error);

// Facts by observer, all WHERRY_OBSERVER_ROOM of them.
Json reveals_json(const wherry_reveals& set);

// JSON text of the library's as a value.
Json library_json(const char* text);

// Bytes that are wiped when no longer needed: they may be a key.
class PipeBytes {
 public:
  explicit PipeBytes(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  PipeBytes(PipeBytes&&) noexcept = default;
  PipeBytes(const PipeBytes&) = delete;
  PipeBytes& operator=(const PipeBytes&) = delete;
  PipeBytes& operator=(PipeBytes&&) = delete;
  ~PipeBytes();

  const std::uint8_t* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::vector<std::uint8_t> bytes_;
};

// Rows of texts, for an array of structs.
using PipeTable = std::vector<std::vector<std::string>>;

// An object of parameters. What is unknown, missing or of the wrong type throws an RpcError with
// rpc_invalid_params. A member that is null counts as not given.
class PipeParams {
 public:
  // Keeps a reference to `given`.
  PipeParams(const Json& given, std::initializer_list<std::string_view> allowed);

  bool has(const char* name) const;
  std::int32_t int32(const char* name) const;
  std::uint32_t uint32(const char* name) const;
  std::int64_t int64(const char* name) const;    // a decimal string
  std::uint64_t uint64(const char* name) const;  // a decimal string
  std::string text(const char* name) const;
  std::optional<std::string> optional_text(const char* name) const;
  PipeBytes bytes(const char* name) const;  // base64
  PipeBytes bytes(const char* name, std::size_t size) const;
  std::optional<PipeBytes> optional_bytes(const char* name, std::size_t size) const;
  wherry_reveals reveals(const char* name) const;  // numbers, by observer
  const Json& object(const char* name) const;
  // An array of objects that have exactly these members, all texts.
  PipeTable table(const char* name, std::initializer_list<const char*> members) const;

 private:
  const Json& get(const char* name) const;

  const Json& given_;
};

}  // namespace cli
