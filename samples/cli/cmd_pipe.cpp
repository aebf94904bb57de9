// wherry pipe: the whole C interface as JSON-RPC 2.0 on standard input and output.
//
// Request       {"jsonrpc":"2.0","id":1,"method":"contact_add","params":{"profile":"7",...}}
// Response      {"jsonrpc":"2.0","id":1,"result":{"contact":"1"}}
// Error         {"jsonrpc":"2.0","id":1,"error":{"code":200,"message":"...","data":{...}}}
// Notification  {"jsonrpc":"2.0","method":"event","params":{"profile":"7","event":{...}}}
//
// One object a line. Requests are answered in order, one after the other; events come between.
#include <iostream>
#include <string>

#include "commands.h"
#include "interrupt.h"
#include "pipe_calls.h"
#include "pipe_lines.h"
#include "pipe_request.h"
#include "pipe_session.h"

namespace cli {
namespace {

Json call(PipeSession& session, const std::string& name, const Json& params) {
  const auto found = pipe_methods().find(name);
  if (found != pipe_methods().end()) return found->second.call(session, params);
  const auto refused = pipe_refusals().find(name);
  throw RpcError(rpc_unknown_method, refused == pipe_refusals().end()
                                         ? "unknown method " + name
                                         : name + " is not a method: " + refused->second);
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
          writer_.write(pipe_refuse_line());
          break;
        case LineReader::Result::line:
          if (line.find_first_not_of(" \t\r") != std::string::npos) take(line);
          break;
      }
    }
  }

 private:
  void take(const std::string& line) {
    const auto response = pipe_respond(line, [this](const std::string& name, const Json& params) {
      return call(session_, name, params);
    });
    if (response) writer_.write(*response);
    session_.start_readers();
  }

  Interrupt interrupt_;
  LineReader reader_{interrupt_};
  LineWriter writer_;
  PipeSession session_{writer_};
};

}  // namespace

void pipe() {
  Pipe().run();
}

void list_pipe_methods() {
  for (const auto& [name, method] : pipe_methods()) {
    std::cout << name << "(" << method.parameters << ")\n";
  }
}

}  // namespace cli
