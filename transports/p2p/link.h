// The dialling half: one link to one peer, a DEALER socket for each try. Its state comes from a
// socket monitor, since a socket alone says of any address that all is well. A link that is lost
// stays so until it is dialled again. The worker's own: nothing here is thread-safe.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <vector>
#include <zmq.hpp>

#include "endpoint.h"
#include "frames.h"
#include "include/wherry/transport.h"
#include "settings.h"

namespace wherry::transports::p2p {

using Clock = std::chrono::steady_clock;

class Link {
 public:
  enum class State { kDown, kDialling, kUp };

  // Only the addresses that may be dialled are tried.
  Link(const NodeSettings& settings, Endpoint endpoint);

  State state() const { return state_; }
  std::int32_t reason() const { return reason_; }  // why it is down
  void* socket() { return socket_.handle(); }
  void* monitor() { return monitor_.handle(); }
  bool wants_to_write() const { return state_ == State::kUp && blocked_; }
  std::optional<Clock::time_point> deadline() const;

  // All of these say by `sent` what became of envelopes.
  void dial(zmq::context_t& context, Clock::time_point now);
  void queue(std::uint64_t send_id, Bytes envelope);
  void on_monitor(zmq::context_t& context, Clock::time_point now);
  void on_readable(Clock::time_point now);
  void write(Clock::time_point now);
  void on_time(zmq::context_t& context, Clock::time_point now);
  // Nothing is reported of what was under way.
  void close();

  std::vector<wherry_sent>& sent() { return sent_; }
  std::size_t queued() const { return queue_.size(); }

 private:
  struct Queued {
    std::uint64_t send_id = 0;
    Bytes envelope;
  };
  struct Flight {
    std::uint64_t send_id = 0;
    Clock::time_point until;
  };

  void try_next(zmq::context_t& context, Clock::time_point now);
  void connect(zmq::context_t& context, const Address& address);
  void lose(std::int32_t reason);
  void report(std::uint64_t send_id, std::int32_t outcome, std::int32_t reason);
  void taken(const Range& range);
  void stored(const Range& range);

  const NodeSettings& settings_;
  const Endpoint endpoint_;
  const Key public_key_;

  State state_ = State::kDown;
  std::int32_t reason_ = WHERRY_REASON_NONE;
  zmq::socket_t socket_;
  zmq::socket_t monitor_;
  std::size_t next_address_ = 0;
  bool connected_ = false;  // TCP is; the keys are not proven yet
  bool blocked_ = false;    // the socket takes no more now
  Clock::time_point dial_until_{};
  std::uint32_t next_number_ = 1;
  std::deque<Queued> queue_;
  std::map<std::uint32_t, Flight> flights_;        // not taken yet, by number
  std::map<std::uint32_t, std::uint64_t> handed_;  // taken, and not known to be durable
  std::vector<wherry_sent> sent_;
};

}  // namespace wherry::transports::p2p
