// The header of a profile's directory: which key opens it, and the wrapped page key (PROTOCOL §9).
#ifndef WHERRY_STORE_PROFILE_HEADER_H
#define WHERRY_STORE_PROFILE_HEADER_H

#include <array>

#include "base/env.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/password.h"
#include "store/database.h"

namespace wherry::store {

// What opens a profile. Views are borrowed for the call.
struct Key {
  int32_t kind = WHERRY_KEY_PASSPHRASE;  // wherry_key_kind
  ByteView bytes;
  // For new passphrases; tests take less.
  crypto::PasswordCost cost = crypto::kPasswordCostInteractive;
};

using Header = std::array<uint8_t, 128>;

// What a header keeps.
struct PageKey {
  Secret<32> key;
  Cipher cipher = Cipher::kChaCha20;
};

Result<Header> wrap(const PageKey& page_key, const Key& key, Random& random);

// The file's bytes as a header, whole and of this version. CORRUPT, NEWER.
Result<Header> read_header(ByteView file);

// KEY: the key is wrong, or of the other kind. CORRUPT: the passphrase's cost is out of bounds.
// NEWER: the cipher is unknown. MEMORY.
Result<PageKey> unwrap(const Header& header, const Key& key);

}  // namespace wherry::store

#endif  // WHERRY_STORE_PROFILE_HEADER_H
