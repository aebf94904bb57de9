// What a dialler has to send over its link, and what became of it: envelopes that wait, those on
// the way, and those that were taken at the other end and are not known to be durable yet. Nothing
// is believed of a socket: only what the other end names has arrived (frames.h). It knows no socket
// and no clock. Nothing here is thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "frames.h"
#include "include/wherry/transport.h"

namespace wherry::transports::links {

using Clock = std::chrono::steady_clock;

inline constexpr std::size_t kWindowEnvelopes = 512;  // on a link, and not yet taken at its end
inline constexpr std::size_t kHandedMax = 4096;  // taken there, and not yet known to be durable

class SendWindow {
 public:
  // `until`: by then it was taken, or it has failed.
  void queue(std::uint64_t send_id, Bytes envelope, Clock::time_point until);

  // A link is up: numbers begin anew.
  void begin() { next_number_ = 1; }
  // The numbers of a link are used up after a few billion envelopes; the next one has its own.
  bool is_used_up() const { return next_number_ > UINT32_MAX - kWindowEnvelopes; }
  // The frame that goes next, with as many envelopes as the window allows. None: nothing is to go
  // now. It is the same until wrote() says that the link has it.
  std::optional<Bytes> next_frame();
  void wrote();

  // The other end named them. False: none of them was ever sent.
  [[nodiscard]] bool taken(std::span<const Range> ranges);
  [[nodiscard]] bool stored(std::span<const Range> ranges);

  // When that which waits longest has failed.
  std::optional<Clock::time_point> oldest() const;
  // What waited too long has failed, and the link has not.
  void expire(Clock::time_point now);
  // The link is lost, with all that was not taken.
  void fail(std::int32_t reason);

  bool empty() const { return queue_.empty(); }
  // Nothing may go now: there is nothing, or too much is on the way.
  bool is_blocked() const { return queue_.empty() || flights_.size() >= kWindowEnvelopes; }
  std::size_t queued() const { return queue_.size(); }
  // Reports for the host, to be moved away.
  std::vector<wherry_sent>& sent() { return sent_; }

 private:
  struct Queued {
    std::uint64_t send_id = 0;
    Bytes envelope;
    Clock::time_point until;
  };
  struct Flight {
    std::uint64_t send_id = 0;
    Clock::time_point until;
  };

  bool were_sent(std::span<const Range> ranges) const;
  void report(std::uint64_t send_id, std::int32_t outcome, std::int32_t reason);

  std::uint32_t next_number_ = 1;
  std::size_t in_frame_ = 0;  // of the queue, from its front
  std::deque<Queued> queue_;
  std::map<std::uint32_t, Flight> flights_;        // not taken yet, by number
  std::map<std::uint32_t, std::uint64_t> handed_;  // taken, and not known to be durable
  std::vector<wherry_sent> sent_;
};

}  // namespace wherry::transports::links
