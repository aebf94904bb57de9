// Bytes as hexadecimal text.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wherry::test {

inline std::string to_hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4U]);
    text.push_back(kDigits[byte & 15U]);
  }
  return text;
}

// False if it is no text of as many bytes.
template <std::size_t kSize>
bool from_hex(std::string_view text, std::array<std::uint8_t, kSize>& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() != 2 * kSize) return false;
  for (std::size_t i = 0; i < kSize; ++i) {
    const std::size_t high = kDigits.find(text[2 * i]);
    const std::size_t low = kDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    out[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  return true;
}

}  // namespace wherry::test
