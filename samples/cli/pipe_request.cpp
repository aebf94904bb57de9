// JSON-RPC requests and responses; see pipe_request.h.
#include "pipe_request.h"

namespace cli {
namespace {

std::string to_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json error_response(const Json& id, const RpcError& error) {
  Json told = {{"code", error.code()}, {"message", error.what()}};
  if (!error.data().is_null()) told["data"] = error.data();
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", told}};
}

Json parse(const std::string& line) {
  Json request = Json::parse(line, nullptr, false);
  if (request.is_discarded()) throw RpcError(rpc_parse_error, "this line is not JSON");
  if (request.is_array()) {
    throw RpcError(rpc_invalid_request, "batches are not taken: write one object a line");
  }
  if (!request.is_object()) throw RpcError(rpc_invalid_request, "a request is an object");
  return request;
}

// Whether it has an id, and so wants an answer. Throws when the id is none.
bool has_valid_id(const Json& request) {
  const auto id = request.find("id");
  if (id == request.end()) return false;
  if (!id->is_string() && !id->is_number_integer() && !id->is_null()) {
    throw RpcError(rpc_invalid_request, "an id is a string or an integer");
  }
  return true;
}

// Throws when it is no request of this protocol; that is told even when there is no id.
void check(const Json& request) {
  const auto version = request.find("jsonrpc");
  const auto method = request.find("method");
  if (version == request.end() || *version != "2.0") {
    throw RpcError(rpc_invalid_request, "jsonrpc must be \"2.0\"");
  }
  if (method == request.end() || !method->is_string()) {
    throw RpcError(rpc_invalid_request, "method must be a string");
  }
}

}  // namespace

std::optional<std::string> pipe_respond(const std::string& line, const PipeCaller& call) {
  Json id = nullptr;
  bool is_wanted = true;
  Json response;
  try {
    const Json request = parse(line);
    const bool has_id = has_valid_id(request);
    if (has_id) id = request.at("id");
    check(request);
    is_wanted = has_id;
    const auto params = request.find("params");
    Json result = call(request.at("method").get_ref<const std::string&>(),
                       params == request.end() ? Json::object() : *params);
    response = {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
  } catch (const RpcError& error) {
    response = error_response(id, error);
  } catch (const Json::exception& error) {
    response = error_response(id, RpcError(rpc_internal_error, error.what()));
  }
  if (!is_wanted) return std::nullopt;
  return to_line(response);
}

std::string pipe_refuse_line() {
  return to_line(
      error_response(nullptr, RpcError(rpc_invalid_request, "a line has at most 1048576 bytes")));
}

}  // namespace cli
