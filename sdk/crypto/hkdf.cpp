// HKDF-SHA-256 by libsodium.
#include "crypto/hkdf.h"

#include <sodium/crypto_kdf_hkdf_sha256.h>

namespace wherry::crypto {

void hkdf_sha256(std::span<uint8_t> out, ByteView salt, std::initializer_list<ByteView> ikm,
                 std::string_view info) {
  crypto_kdf_hkdf_sha256_state state;
  crypto_kdf_hkdf_sha256_extract_init(&state, salt.data(), salt.size());
  for (ByteView part : ikm) {
    crypto_kdf_hkdf_sha256_extract_update(&state, part.data(), part.size());
  }
  Secret<crypto_kdf_hkdf_sha256_KEYBYTES> extracted;
  crypto_kdf_hkdf_sha256_extract_final(&state, extracted.data());
  wipe(&state, sizeof state);
  crypto_kdf_hkdf_sha256_expand(out.data(), out.size(), info.data(), info.size(), extracted.data());
}

}  // namespace wherry::crypto
