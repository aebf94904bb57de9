// Secret bytes: zeroed when they go, never copied by accident, never printed.
#ifndef WHERRY_BASE_SECRET_H
#define WHERRY_BASE_SECRET_H

#include <cstring>

#include "base/bytes.h"

namespace wherry {

// Overwrites memory in a way that the compiler may not leave out.
inline void wipe(void* data, size_t size) {
  std::memset(data, 0, size);
  __asm__ __volatile__("" : : "r"(data) : "memory");
}

// N secret bytes by value. Moving wipes the source; copying is spelled `clone()`.
template <size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(ByteView bytes) : bytes_(to_array<N>(bytes)) {}
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { clear(); }

  Secret clone() const { return Secret(ByteView(bytes_)); }
  void clear() { wipe(bytes_.data(), N); }

  const uint8_t* data() const { return bytes_.data(); }
  uint8_t* data() { return bytes_.data(); }
  static constexpr size_t size() { return N; }
  ByteView view() const { return bytes_; }

 private:
  std::array<uint8_t, N> bytes_{};
};

// Secret bytes of a length known at run time, such as a serialised private state.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(Bytes bytes) : bytes_(std::move(bytes)) {}
  SecretBytes(SecretBytes&&) noexcept = default;
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      clear();
      bytes_ = std::move(other.bytes_);
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { clear(); }

  void clear() {
    if (!bytes_.empty()) wipe(bytes_.data(), bytes_.size());
    bytes_.clear();
  }
  const Bytes& bytes() const { return bytes_; }
  ByteView view() const { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace wherry

#endif  // WHERRY_BASE_SECRET_H
