// Dialling, and what becomes of envelopes.
#include "link.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "limits.h"
#include "sockets.h"

namespace wherry::transports::p2p {
namespace {

std::string monitor_name() {
  static std::atomic<std::uint64_t> last{0};
  return "inproc://monitor-" + std::to_string(++last);
}

constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CLOSED |
                        ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

}  // namespace

Link::Link(const NodeSettings& settings, Endpoint endpoint)
    : settings_(settings),
      endpoint_(std::move(endpoint)),
      public_key_(p2p::public_key(endpoint_.pass)) {}

std::optional<Clock::time_point> Link::deadline() const {
  if (state_ == State::kDialling) return dial_until_;
  if (state_ == State::kUp && !flights_.empty()) return flights_.begin()->second.until;
  return std::nullopt;
}

void Link::dial(zmq::context_t& context, Clock::time_point now) {
  if (state_ != State::kDown) return;
  next_address_ = 0;
  reason_ = WHERRY_REASON_UNREACHABLE;
  try_next(context, now);
}

void Link::try_next(zmq::context_t& context, Clock::time_point now) {
  close();
  while (next_address_ < endpoint_.addresses.size() &&
         !settings_.may_dial(endpoint_.addresses[next_address_])) {
    ++next_address_;
  }
  if (next_address_ == endpoint_.addresses.size()) return lose(reason_);
  try {
    connect(context, endpoint_.addresses[next_address_++]);
  } catch (const zmq::error_t&) {  // this machine has no more sockets
    return lose(WHERRY_REASON_RESOURCE);
  }
  connected_ = false;
  state_ = State::kDialling;
  dial_until_ = now + kConnectLimit;
}

void Link::connect(zmq::context_t& context, const Address& address) {
  socket_ = zmq::socket_t(context, zmq::socket_type::dealer);
  set_up(socket_);
  socket_.set(zmq::sockopt::immediate, true);
  socket_.set(zmq::sockopt::reconnect_ivl, -1);  // whoever paces dialling is not here
  socket_.set(zmq::sockopt::connect_timeout, milliseconds(kConnectLimit));
  socket_.set(zmq::sockopt::rcvhwm, kFramesQueued * 4);
  socket_.set(zmq::sockopt::sndhwm, kFramesQueued);
  socket_.set(zmq::sockopt::curve_serverkey, key_buffer(endpoint_.listener));
  socket_.set(zmq::sockopt::curve_publickey, key_buffer(public_key_));
  socket_.set(zmq::sockopt::curve_secretkey, key_buffer(endpoint_.pass));
  if (settings_.proxy)
    socket_.set(zmq::sockopt::socks_proxy, transports::to_text(*settings_.proxy));
  const std::string name = monitor_name();
  if (::zmq_socket_monitor(socket_.handle(), name.c_str(), kEvents) != 0) throw zmq::error_t();
  monitor_ = zmq::socket_t(context, zmq::socket_type::pair);
  monitor_.set(zmq::sockopt::linger, 0);
  monitor_.connect(name);
  socket_.connect("tcp://" + to_text(address));
}

void Link::queue(std::uint64_t send_id, Bytes envelope) {
  queue_.push_back({send_id, std::move(envelope)});
}

void Link::on_monitor(zmq::context_t& context, Clock::time_point now) {
  for (;;) {
    zmq::message_t message;
    if (!monitor_ || !monitor_.recv(message, zmq::recv_flags::dontwait)) return;
    std::uint16_t event = 0;
    if (message.size() >= sizeof event) std::memcpy(&event, message.data(), sizeof event);
    zmq::message_t address;
    if (message.more()) static_cast<void>(monitor_.recv(address, zmq::recv_flags::dontwait));
    if (event == ZMQ_EVENT_CONNECTED) {
      connected_ = true;
    } else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
      state_ = State::kUp;
      reason_ = WHERRY_REASON_NONE;
      next_number_ = 1;
      return write(now);
    } else if (state_ == State::kUp) {
      return lose(WHERRY_REASON_UNREACHABLE);
    } else {
      // Who answers with another key never gets as far as the guard.
      if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        reason_ = WHERRY_REASON_NOT_ALLOWED;
      } else if (connected_) {
        reason_ = WHERRY_REASON_WRONG_KEY;
      }
      return try_next(context, now);
    }
  }
}

