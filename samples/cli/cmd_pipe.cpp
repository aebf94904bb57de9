// wherry pipe: the whole C interface as JSON-RPC 2.0 on standard input and output.
//
// Request       {"jsonrpc":"2.0","id":1,"method":"contact_add","params":{"profile":"7",...}}
// Response      {"jsonrpc":"2.0","id":1,"result":{"contact":"1"}}
// Error         {"jsonrpc":"2.0","id":1,"error":{"code":200,"message":"...","data":{...}}}
// Notification  {"jsonrpc":"2.0","method":"event","params":{"profile":"7","event":{...}}}
//
// One object a line. Requests are answered in order, one after the other; events come between.
#include <iostream>
#include <memory>
#include <string>

#include "commands.h"
#include "interrupt.h"
#include "pipe_calls.h"
#include "pipe_lines.h"
#include "pipe_session.h"

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

Json call(PipeSession& session, const Json& request) {
  const std::string& name = request.at("method").get_ref<const std::string&>();
  const auto found = pipe_calls().find(name);
  if (found == pipe_calls().end()) {
    const auto refused = pipe_refusals().find(name);
    throw RpcError(rpc_unknown_method, refused == pipe_refusals().end()
                                           ? "unknown method " + name
                                           : name + " is not a method: " + refused->second);
  }
  const auto params = request.find("params");
  return found->second(session, params == request.end() ? Json::object() : *params);
}

class Pipe {
 public:
  void run() {
    std::string line;
    while (!session_.broken()) {
      switch (reader_.next(line)) {
        case LineReader::Result::end:
          return;
        case LineReader::Result::too_long:
          answer(error_response(nullptr,
                                RpcError(rpc_invalid_request, "a line has at most 1048576 bytes")));
          break;
        case LineReader::Result::line:
          if (line.find_first_not_of(" \t\r") != std::string::npos) take(line);
          break;
      }
    }
  }

 private:
  void take(const std::string& line) {
    Json id = nullptr;
    bool is_wanted = true;
    Json response;
    try {
      const Json request = parse(line);
      const bool has_id = has_valid_id(request);
      if (has_id) id = request.at("id");
      check(request);
      is_wanted = has_id;
      response = {{"jsonrpc", "2.0"}, {"id", id}, {"result", call(session_, request)}};
    } catch (const RpcError& error) {
      response = error_response(id, error);
    } catch (const Json::exception& error) {
      response = error_response(id, RpcError(rpc_internal_error, error.what()));
    }
    if (is_wanted) answer(response);
    session_.start_readers();
  }

  void answer(const Json& response) { writer_.write(to_line(response)); }

  Interrupt interrupt_;
  LineReader reader_{interrupt_};
  LineWriter writer_;
  PipeSession session_{writer_};
};

void list_methods() {
  for (const auto& [name, call] : pipe_calls()) std::cout << name << "\n";
}

}  // namespace

void add_pipe(CLI::App& parent, App&) {
  CLI::App* command = parent.add_subcommand(
      "pipe", "Speak JSON-RPC 2.0 on standard input and output, for programs in any language");
  command->footer(
      "\nOne object a line. Methods are the C functions without wherry_, parameters and results "
      "go\n"
      "by name; bytes are base64, 64-bit numbers decimal strings. Events of an open profile come "
      "as\n"
      "notifications; acknowledge them with event_ack. The end of the input closes everything.\n"
      "\nExample:\n"
      "  echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}' | wherry pipe");
  auto methods = std::make_shared<bool>(false);
  command->add_flag("--methods", *methods, "List the methods and end");
  command->callback([methods] {
    if (*methods) {
      list_methods();
    } else {
      Pipe().run();
    }
  });
}

}  // namespace cli
