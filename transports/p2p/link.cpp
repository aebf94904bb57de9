// Dialling, and what becomes of envelopes.
#include "link.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <iterator>
#include <utility>

#include "limits.h"
#include "meeting.h"
#include "sockets.h"

namespace wherry::transports::p2p {

using links::FrameKind;

namespace {

constexpr int kFramesAtOnce = 8;
constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CLOSED |
                        ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

bool is_failed_handshake(int event) {
  return event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL ||
         event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL || event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
}

}  // namespace

Link::Link(const NodeSettings& settings, Intake& intake, int wake, Endpoint endpoint)
    : settings_(settings),
      intake_(intake),
      wake_(wake),
      endpoint_(std::move(endpoint)),
      public_key_(p2p::public_key(endpoint_.pass)) {}

std::optional<Clock::time_point> Link::deadline() const {
  const auto first = window_.oldest();
  if (const auto doubted = doubted_until()) return doubted;
  if (state_ != State::kDialling) return first;
  const Clock::time_point next = meet_at_.value_or(address_until_);
  return first ? std::min(*first, next) : next;
}

void Link::dial(zmq::context_t& context, Clock::time_point now,
                const std::vector<Address>& nearby) {
  asked_ = false;
  if (state_ != State::kDown) return;
  to_try_.assign(nearby.begin(), nearby.end());
  nearby_ = nearby.size();
  std::ranges::copy_if(endpoint_.addresses, std::back_inserter(to_try_),
                       [&](const Address& address) { return settings_.may_dial(address); });
  to_meet_ = settings_.may_meet(endpoint_.meeting);
  reason_ = WHERRY_REASON_UNREACHABLE;
  dial_until_ = now + kDialLimit;
  try_next(context, now);
}

void Link::also_try(zmq::context_t& context, Clock::time_point now,
                    const std::vector<Address>& nearby) {
  if (state_ != State::kDialling || dialled_nearby_ || nearby_ > 0 || nearby.empty()) return;
  to_try_.insert(to_try_.begin(), nearby.begin(), nearby.end());
  nearby_ = nearby.size();
  // It may have waited for a moment to meet.
  to_meet_ = to_meet_ || meet_at_;
  dial_until_ = std::max(dial_until_, now + kDialLimit);
  try_next(context, now);
}

void Link::try_next(zmq::context_t& context, Clock::time_point now) {
  close();
  if (to_try_.empty()) {
    if (!std::exchange(to_meet_, false)) return lose(reason_);
    meet_at_ = now + until_meeting();
    state_ = State::kDialling;
    return;
  }
  // An equal part of the time that is left.
  const Clock::duration part = (dial_until_ - now) / static_cast<int>(to_try_.size());
  const Clock::duration limit = nearby_ > 0 ? kNearbyLimit : kConnectLimit;
  dialled_nearby_ = nearby_ > 0;
  if (dialled_nearby_) --nearby_;
  address_until_ = now + std::min(limit, part);
  const Address address = to_try_.front();
  to_try_.pop_front();
  open(context, address, false);
}

void Link::open(zmq::context_t& context, const Address& address, bool meeting) {
  dialled_ = address;
  state_ = State::kDialling;
  try {
    if (settings_.proxy) {
      proxied_.emplace(*settings_.proxy, address, address_until_, wake_);
    } else {
      connect(context,
              meeting ? meeting_text(next_port(*settings_.meeting).port, address)
                      : "tcp://" + to_text(address),
              meeting);
    }
  } catch (const std::exception&) {  // this machine has no more sockets, or threads
    lose(WHERRY_REASON_RESOURCE);
  }
}

// The proxy has answered, or has not.
void Link::on_proxied(zmq::context_t& context, Clock::time_point now) {
  if (proxied_->reason() != WHERRY_REASON_NONE) {
    reason_ = proxied_->reason();
    return try_next(context, now);
  }
  try {
    connection_ = intake_.add(proxied_->take_second());
    connect(context, proxied_->place(), false);
  } catch (const std::exception&) {
    lose(WHERRY_REASON_RESOURCE);
  }
}

void Link::connect(zmq::context_t& context, const std::string& place, bool meeting) {
  socket_ = zmq::socket_t(context, zmq::socket_type::dealer);
  set_up(socket_);
  socket_.set(zmq::sockopt::immediate, true);
  // Whoever paces dialling is not here. At a meeting a router may refuse what comes too early.
  socket_.set(zmq::sockopt::reconnect_ivl, meeting ? milliseconds(kMeetingAgain) : -1);
  socket_.set(zmq::sockopt::connect_timeout, milliseconds(kConnectLimit));
  socket_.set(zmq::sockopt::rcvhwm, kFramesQueued * 4);
  socket_.set(zmq::sockopt::sndhwm, kFramesQueued);
  socket_.set(zmq::sockopt::curve_serverkey, key_buffer(endpoint_.listener));
  socket_.set(zmq::sockopt::curve_publickey, key_buffer(public_key_));
  socket_.set(zmq::sockopt::curve_secretkey, key_buffer(endpoint_.pass));
  monitor_ = open_monitor(context, socket_, kEvents);
  meets_ = meeting;
  socket_.connect(place);
}

void Link::queue(std::uint64_t send_id, links::Bytes envelope, Clock::time_point now) {
  window_.queue(send_id, std::move(envelope), now + kTakenLimit);
}

void Link::on_monitor(zmq::context_t& context, Clock::time_point now) {
  while (const auto event = next_event(monitor_)) {
    if (event->kind == ZMQ_EVENT_CONNECTED) {
      if (!connected(event->value)) return lose(WHERRY_REASON_RESOURCE);
    } else if (event->kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
      state_ = State::kUp;
      up_since_ = now;
      failed_ = false;
      reason_ = WHERRY_REASON_NONE;
      window_.begin();
      return write();
    } else if (state_ == State::kUp) {
      return lose(WHERRY_REASON_UNREACHABLE);
    } else if (meets_ && !is_failed_handshake(event->kind)) {
      // Too early: it is tried again, for as long as the moment lasts.
      connected_ = false;
      if (connection_ >= 0) intake_.remove(std::exchange(connection_, -1));
    } else {
      // Who answers with another key never gets as far as the ZAP handler.
      if (event->kind == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        reason_ = WHERRY_REASON_NOT_ALLOWED;
      } else if (connected_) {
        reason_ = WHERRY_REASON_WRONG_KEY;
      }
      return try_next(context, now);
    }
  }
}

// False: no descriptors are left, and without one nothing bounds what comes. By the time that the
// event is read, libzmq's descriptor may be closed, and its number something else's.
bool Link::connected(int descriptor) {
  connected_ = true;
  if (proxied_) return true;  // that is the near end of the way to the proxy
  Descriptor second = second_descriptor(descriptor);
  if (!second.valid()) return errno == EBADF;
  if (remote_address(second.get()) != dialled_) return true;
  connection_ = intake_.add(std::move(second));
  if (meets_) Intake::leave_nothing(connection_);
  return true;
}

void Link::on_readable() {
  // A few, so that whoever sends many keeps no other link waiting.
  for (int i = 0; i < kFramesAtOnce && state_ == State::kUp; ++i) {
    zmq::message_t message;
    if (!socket_.recv(message, zmq::recv_flags::dontwait)) break;
    intake_.read_one(connection_);
    const std::span<const std::uint8_t> frame(static_cast<const std::uint8_t*>(message.data()),
                                              message.size());
    const std::optional<FrameKind> kind = links::kind_of(frame);
    if (kind == FrameKind::kRefused) return lose(WHERRY_REASON_NOT_ALLOWED);
    const bool numbers = kind == FrameKind::kTaken || kind == FrameKind::kStored;
    const auto ranges = numbers ? links::parse_numbers(frame) : std::nullopt;
    const bool sound =
        ranges && !message.more() &&
        (kind == FrameKind::kTaken ? window_.taken(*ranges) : window_.stored(*ranges));
    if (!sound) return lose(WHERRY_REASON_PROTOCOL);
  }
  if (state_ == State::kUp) write();
}

// As much as the window and the socket take, several envelopes to a frame.
void Link::write() {
  blocked_ = false;
  if (!greeted_ && window_.empty() && !put({static_cast<std::uint8_t>(FrameKind::kHello)})) return;
  while (const auto frame = window_.next_frame()) {
    if (window_.is_used_up()) return lose(WHERRY_REASON_UNREACHABLE);
    if (!put(*frame)) return;
    window_.wrote();
  }
}

// False: there is no room now.
bool Link::put(const links::Bytes& frame) {
  blocked_ = !socket_.send(zmq::buffer(frame), zmq::send_flags::dontwait);
  greeted_ = greeted_ || !blocked_;
  return !blocked_;
}

void Link::on_time(zmq::context_t& context, Clock::time_point now) {
  const auto first = window_.oldest();
  const auto doubted = doubted_until();
  if (doubted && *doubted <= now) return lose(WHERRY_REASON_UNREACHABLE);
  const bool late = first && *first <= now;
  if (late && state_ == State::kUp && now - up_since_ >= kTakenLimit / 2) {
    return lose(WHERRY_REASON_TIMEOUT);
  }
  if (late) window_.expire(now);
  if (state_ != State::kDialling) return;
  if (proxied_ && !socket_ && proxied_->is_over()) return on_proxied(context, now);
  if (meet_at_) {
    if (*meet_at_ > now) return;
    meet_at_.reset();
    dialled_nearby_ = false;
    address_until_ = now + kMeetingLimit;
    return open(context, *endpoint_.meeting, true);
  }
  if (address_until_ > now) return;
  reason_ = connected_ ? WHERRY_REASON_WRONG_KEY : WHERRY_REASON_TIMEOUT;
  try_next(context, now);
}

void Link::heard_at(const Address& place) {
  doubted_ = state_ == State::kUp && dialled_nearby_ && dialled_ != place;
}

// Until when something has to be taken.
std::optional<Clock::time_point> Link::doubted_until() const {
  const auto first = window_.oldest();
  if (!doubted_ || state_ != State::kUp || !first) return std::nullopt;
  return std::max(*first - kTakenLimit, up_since_) + kDoubtLimit;
}

void Link::wait_for_another_moment(Clock::time_point now) {
  meet_at_ = now + until_next_meeting();
}

void Link::lose(std::int32_t reason) {
  asked_ = false;
  failed_ = state_ != State::kUp;
  window_.fail(reason);
  close();
  reason_ = reason;
}

void Link::close() {
  close_monitor(socket_);
  monitor_.close();
  socket_.close();
  proxied_.reset();
  if (connection_ >= 0) intake_.remove(std::exchange(connection_, -1));
  blocked_ = greeted_ = connected_ = meets_ = doubted_ = false;
  meet_at_.reset();
  state_ = State::kDown;
}

}  // namespace wherry::transports::p2p
