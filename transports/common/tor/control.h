// A connection to a tor's control port: commands out, each answered in its turn, and events. It
// waits for nothing; whoever owns it polls its socket. Nothing here is thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "control_reply.h"
#include "transports/common/net.h"

namespace wherry::transports::tor {

class Control {
 public:
  using Answer = std::function<void(const Reply&)>;

  // Takes a connected socket that does not block. Events go to `event`.
  Control(Descriptor socket, Answer event);

  int descriptor() const { return socket_.get(); }
  bool wants_to_write() const { return !output_.empty(); }

  // One line, without its end; what is foreign in it went through quote(), or was checked. `answer`
  // is called from within read(), and never if the connection ends first.
  void ask(const std::string& command, Answer answer);

  // False: the connection is over, or of no use.
  [[nodiscard]] bool read();
  [[nodiscard]] bool write();
  // What came was not the control protocol, or was not asked for.
  bool heard_nonsense() const { return nonsense_; }

 private:
  Descriptor socket_;
  const Answer event_;
  ReplyReader reader_;
  std::deque<Answer> waiting_;
  std::string output_;
  bool nonsense_ = false;
};

}  // namespace wherry::transports::tor
