// Text for people; see text.h.
#include "text.h"

#include <array>
#include <ctime>

namespace cli {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// A character of UTF-8 text: its code point and length, or length 0 when it is malformed.
struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;
};

Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  std::uint32_t code = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return {};
    code = (code << 6) | (byte(i) & 0x3Fu);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < least[length] || code > 0x10FFFF || surrogate) return {};
  return {code, length};
}

bool may_be_shown(std::uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false;
  if (code == 0x2028 || code == 0x2029) return false;                    // line separators
  if (code == 0x200E || code == 0x200F || code == 0x061C) return false;  // direction marks
  return !(code >= 0x202A && code <= 0x202E) && !(code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string harmless(std::string_view text, bool keep_line_breaks) {
  std::string shown;
  while (!text.empty()) {
    const Character c = decode(text);
    if (c.length == 0) {
      shown += replacement;
      text.remove_prefix(1);
      continue;
    }
    if (may_be_shown(c.code) || (keep_line_breaks && c.code == '\n')) {
      shown += text.substr(0, c.length);
    } else if (c.code == '\t') {
      shown += ' ';
    } else {
      shown += replacement;
    }
    text.remove_prefix(c.length);
  }
  return shown;
}

std::string local_time(std::int64_t time_ms) {
  if (time_ms == 0) return "-";
  const std::time_t seconds = static_cast<std::time_t>(time_ms / 1000);
  std::tm parts{};
  std::array<char, 32> text{};
  if (localtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts) == 0) {
    return "-";
  }
  return text.data();
}

std::string hex(wherry::Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string short_identity(wherry::Bytes identity) {
  return "~" + hex(identity).substr(0, 8);
}

std::string body_text(std::int32_t content, wherry::Bytes body) {
  if (content != WHERRY_CONTENT_TEXT) return "(" + std::to_string(body.size()) + " bytes of data)";
  const std::string text = harmless(body.text(), true);
  std::string indented;
  for (const char c : text) {
    indented += c;
    if (c == '\n') indented += "    ";
  }
  return indented;
}

}  // namespace cli
