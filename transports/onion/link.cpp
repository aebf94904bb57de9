// A link's life.
#include "link.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "transports/common/tor/onion_address.h"

namespace wherry::transports::onion {

using links::FrameKind;

links::Bytes hello_of(const std::optional<Token>& token) {
  links::Bytes hello(token ? 1 + token->size() : 1);
  hello[0] = static_cast<std::uint8_t>(FrameKind::kHello);
  if (token) std::ranges::copy(*token, hello.begin() + 1);
  return hello;
}

std::string random_name() {
  std::array<std::uint8_t, 16> name{};
  random_bytes(name);
  return base64url(name);
}

Link::Link(Endpoint endpoint)
    : token_(endpoint.token),
      target_{tor::address_of(endpoint.service), endpoint.client, random_name()} {}

void Link::queue(std::uint64_t send_id, links::Bytes envelope, Clock::time_point now) {
  window_.queue(send_id, std::move(envelope), now + kTakenLimit);
}

void Link::ask() {
  if (state_ == State::kDown) state_ = State::kAsked;
}

void Link::dialling() {
  state_ = State::kDialling;
}

void Link::open(Descriptor stream, Clock::time_point now) {
  if (state_ != State::kDialling) return;
  stream_.emplace(std::move(stream));
  state_ = State::kUp;
  reason_ = WHERRY_REASON_NONE;
  up_since_ = now;
  ping_at_ = now + kPingEvery;
  pong_until_.reset();
  window_.begin();
  stream_->put(hello_of(token_));
  write();
}

void Link::lose(std::int32_t reason) {
  window_.fail(reason);
  stream_.reset();
  state_ = State::kDown;
  reason_ = reason;
}

short Link::events() const {
  return static_cast<short>(POLLIN | (stream_->wants_to_write() ? POLLOUT : 0));
}

void Link::on_ready(short events, Clock::time_point now) {
  if ((events & ~POLLOUT) != 0) {
    if (!stream_->read()) return lose(WHERRY_REASON_UNREACHABLE);
    while (const auto frame = stream_->next()) {
      ping_at_ = now + kPingEvery;
      pong_until_.reset();
      if (links::kind_of(*frame) == FrameKind::kRefused) return lose(WHERRY_REASON_NOT_ALLOWED);
      if (!take(*frame)) return lose(WHERRY_REASON_PROTOCOL);
    }
    if (stream_->bad()) return lose(WHERRY_REASON_PROTOCOL);
  }
  write();
}

// False: it is not what a listener says.
bool Link::take(std::span<const std::uint8_t> frame) {
  const auto kind = links::kind_of(frame);
  if (kind == FrameKind::kPong) return frame.size() == 1;
  if (kind != FrameKind::kTaken && kind != FrameKind::kStored) return false;
  const auto ranges = links::parse_numbers(frame);
  if (!ranges) return false;
  return kind == FrameKind::kTaken ? window_.taken(*ranges) : window_.stored(*ranges);
}

// As much as the window and the stream take, several envelopes to a frame.
void Link::write() {
  if (state_ != State::kUp) return;
  for (;;) {
    while (stream_->has_room()) {
      const auto frame = window_.next_frame();
      if (!frame) break;
      if (window_.is_used_up()) return lose(WHERRY_REASON_UNREACHABLE);
      stream_->put(*frame);
      window_.wrote();
    }
    if (!stream_->write()) return lose(WHERRY_REASON_UNREACHABLE);
    if (stream_->wants_to_write() || window_.is_blocked()) return;
  }
}

std::optional<Clock::time_point> Link::deadline() const {
  auto first = window_.oldest();
  if (state_ != State::kUp) return first;
  const Clock::time_point own = pong_until_.value_or(ping_at_);
  return first ? std::min(*first, own) : own;
}

void Link::on_time(Clock::time_point now) {
  const auto oldest = window_.oldest();
  if (oldest && *oldest <= now) {
    if (state_ == State::kUp && now - up_since_ >= kTakenLimit / 2) {
      return lose(WHERRY_REASON_TIMEOUT);
    }
    window_.expire(now);
  }
  if (state_ != State::kUp) return;
  if (pong_until_) {
    if (*pong_until_ <= now) lose(WHERRY_REASON_TIMEOUT);
    return;
  }
  if (ping_at_ > now) return;
  pong_until_ = now + kPongLimit;
  const std::array ping{static_cast<std::uint8_t>(FrameKind::kPing)};
  if (stream_->has_room()) stream_->put(ping);
  write();
}

}  // namespace wherry::transports::onion
