// Addresses as text.
#include "onion_address.h"

#include <algorithm>
#include <vector>

namespace wherry::transports::tor {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kChecksumContext = ".onion checksum";
constexpr std::uint8_t kVersion = 3;
constexpr std::size_t kBytes = 32 + 2 + 1;

std::optional<std::array<std::uint8_t, kBytes>> from_base32(std::string_view text) {
  if (text.size() != kAddressSize) return std::nullopt;  // 280 bits: none is unused
  std::array<std::uint8_t, kBytes> bytes{};
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t at = 0;
  for (const char character : text) {
    const std::size_t value = kAlphabet.find(character);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 5U | static_cast<std::uint32_t>(value)) & 0xfffU;
    held += 5;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = static_cast<std::uint8_t>(bits >> static_cast<unsigned>(held));
  }
  return bytes;
}

}  // namespace

std::string base32(std::span<const std::uint8_t> bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8U | byte) & 0xfffU;
    held += 8;
    for (; held >= 5; held -= 5) text += kAlphabet[bits >> (held - 5) & 31U];
  }
  if (held > 0) text += kAlphabet[bits << (5 - held) & 31U];
  return text;
}

std::string address_of(const PublicKey& key) {
  std::vector<std::uint8_t> checked(kChecksumContext.begin(), kChecksumContext.end());
  checked.insert(checked.end(), key.begin(), key.end());
  checked.push_back(kVersion);
  const auto digest = sha3_256(checked);
  std::vector<std::uint8_t> bytes(key.begin(), key.end());
  bytes.insert(bytes.end(), {digest[0], digest[1], kVersion});
  return base32(bytes);
}

std::optional<PublicKey> parse_address(std::string_view text) {
  const auto bytes = from_base32(text);
  if (!bytes) return std::nullopt;
  PublicKey key{};
  std::copy_n(bytes->begin(), key.size(), key.begin());
  if (address_of(key) != text) return std::nullopt;
  return key;
}

}  // namespace wherry::transports::tor
