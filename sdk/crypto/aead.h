// XChaCha20-Poly1305 with nonces of 24 bytes (draft-irtf-cfrg-xchacha).
#ifndef WHERRY_CRYPTO_AEAD_H
#define WHERRY_CRYPTO_AEAD_H

#include <optional>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/keys.h"

namespace wherry::crypto {

inline constexpr size_t kAeadOverhead = 16;

// Writes plain.size() + 16 bytes to `out`, which may be where `plain` begins.
void aead_seal_into(uint8_t* out, ByteView key32, const Nonce& nonce, ByteView ad, ByteView plain);

// Writes sealed.size() - 16 bytes to `out`, which may be where `sealed` begins. False, and nothing
// that could be used, when it is not authentic.
[[nodiscard]] bool aead_open_into(uint8_t* out, ByteView key32, const Nonce& nonce, ByteView ad,
                                  ByteView sealed);

Bytes aead_seal(ByteView key32, const Nonce& nonce, ByteView ad, ByteView plain);
std::optional<Bytes> aead_open(ByteView key32, const Nonce& nonce, ByteView ad, ByteView sealed);

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_AEAD_H
