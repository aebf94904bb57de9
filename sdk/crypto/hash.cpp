// BLAKE2b by libsodium.
#include "crypto/hash.h"

#include <sodium/crypto_generichash_blake2b.h>

namespace wherry::crypto {
namespace {

constexpr std::string_view kLabelPrefix = "wherry/1/";

// A hash in the making.
class Hasher {
 public:
  Hasher(ByteView key, size_t out_size) : out_size_(out_size) {
    crypto_generichash_blake2b_init(&state_, key.data(), key.size(), out_size);
  }
  ~Hasher() { wipe(&state_, sizeof state_); }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void add(ByteView part) { crypto_generichash_blake2b_update(&state_, part.data(), part.size()); }
  void finish(uint8_t* out) { crypto_generichash_blake2b_final(&state_, out, out_size_); }

 private:
  crypto_generichash_blake2b_state state_;
  size_t out_size_;
};

}  // namespace

void blake2b(std::span<uint8_t> out, ByteView key, std::initializer_list<ByteView> parts) {
  Hasher hasher(key, out.size());
  for (ByteView part : parts) hasher.add(part);
  hasher.finish(out.data());
}

void blake2b(std::span<uint8_t> out, ByteView key, ByteView data) {
  crypto_generichash_blake2b(out.data(), out.size(), data.data(), data.size(), key.data(),
                             key.size());
}

void labelled_hash(std::span<uint8_t> out, ByteView key, std::string_view label,
                   std::initializer_list<ByteView> parts) {
  Hasher hasher(key, out.size());
  hasher.add(as_bytes(kLabelPrefix));
  hasher.add(as_bytes(label));
  for (ByteView part : parts) hasher.add(part);
  hasher.finish(out.data());
}

Secret<32> derive_key(ByteView key, std::string_view label) {
  Secret<32> out;
  labelled_hash({out.data(), out.size()}, key, label, {});
  return out;
}

}  // namespace wherry::crypto
