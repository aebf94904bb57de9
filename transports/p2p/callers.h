// Who is connected to the door, and how many may be. libzmq accepts whoever comes, for as long as
// there are descriptors; its monitor tells of them. A caller is known from the first frame on,
// since that names both the connection and the pass. Before, callers have little time and are few,
// and whoever comes then is turned away. Of one pass a few may stay, and the oldest has to go: a
// peer whose network changed comes anew while the old connection still looks alive.
//
// The worker's own: nothing here is thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <zmq.hpp>

#include "intake.h"
#include "limits.h"
#include "meeting.h"
#include "transports/common/net.h"

namespace wherry::transports::p2p {

class Callers {
 public:
  // Of a socket that is not bound yet, and of links that it opens from a port of its own (0: none).
  // Socket and meetings outlive this.
  Callers(zmq::context_t& context, zmq::socket_t& socket, Intake& intake, Meetings& meetings,
          std::uint16_t meeting_port);
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;
  ~Callers();

  void* monitor() { return monitor_.handle(); }  // readable: on_monitor()
  void on_monitor(Clock::time_point now);

  // A message with this ZMQ_SRCFD was read; `pass` is the number of its sender's admission, 0: none
  // that is good.
  void spoke(int connection, std::uint64_t pass);
  // Whoever came by this pass has to go.
  void cut(std::uint64_t pass);

  // Half of those who may be silent are here.
  bool is_crowded() const { return silent() >= kSilentCallersMax / 2; }

  // When those go who have said nothing.
  std::optional<Clock::time_point> deadline() const;
  void on_time(Clock::time_point now);
  // Nobody was listened to until now.
  void wait_anew(Clock::time_point now);

 private:
  struct Caller {
    int connection = -1;  // of the intake
    std::uint64_t order = 0;
    std::uint64_t pass = 0;  // 0: has said nothing yet
    bool cut = false;        // libzmq has still to close it
    Clock::time_point until;
  };

  std::size_t silent() const;
  void came(int connection, Clock::time_point now);
  void went(int connection, Clock::time_point now);
  void cut(Caller& caller);
  void make_room();
  bool is_ours(int connection) const;

  zmq::socket_t& socket_;
  Intake& intake_;
  Meetings& meetings_;
  const std::uint16_t meeting_port_;
  zmq::socket_t monitor_;
  std::map<int, Caller> callers_;  // by libzmq's descriptor
  std::uint64_t order_ = 0;
  Descriptor listener_;
  std::uint16_t port_ = 0;
  // For when there are no more: one is given up for somebody who waits at the port to be taken and
  // sent away, the other becomes the descriptor of a connection that is to be cut off.
  Descriptor room_;
  Descriptor cutter_;
};

}  // namespace wherry::transports::p2p
