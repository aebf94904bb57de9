// Types of public keys, so that one kind is never taken for another.
#ifndef WHERRY_CRYPTO_KEYS_H
#define WHERRY_CRYPTO_KEYS_H

#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.h"

namespace wherry::crypto {

template <typename Kind, size_t N>
struct PublicValue {
  static constexpr size_t kSize = N;

  std::array<uint8_t, N> bytes{};

  PublicValue() = default;
  explicit PublicValue(const std::array<uint8_t, N>& value) : bytes(value) {}
  // Takes a view of exactly N bytes; the caller has checked the length.
  static PublicValue from(ByteView view) { return PublicValue(to_array<N>(view)); }

  ByteView view() const { return bytes; }
  auto operator<=>(const PublicValue&) const = default;
};

using VerifyKey = PublicValue<struct Ed25519Kind, 32>;
using Signature = PublicValue<struct SignatureKind, 64>;
using AgreementKey = PublicValue<struct X25519Kind, 32>;
using KemKey = PublicValue<struct MlKem768Kind, 1184>;
using KemCiphertext = PublicValue<struct MlKem768CiphertextKind, 1088>;
using Nonce = std::array<uint8_t, 24>;

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_KEYS_H
