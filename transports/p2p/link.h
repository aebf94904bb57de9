// The dialling half: one link to one peer, a DEALER socket for each try. Its state comes from a
// socket monitor, since a socket alone says of any address that all is well. A link that is lost
// stays so until it is dialled again. The worker's own: nothing here is thread-safe.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "endpoint.h"
#include "include/wherry/transport.h"
#include "intake.h"
#include "limits.h"
#include "proxied.h"
#include "settings.h"
#include "transports/common/links/send_window.h"

namespace wherry::transports::p2p {

class Link {
 public:
  enum class State { kDown, kDialling, kUp };

  // Only the addresses that may be dialled are tried.
  // `wake`, an eventfd, is written to when on_time() has something to do.
  Link(const NodeSettings& settings, Intake& intake, int wake, Endpoint endpoint);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { close(); }

  State state() const { return state_; }
  std::int32_t reason() const { return reason_; }  // why it is down
  void* socket() { return socket_.handle(); }
  void* monitor() { return monitor_.handle(); }
  bool failed() const { return failed_; }  // it was dialled last in vain
  // While it waits for a moment to meet, it is not.
  bool is_open() const { return state_ != State::kDown && !meet_at_; }
  bool has_socket() const { return is_open() && socket_; }
  // Where its listener expects it to come from, if both ends open it.
  const std::optional<Address>& meeting() const { return endpoint_.meeting; }
  bool wants_to_write() const { return state_ == State::kUp && blocked_; }
  std::optional<Clock::time_point> deadline() const;

  // It waited for a moment, and that has come: on_time() opens it, unless it is to wait on.
  bool is_to_meet(Clock::time_point now) const { return meet_at_ && *meet_at_ <= now; }
  Clock::time_point dial_until() const { return dial_until_; }
  void wait_for_another_moment(Clock::time_point now);
  // Both ends of its connection are the same as those of any other link to this meeting.
  bool holds(const Address& meeting) const { return meets_ && endpoint_.meeting == meeting; }

  // The peer was heard on a local network there. Where that is elsewhere, the link may be dead, or
  // they have several addresses, or somebody says again what they said: what is sent tells.
  void heard_at(const Address& place);

  // To be dialled when its turn comes. False: it is that, or needs not.
  bool ask() { return state_ == State::kDown && !std::exchange(asked_, true); }
  bool asked() const { return asked_; }

  // All of these say by `sent` what became of envelopes.
  // First at `nearby`, where the peer is on a local network.
  void dial(zmq::context_t& context, Clock::time_point now, const std::vector<Address>& nearby);
  // They were found while it was tried elsewhere: there first.
  void also_try(zmq::context_t& context, Clock::time_point now, const std::vector<Address>& nearby);
  void queue(std::uint64_t send_id, links::Bytes envelope, Clock::time_point now);
  void on_monitor(zmq::context_t& context, Clock::time_point now);
  void on_readable();
  void write();
  void on_time(zmq::context_t& context, Clock::time_point now);
  void lose(std::int32_t reason);
  // Nothing is reported of what was under way.
  void close();

  std::vector<wherry_sent>& sent() { return window_.sent(); }
  std::size_t queued() const { return window_.queued(); }

 private:
  std::optional<Clock::time_point> doubted_until() const;
  void try_next(zmq::context_t& context, Clock::time_point now);
  void open(zmq::context_t& context, const Address& address, bool meeting);
  void connect(zmq::context_t& context, const std::string& place, bool meeting);
  void on_proxied(zmq::context_t& context, Clock::time_point now);
  bool connected(int descriptor);
  bool put(const links::Bytes& frame);

  const NodeSettings& settings_;
  Intake& intake_;
  const int wake_;
  const Endpoint endpoint_;
  const Key public_key_;

  State state_ = State::kDown;
  std::int32_t reason_ = WHERRY_REASON_NONE;
  zmq::socket_t socket_;
  zmq::socket_t monitor_;
  std::deque<Address> to_try_;
  std::size_t nearby_ = 0;       // of those, the first so many
  bool dialled_nearby_ = false;  // the one that is tried
  bool doubted_ = false;         // they were heard elsewhere since
  bool to_meet_ = false;         // the meeting address is still to be tried, after the others
  bool meets_ = false;           // it is what is tried now
  std::optional<Clock::time_point> meet_at_;  // until then the link waits, without a socket
  bool asked_ = false;
  bool failed_ = false;
  Address dialled_;
  std::optional<Proxied> proxied_;     // the connection, or the way to it
  int connection_ = -1;                // of the intake
  bool connected_ = false;             // TCP is; the keys are not proven yet
  bool greeted_ = false;               // a frame was sent
  bool blocked_ = false;               // the socket takes no more now
  Clock::time_point address_until_{};  // the one that is tried
  Clock::time_point dial_until_{};     // all of them
  Clock::time_point up_since_{};
  links::SendWindow window_;
};

}  // namespace wherry::transports::p2p
