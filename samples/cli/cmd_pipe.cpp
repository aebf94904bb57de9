// wherry pipe: the whole C interface as JSON-RPC 2.0 on standard input and output.
//
// Request       {"jsonrpc":"2.0","id":1,"method":"contact_add","params":{"profile":"7",...}}
// Response      {"jsonrpc":"2.0","id":1,"result":{"contact":"1"}}
// Error         {"jsonrpc":"2.0","id":1,"error":{"code":200,"message":"...","data":{...}}}
// Notification  {"jsonrpc":"2.0","method":"event","params":{"profile":"7","event":{...}}}
//
// One object a line. Requests are answered in order, one after the other; events come between.
//
// Whatever a client does, nothing here waits for ever. Requests are read and answered while it does
// not read, until LineWriter::answers_size_max bytes of answers wait. Events are taken from a
// profile while fewer than LineWriter::events_size_max bytes wait: it keeps the others. A signal
// and the end of the input end the program also while nobody reads what it has written.
#include <iostream>
#include <string>

#include "commands.h"
#include "interrupt.h"
#include "pipe_calls.h"
#include "pipe_lines.h"
#include "pipe_request.h"
#include "pipe_session.h"
#include "pipe_writer.h"

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
    while (wait_for_room() && serve(reader_.next(line), line)) {
    }
    session_.close_all();
    writer_.finish();
  }

 private:
  // Until an answer more may wait. False when none will be wanted.
  bool wait_for_room() {
    while (!session_.broken() && !interrupt_.requested()) {
      if (writer_.has_room(LineWriter::answers_size_max)) return true;
      if (LineReader::hung_up() && writer_.stuck()) return false;
    }
    return false;
  }

  // False at the end.
  bool serve(LineReader::Result result, const std::string& line) {
    switch (result) {
      case LineReader::Result::end:
        return false;
      case LineReader::Result::too_long:
        writer_.write(pipe_refuse_line());
        break;
      case LineReader::Result::line:
        if (line.find_first_not_of(" \t\r") != std::string::npos) take(line);
        break;
    }
    return true;
  }

  void take(const std::string& line) {
    const auto response = pipe_respond(line, [this](const std::string& name, const Json& params) {
      return call(session_, name, params);
    });
    if (response) writer_.write(*response);
    session_.start_readers();
  }

  Interrupt interrupt_;
  LineReader reader_{interrupt_};
  LineWriter writer_{interrupt_};
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
