// What people say in tests, and how long they wait.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wherry::test {

using Texts = std::vector<std::string>;
inline constexpr int64_t kMinute = 60'000;
inline constexpr int64_t kHour = 60 * kMinute;

// prefix0, prefix1, …
inline Texts numbered(const std::string& prefix, int count) {
  Texts texts;
  for (int i = 0; i < count; ++i) texts.push_back(prefix + std::to_string(i));
  return texts;
}

}  // namespace wherry::test
