// HKDF-SHA-256 (RFC 5869).
#ifndef WHERRY_CRYPTO_HKDF_H
#define WHERRY_CRYPTO_HKDF_H

#include <initializer_list>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

namespace wherry::crypto {

// Fills `out` (at most 8,160 bytes) from the concatenated parts of the input keying material.
// `info` is taken as it is.
void hkdf_sha256(std::span<uint8_t> out, ByteView salt, std::initializer_list<ByteView> ikm,
                 std::string_view info);

template <size_t N>
Secret<N> hkdf(ByteView salt, std::initializer_list<ByteView> ikm, std::string_view info) {
  Secret<N> out;
  hkdf_sha256({out.data(), N}, salt, ikm, info);
  return out;
}

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_HKDF_H
