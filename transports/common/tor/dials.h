// Dials through tor, until each has a stream or its time is over. A dial is tried again and again
// within that: what tor says at once may be what it remembers of a service that was away (an
// introduction point that did not answer is not asked again for two minutes). Nothing here is
// thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dial.h"
#include "session.h"

namespace wherry::transports::tor {

class Dials {
 public:
  using Clock = Dial::Clock;
  using Report = std::function<void(std::uint64_t dial, Descriptor stream, std::int32_t reason)>;

  explicit Dials(Report report) : report_(std::move(report)) {}

  void begin(std::uint64_t dial, Target target, Clock::time_point now);
  void give_up(std::uint64_t dial);
  void fail_all(std::int32_t reason);

  // Begins tries that are due, by tor's SOCKS listener, and reports what has ended.
  void work(Session& session, const std::string& socks, Clock::time_point now);

  struct Watched {
    std::uint64_t dial = 0;
    int descriptor = -1;
    short events = 0;
  };
  std::vector<Watched> watched() const;
  void on_ready(std::uint64_t dial);
  std::optional<Clock::time_point> deadline() const;

 private:
  struct One {
    Target target;
    Clock::time_point until;
    Clock::time_point next;      // try
    bool asking = false;         // tor is given the client's key
    std::optional<Dial> dial{};  // the try that runs
    std::int32_t reason = 0;     // of the last one
  };

  void forget_failures(Session& session, Clock::time_point now);
  void try_it(std::uint64_t id, One& one, Session& session, const std::string& socks);
  bool is_over(std::uint64_t id, One& one, Clock::time_point now);

  const Report report_;
  std::map<std::uint64_t, One> all_;
  bool failures_ = false;    // tor remembers some
  bool forgetting_ = false;  // it was asked to forget them: what it is told now it may forget too
  Clock::time_point forget_at_{};
};

}  // namespace wherry::transports::tor
