// Byte strings: owned, borrowed, fixed; hexadecimal for logs and tests.
#ifndef WHERRY_BASE_BYTES_H
#define WHERRY_BASE_BYTES_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wherry {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

// A 128-bit identifier: message ids, refs, device ids, conversation ids.
using Id128 = std::array<uint8_t, 16>;
// A public key or hash of 32 bytes.
using Bytes32 = std::array<uint8_t, 32>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void append(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// Copies a view of exactly N bytes; the caller has checked the length.
template <size_t N>
std::array<uint8_t, N> to_array(ByteView bytes) {
  std::array<uint8_t, N> out{};
  if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), N < bytes.size() ? N : bytes.size());
  return out;
}

inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

std::string to_hex(ByteView bytes);

// For unordered containers keyed by values that are already uniformly distributed.
struct IdHash {
  template <size_t N>
  size_t operator()(const std::array<uint8_t, N>& id) const noexcept {
    static_assert(N >= sizeof(size_t));
    size_t hash;
    std::memcpy(&hash, id.data(), sizeof hash);
    return hash;
  }
};

}  // namespace wherry

#endif  // WHERRY_BASE_BYTES_H
