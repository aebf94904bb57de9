// Lines of `wherry pipe`, with calls that take every kind of parameter and do nothing. Whatever a
// line holds, its response is one line of JSON with the request's id and either a result or an
// error that is the client's; what has no id and is a request gets none.
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "samples/cli/base64.h"
#include "samples/cli/pipe_request.h"

namespace {

using cli::Json;

// Methods are named by the type of their parameter `a`.
Json call(const std::string& name, const Json& params) {
  const cli::PipeParams given(params, {"a", "b"});
  if (name == "int32") return given.int32("a");
  if (name == "uint32") return given.uint32("a");
  if (name == "int64") return std::to_string(given.int64("a"));
  if (name == "uint64") return std::to_string(given.uint64("a"));
  if (name == "text") {
    must(given.text("a").find('\0') == std::string::npos);
    return given.text("a");
  }
  if (name == "optional_text") return given.optional_text("a").value_or("none");
  if (name == "bytes") {
    const cli::PipeBytes bytes = given.bytes("a");
    must(cli::base64_encode(bytes.data(), bytes.size()) == params.at("a").get<std::string>());
    return bytes.size();
  }
  if (name == "key") must(given.bytes("a", 32).size() == 32);
  if (name == "optional_key") return given.optional_bytes("a", 32).has_value();
  if (name == "object") return given.object("a").size();
  if (name == "table") {
    const cli::PipeTable table = given.table("a", {"name", "value"});
    for (const auto& row : table) must(row.size() == 2);
    return table.size();
  }
  throw cli::RpcError(cli::rpc_unknown_method, "unknown method " + name);
}

bool is_id(const Json& value) {
  return value.is_string() || value.is_number_integer() || value.is_null();
}

bool is_clients_fault(int code) {
  return code == cli::rpc_parse_error || code == cli::rpc_invalid_request ||
         code == cli::rpc_unknown_method || code == cli::rpc_invalid_params;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  const auto response = cli::pipe_respond(line, call);
  const Json request = Json::parse(line, nullptr, false);
  const bool has_id = request.is_object() && request.contains("id");
  if (!response) {
    must(request.is_object() && !has_id && request.at("jsonrpc") == "2.0");
    return 0;
  }
  must(response->find('\n') == std::string::npos && response->size() <= 2 * size + 256);
  const Json told = Json::parse(*response, nullptr, false);
  must(told.is_object() && told.size() == 3 && told.at("jsonrpc") == "2.0");
  must(told.at("id") == (has_id && is_id(request.at("id")) ? request.at("id") : Json(nullptr)));
  must(told.contains("result") != told.contains("error"));
  if (told.contains("error")) must(is_clients_fault(told.at("error").at("code").get<int>()));
  return 0;
}
