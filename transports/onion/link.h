// The dialling half: one link to one peer. It has a stream, or waits for one, or is down, and stays
// so until it is asked for again: the host paces. Nothing is believed of the stream alone, which
// may be half dead: what was sent is named by the other end, and an idle link is asked for a sign
// of life. The worker's own: nothing here is thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "endpoint.h"
#include "limits.h"
#include "stream.h"
#include "transports/common/links/send_window.h"

namespace wherry::transports::onion {

// The first frame of a dialler.
[[nodiscard]] links::Bytes hello_of(const std::optional<Token>& token);
// Streams of different people share no circuit. It is a name among this tor's streams, and no
// secret.
[[nodiscard]] std::string random_name();

class Link {
 public:
  enum class State : std::uint8_t { kDown, kAsked, kDialling, kUp };

  explicit Link(Endpoint endpoint);

  const tor::Target& target() const { return target_; }
  State state() const { return state_; }
  std::int32_t reason() const { return reason_; }  // why it is down

  // All of these say by sent() what became of envelopes.
  void queue(std::uint64_t send_id, links::Bytes envelope, Clock::time_point now);
  void ask();       // it is down, and is to be dialled when its turn comes
  void dialling();  // its turn has come
  void open(Descriptor stream, Clock::time_point now);
  void lose(std::int32_t reason);

  // While it is up.
  int descriptor() const { return stream_->descriptor(); }
  short events() const;  // of poll
  void on_ready(short events, Clock::time_point now);
  void write();
  std::optional<Clock::time_point> deadline() const;
  void on_time(Clock::time_point now);

  std::vector<wherry_sent>& sent() { return window_.sent(); }
  std::size_t queued() const { return window_.queued(); }

 private:
  bool take(std::span<const std::uint8_t> frame);

  const std::optional<Token> token_;
  const tor::Target target_;
  State state_ = State::kDown;
  std::int32_t reason_ = WHERRY_REASON_NONE;
  std::optional<Stream> stream_;
  Clock::time_point ping_at_;
  std::optional<Clock::time_point> pong_until_;
  Clock::time_point up_since_;
  links::SendWindow window_;
};

}  // namespace wherry::transports::onion
