// Fixed fields in little-endian order, for what is not CBOR: heads, first envelopes, stored states.
#ifndef WHERRY_CODEC_FIELDS_H
#define WHERRY_CODEC_FIELDS_H

#include <concepts>

#include "base/bytes.h"

namespace wherry::codec {

template <std::unsigned_integral T>
void store_le(uint8_t* out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<uint8_t>(uint64_t{value} >> (8 * i));
}

template <std::unsigned_integral T>
T load_le(const uint8_t* in) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= uint64_t{in[i]} << (8 * i);
  return static_cast<T>(value);
}

template <std::unsigned_integral T>
void append_le(Bytes& out, T value) {
  uint8_t field[sizeof(T)];
  store_le(field, value);
  out.insert(out.end(), field, field + sizeof(T));
}

// Takes fields off the front. Once too little is left it fails for good: every later field is zero,
// and done() is false.
class FieldReader {
 public:
  explicit FieldReader(ByteView input) : rest_(input) {}

  template <std::unsigned_integral T>
  T number() {
    const ByteView field = take(sizeof(T));
    return failed_ ? T{0} : load_le<T>(field.data());
  }
  template <size_t N>
  std::array<uint8_t, N> fixed() {
    const ByteView field = take(N);
    return failed_ ? std::array<uint8_t, N>{} : to_array<N>(field);
  }
  // A view of exactly `size` bytes, or an empty one after a failure.
  ByteView take(size_t size) {
    if (failed_ || size > rest_.size()) {
      failed_ = true;
      return {};
    }
    const ByteView field = rest_.first(size);
    rest_ = rest_.subspan(size);
    return field;
  }
  // What is left, all of it.
  ByteView rest() { return take(failed_ ? 0 : rest_.size()); }

  bool failed() const { return failed_; }
  bool done() const { return !failed_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool failed_ = false;
};

}  // namespace wherry::codec

#endif  // WHERRY_CODEC_FIELDS_H
