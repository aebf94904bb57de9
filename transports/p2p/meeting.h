// Links that are opened from both ends at once, through routers that forward nothing to either: TCP
// hole punching by simultaneous open (RFC 9293, section 3.5). Each end's first packet makes its own
// router let the other's in. A router has to keep port numbers (port preservation). An end has two:
// at the first one it is dialled, from the next one it dials. So the dialler of a link connects
//     from :PORT + 1 of its own   to the other's ADDRESS:PORT
// and its listener, who tells nothing by that but that it waits,
//     from :PORT of its own       to the other's ADDRESS:PORT + 1,
// both at the moments that everybody's clock names: every 20 s, for 5 s.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "address.h"
#include "limits.h"

namespace wherry::transports::p2p {

// How long it is until the next moment, by the system's clock; zero: one has just begun.
[[nodiscard]] Clock::duration until_meeting();
// The same, but for one that has begun.
[[nodiscard]] Clock::duration until_next_meeting();

// What ZeroMQ connects to, from a port of this machine's.
[[nodiscard]] std::string meeting_text(std::uint16_t from, const Address& to);

// The listener's part. The worker's own: nothing here is thread-safe.
class Meetings {
 public:
  // Of a listener's socket.
  explicit Meetings(zmq::socket_t& socket) : socket_(socket) {}

  // Whether there is a place for one more where nobody came from yet.
  bool has_room() const;
  // It is open for this moment, or somebody came from there who is still here.
  bool knows(const Address& to) const { return meetings_.contains(to); }
  // For one moment, where it is not known and there is room. `from`: the port of this machine.
  void begin(std::uint16_t from, const Address& to, Clock::time_point now);
  // Nobody is expected there any more. Whoever has come stays.
  void forget(const Address& to);
  // By the socket's monitor: a connection that this end opened, or whose end it is.
  void came(int connection, const Address& from);
  void went(int connection, Clock::time_point now);

  std::optional<Clock::time_point> deadline() const;
  void on_time(Clock::time_point now);

 private:
  struct Meeting {
    std::string text;
    int connection = -1;      // by its descriptor; -1: nobody came yet
    Clock::time_point until;  // then it is over, if nobody came
    bool over = false;        // somebody came and went: it is not tried again before then
  };

  void end(const Meeting& meeting);

  zmq::socket_t& socket_;
  std::map<Address, Meeting> meetings_;  // by where the other end is
};

}  // namespace wherry::transports::p2p