void Link::on_readable(Clock::time_point now) {
  zmq::message_t message;
  while (state_ == State::kUp && socket_.recv(message, zmq::recv_flags::dontwait)) {
    const std::span<const std::uint8_t> frame(static_cast<const std::uint8_t*>(message.data()),
                                              message.size());
    const std::optional<FrameKind> kind = kind_of(frame);
    if (kind == FrameKind::kRefused) return lose(WHERRY_REASON_NOT_ALLOWED);
    const bool numbers = kind == FrameKind::kTaken || kind == FrameKind::kStored;
    const auto ranges = numbers ? parse_numbers(frame) : std::nullopt;
    if (!ranges || message.more()) return lose(WHERRY_REASON_PROTOCOL);
    for (const Range& range : *ranges) {
      if (kind == FrameKind::kTaken) {
        taken(range);
      } else {
        stored(range);
      }
    }
  }
  if (state_ == State::kUp) write(now);
}

void Link::taken(const Range& range) {
  auto flight = flights_.lower_bound(range.first);
  while (flight != flights_.end() && flight->first <= range.last) {
    report(flight->second.send_id, WHERRY_OUTCOME_HANDED, WHERRY_REASON_NONE);
    handed_.emplace(flight->first, flight->second.send_id);
    flight = flights_.erase(flight);
  }
  while (handed_.size() > kHandedMax) handed_.erase(handed_.begin());
}

void Link::stored(const Range& range) {
  taken(range);
  auto one = handed_.lower_bound(range.first);
  while (one != handed_.end() && one->first <= range.last) {
    report(one->second, WHERRY_OUTCOME_STORED, WHERRY_REASON_NONE);
    one = handed_.erase(one);
  }
}

// As much as the window and the socket take, several envelopes to a frame.
void Link::write(Clock::time_point now) {
  blocked_ = false;
  while (!queue_.empty() && flights_.size() < kWindowEnvelopes) {
    // The numbers of a link are used up after a few billion envelopes; the next one has its own.
    if (next_number_ > UINT32_MAX - kWindowEnvelopes) return lose(WHERRY_REASON_UNREACHABLE);
    Bytes frame;
    std::size_t count = 0;
    while (count < queue_.size() && flights_.size() + count < kWindowEnvelopes &&
           (count == 0 || frame.size() + queue_[count].envelope.size() <= kFrameBytes)) {
      append(frame, next_number_ + static_cast<std::uint32_t>(count), queue_[count].envelope);
      ++count;
    }
    if (!socket_.send(zmq::buffer(frame), zmq::send_flags::dontwait)) {
      blocked_ = true;
      return;
    }
    for (; count > 0; --count) {
      flights_.emplace(next_number_++, Flight{queue_.front().send_id, now + kTakenLimit});
      queue_.pop_front();
    }
  }
}

void Link::on_time(zmq::context_t& context, Clock::time_point now) {
  const auto at = deadline();
  if (!at || *at > now) return;
  if (state_ == State::kUp) return lose(WHERRY_REASON_TIMEOUT);
  reason_ = connected_ ? WHERRY_REASON_WRONG_KEY : WHERRY_REASON_TIMEOUT;
  try_next(context, now);
}

void Link::lose(std::int32_t reason) {
  for (const auto& [number, flight] : flights_) {
    report(flight.send_id, WHERRY_OUTCOME_FAILED_RETRY, reason);
  }
  for (const Queued& queued : queue_) {
    report(queued.send_id, WHERRY_OUTCOME_FAILED_RETRY, reason);
  }
  flights_.clear();
  handed_.clear();
  queue_.clear();
  close();
  reason_ = reason;
}

void Link::close() {
  if (socket_) ::zmq_socket_monitor(socket_.handle(), nullptr, 0);
  monitor_.close();
  socket_.close();
  blocked_ = false;
  state_ = State::kDown;
}

void Link::report(std::uint64_t send_id, std::int32_t outcome, std::int32_t reason) {
  sent_.push_back({send_id, outcome, reason});
}

}  // namespace wherry::transports::p2p
