// Virtual time: a queue of things to do, done in the order of their times on the caller's thread.
// Things due at the same time are done in the order in which they were scheduled, so that a run
// depends on nothing but what was scheduled. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "tests/support/pump.h"

namespace wherry::test {

class FakeClock final : public Pump {
 public:
  using Action = std::function<void()>;

  std::int64_t now_ms() const { return now_ms_; }

  // `action` is done at `at_ms`, or, if that has passed, as the next thing of now.
  void schedule(std::int64_t at_ms, Action action) {
    const std::int64_t due_ms = at_ms > now_ms_ ? at_ms : now_ms_;
    actions_.emplace(std::pair(due_ms, next_++), std::move(action));
  }
  void schedule_in(std::int64_t delay_ms, Action action) {
    schedule(now_ms_ + delay_ms, std::move(action));
  }

  bool idle() const { return actions_.empty(); }

  // Does the next thing if it is due by `limit_ms`, at its time.
  bool run_next(std::int64_t limit_ms) {
    if (actions_.empty() || actions_.begin()->first.first > limit_ms) return false;
    const auto next = actions_.extract(actions_.begin());
    now_ms_ = next.key().first;
    next.mapped()();
    return true;
  }

  // Does everything that is due by `at_ms`, which is then the time.
  void run_until(std::int64_t at_ms) {
    while (run_next(at_ms)) {
    }
    if (at_ms > now_ms_) now_ms_ = at_ms;
  }

  bool until(const std::function<bool()>& predicate, std::int64_t limit_ms) override {
    const std::int64_t end_ms = now_ms_ + limit_ms;
    while (!predicate()) {
      if (run_next(end_ms)) continue;
      now_ms_ = end_ms;
      return predicate();
    }
    return true;
  }
  void notify() override {}  // the predicate is looked at after each thing done

 private:
  std::int64_t now_ms_ = 0;
  std::uint64_t next_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, Action> actions_;
};

}  // namespace wherry::test
