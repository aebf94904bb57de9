// The listening half: streams that came to our services, and what comes over them. Whose a stream
// is, is known by the service that it came to, and, where contacts share one, by the token of its
// first frame. The worker's own: nothing here is thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "endpoint.h"
#include "limits.h"
#include "stream.h"

namespace wherry::transports::onion {

struct Arrival {
  std::uint64_t receipt = 0;
  std::span<const std::uint8_t> envelope;
};

class Callers {
 public:
  // Takes what it can of envelopes for an inbox, from the first on: how many.
  using Taker = std::function<std::size_t(std::uint64_t inbox, const std::vector<Arrival>&)>;

  // A bundle by its locator; none: it is not there.
  using Finder = std::function<std::optional<links::Bytes>(std::span<const std::uint8_t>)>;

  Callers(Taker taker, Finder finder) : taker_(std::move(taker)), finder_(std::move(finder)) {}

  // Streams to this service are for the inbox; where several share it, those with this token.
  void allow(std::uint64_t service, std::uint64_t inbox, std::optional<Token> token, bool anybody);
  // Also who is here for it has to go.
  void forbid(std::uint64_t inbox);

  // Everybody has to go, and nobody is let in.
  void clear();

  void came(std::uint64_t service, Descriptor stream, Clock::time_point now);

  // To be polled, by their numbers. While the taker has no room nothing is read.
  struct Watched {
    std::uint64_t caller = 0;
    int descriptor = -1;
    short events = 0;
  };
  std::vector<Watched> watched() const;
  void on_ready(std::uint64_t caller, short events, Clock::time_point now);
  std::optional<Clock::time_point> deadline() const;
  void on_time(Clock::time_point now);
  // The taker has room again.
  void resume(Clock::time_point now);

  // An envelope is durable; flush() tells those who sent such.
  void stored(std::uint64_t receipt);
  // Tells what was taken and what is durable since, as far as it is time to.
  void flush(Clock::time_point now);

 private:
  struct Inbox {
    std::uint64_t service = 0;
    std::optional<Token> token;
    bool anybody = false;
  };
  // What was read and not taken yet.
  struct Rest {
    links::Bytes frame;
    std::vector<links::NumberedEnvelope> envelopes;  // they point into it
    std::size_t taken = 0;
  };
  struct Caller {
    Stream stream;
    std::uint64_t service = 0;
    std::uint64_t inbox = 0;  // 0: it has said nothing yet
    std::uint32_t last_number = 0;
    Clock::time_point until;
    std::optional<Rest> rest;
    // To be told: what was taken, the first of it then, and what is durable.
    std::vector<std::uint32_t> taken;
    Clock::time_point taken_since;
    std::vector<std::uint32_t> durable;
    Clock::time_point told_at;  // the last time

    Clock::time_point tell_at() const;  // max(): there is nothing to tell
  };
  struct Origin {
    std::uint64_t caller = 0;
    std::uint32_t number = 0;
  };

  bool anybody_finds(std::uint64_t service) const;
  bool read(std::uint64_t number, Caller& caller, Clock::time_point now);
  bool take(std::uint64_t number, Caller& caller, std::span<const std::uint8_t> frame,
            Clock::time_point now);
  void answer(Caller& caller, std::span<const std::uint8_t> locator);
  bool greet(Caller& caller, std::span<const std::uint8_t> token);
  void offer(std::uint64_t number, Caller& caller, Clock::time_point now);
  static void tell(Caller& caller, links::FrameKind kind, std::vector<std::uint32_t>& numbers);
  void make_room(std::uint64_t inbox);
  void drop(std::uint64_t number);

  const Taker taker_;
  const Finder finder_;
  std::map<std::uint64_t, Inbox> inboxes_;
  std::map<std::uint64_t, Caller> callers_;  // by number, the oldest first
  std::uint64_t last_caller_ = 0;
  std::map<std::uint64_t, Origin> origins_;  // of what is not durable yet, by receipt
  std::uint64_t next_receipt_ = 1;
  bool full_ = false;  // the taker is
};

}  // namespace wherry::transports::onion
