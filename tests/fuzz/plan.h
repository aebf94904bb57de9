// The input of a stateful target: taken from its front, zeros after its end.
#ifndef WHERRY_TESTS_FUZZ_PLAN_H
#define WHERRY_TESTS_FUZZ_PLAN_H

#include <algorithm>
#include <cstdint>
#include <span>

namespace wherry::fuzz {

class Plan {
 public:
  Plan(const uint8_t* data, size_t size) : rest_(data, size) {}
  bool empty() const { return rest_.empty(); }
  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint32_t u16() { return number(2); }
  std::span<const uint8_t> bytes(size_t size) {
    const auto taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  uint32_t number(size_t size) {
    uint32_t value = 0;
    for (const uint8_t byte : bytes(size)) value = value << 8 | byte;
    return value;
  }

  std::span<const uint8_t> rest_;
};

}  // namespace wherry::fuzz

#endif  // WHERRY_TESTS_FUZZ_PLAN_H
