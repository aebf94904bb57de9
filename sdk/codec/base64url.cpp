// Base64 for URLs, strict.
#include "codec/base64url.h"

#include <array>

namespace wherry::codec {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kInvalid = 0xff;

constexpr std::array<uint8_t, 256> make_values() {
  std::array<uint8_t, 256> values{};
  values.fill(kInvalid);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return values;
}

constexpr std::array<uint8_t, 256> kValues = make_values();

}  // namespace

std::string base64url_encode(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t held = 0;
  unsigned held_bits = 0;
  for (uint8_t byte : bytes) {
    held = held << 8 | byte;
    for (held_bits += 8; held_bits >= 6; held_bits -= 6) {
      out.push_back(kAlphabet[held >> (held_bits - 6) & 63]);
    }
  }
  if (held_bits > 0) out.push_back(kAlphabet[held << (6 - held_bits) & 63]);
  return out;
}

std::optional<Bytes> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  uint32_t held = 0;
  unsigned held_bits = 0;
  for (char character : text) {
    const uint8_t value = kValues[static_cast<uint8_t>(character)];
    if (value == kInvalid) return std::nullopt;
    held = held << 6 | value;
    held_bits += 6;
    if (held_bits >= 8) {
      held_bits -= 8;
      out.push_back(static_cast<uint8_t>(held >> held_bits));
    }
  }
  if ((held & ((1u << held_bits) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace wherry::codec
