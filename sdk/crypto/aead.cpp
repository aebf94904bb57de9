// XChaCha20-Poly1305 by libsodium.
#include "crypto/aead.h"

#include <sodium/crypto_aead_xchacha20poly1305.h>

namespace wherry::crypto {

static_assert(kAeadOverhead == crypto_aead_xchacha20poly1305_ietf_ABYTES);

void aead_seal_into(uint8_t* out, ByteView key32, const Nonce& nonce, ByteView ad, ByteView plain) {
  crypto_aead_xchacha20poly1305_ietf_encrypt(out, nullptr, plain.data(), plain.size(), ad.data(),
                                             ad.size(), nullptr, nonce.data(), key32.data());
}

bool aead_open_into(uint8_t* out, ByteView key32, const Nonce& nonce, ByteView ad,
                    ByteView sealed) {
  return sealed.size() >= kAeadOverhead &&
         crypto_aead_xchacha20poly1305_ietf_decrypt(out, nullptr, nullptr, sealed.data(),
                                                    sealed.size(), ad.data(), ad.size(),
                                                    nonce.data(), key32.data()) == 0;
}

Bytes aead_seal(ByteView key32, const Nonce& nonce, ByteView ad, ByteView plain) {
  Bytes out(plain.size() + kAeadOverhead);
  aead_seal_into(out.data(), key32, nonce, ad, plain);
  return out;
}

std::optional<Bytes> aead_open(ByteView key32, const Nonce& nonce, ByteView ad, ByteView sealed) {
  if (sealed.size() < kAeadOverhead) return std::nullopt;
  Bytes out(sealed.size() - kAeadOverhead);
  if (!aead_open_into(out.data(), key32, nonce, ad, sealed)) return std::nullopt;
  return out;
}

}  // namespace wherry::crypto
