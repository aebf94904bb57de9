// How much comes over each connection. libzmq gives out a message when it is whole; until then it
// keeps its parts, however many, since its own bounds count what is whole. So the worker has a
// second descriptor of each connection, sees there how many bytes came since the last whole message
// that it read, and cuts a connection that brings more than any honest one does.
//
// Bytes that come wake it once. Then it looks every few milliseconds while more come, and sleeps
// when none do: an idle node has no timer. The worker's own: nothing here is thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "limits.h"
#include "transports/common/net.h"

namespace wherry::transports::p2p {

class Intake {
 public:
  Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Takes a descriptor of a TCP connection, whose number names the connection from now on.
  int add(Descriptor connection);
  void remove(int connection);
  // A whole message that came over it was read.
  void read_one(int connection);
  // libzmq finds its end of it closed.
  static void cut(int connection);
  // When all have closed it, also by being killed, nothing is left of it (no TIME-WAIT: RFC 9293,
  // section 3.6.1), so that another may have the same two ends at once. What was not taken at the
  // other end by then is lost.
  static void leave_nothing(int connection);

  // Readable when bytes came; to be polled while no look is due.
  int descriptor() const { return epoll_.get(); }
  std::optional<Clock::time_point> next_look() const { return next_look_; }
  void look(Clock::time_point now);

 private:
  struct Connection {
    Descriptor descriptor;
    std::uint64_t seen = 0;     // bytes that had come at the last look,
    std::uint64_t at_read = 0;  // and when a whole message was read,
    Clock::time_point read{};   // which was then
  };

  Descriptor epoll_;
  std::map<int, Connection> connections_;
  std::optional<Clock::time_point> next_look_;
};

}  // namespace wherry::transports::p2p
