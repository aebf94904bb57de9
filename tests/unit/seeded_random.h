// Randomness from a seed, so that a failure can be repeated. Not secure: for tests alone.
#ifndef WHERRY_TESTS_UNIT_SEEDED_RANDOM_H
#define WHERRY_TESTS_UNIT_SEEDED_RANDOM_H

#include <random>

#include "base/env.h"

namespace wherry::test {

class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}

  void fill(uint8_t* out, size_t size) override {
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(engine_());
  }
  // From 0 to bound - 1.
  uint64_t below(uint64_t bound) { return engine_() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }
  Bytes bytes(size_t size) {
    Bytes out(size);
    fill(out.data(), size);
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace wherry::test

#endif  // WHERRY_TESTS_UNIT_SEEDED_RANDOM_H
