// How a test lets time pass until something is so: on the machine's clock, or on a virtual one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace wherry::test {

class Pump {
 public:
  Pump() = default;
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;
  virtual ~Pump() = default;

  // Lets the world run until `predicate` is true, for at most `limit_ms`. Returns its last answer.
  // The predicate is called on the caller's thread; it must not call the pump.
  virtual bool until(const std::function<bool()>& predicate, std::int64_t limit_ms) = 0;

  // Something that a predicate may look at has changed. Any thread.
  virtual void notify() = 0;

  // Lets the world run for `duration_ms` whatever happens: to see that something does not happen.
  void quiet(std::int64_t duration_ms) {
    until([] { return false; }, duration_ms);
  }
};

// The machine's clock. It waits on a condition that notify() raises, so that it neither polls nor
// sleeps longer than it must. Thread-safe.
class RealPump final : public Pump {
 public:
  bool until(const std::function<bool()>& predicate, std::int64_t limit_ms) override;
  void notify() override;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t changes_ = 0;  // so that one between a predicate's look and the wait is not missed
};

}  // namespace wherry::test
