// BLAKE2b (RFC 7693): `H(key, label, n)` of the protocol, and plain keyed hashes.
#ifndef WHERRY_CRYPTO_HASH_H
#define WHERRY_CRYPTO_HASH_H

#include <initializer_list>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

namespace wherry::crypto {

// BLAKE2b of `out.size()` bytes (16 to 64) over the concatenated parts, with a key of 0 to 64
// bytes.
void blake2b(std::span<uint8_t> out, ByteView key, std::initializer_list<ByteView> parts);

// As above over one part; faster.
void blake2b(std::span<uint8_t> out, ByteView key, ByteView data);

// H(key, label ‖ parts, N) of PROTOCOL "Notation": `label` is given without its "wherry/1/".
void labelled_hash(std::span<uint8_t> out, ByteView key, std::string_view label,
                   std::initializer_list<ByteView> parts);

template <size_t N>
std::array<uint8_t, N> hash(ByteView key, std::string_view label,
                            std::initializer_list<ByteView> parts = {}) {
  std::array<uint8_t, N> out;
  labelled_hash(out, key, label, parts);
  return out;
}

// H("", data, N): no key, no label.
template <size_t N>
std::array<uint8_t, N> plain_hash(ByteView data) {
  std::array<uint8_t, N> out;
  blake2b(out, {}, data);
  return out;
}

// H(key, label, 32) as a key.
Secret<32> derive_key(ByteView key, std::string_view label);

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_HASH_H
