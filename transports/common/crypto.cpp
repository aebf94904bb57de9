// The cryptography that transports share, on libsodium.
#include "crypto.h"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace wherry::transports {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// The value of a character, or 64 for one that is not of the alphabet.
constexpr std::uint32_t value_of(char character) {
  const std::size_t at = kAlphabet.find(character);
  return at == std::string_view::npos ? 64U : static_cast<std::uint32_t>(at);
}

// sodium_init picks fast implementations and opens the generator: once a process, thread-safe.
bool library_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

}  // namespace

bool derive(std::span<std::uint8_t> out, std::string_view context,
            std::span<const std::uint8_t> key) {
  std::array<std::uint8_t, crypto_generichash_blake2b_PERSONALBYTES> personal{};
  static_assert(sizeof(personal) == kDeriveContextSizeMax);
  const bool fits = context.size() <= personal.size() &&
                    out.size() >= crypto_generichash_blake2b_BYTES_MIN &&
                    out.size() <= crypto_generichash_blake2b_BYTES_MAX &&
                    key.size() >= crypto_generichash_blake2b_KEYBYTES_MIN &&
                    key.size() <= crypto_generichash_blake2b_KEYBYTES_MAX;
  if (!fits || !library_ready()) {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    return false;
  }
  std::copy(context.begin(), context.end(), personal.begin());
  return crypto_generichash_blake2b_salt_personal(out.data(), out.size(), nullptr, 0, key.data(),
                                                  key.size(), nullptr, personal.data()) == 0;
}

bool hash(std::span<std::uint8_t> out, std::string_view context,
          std::initializer_list<std::span<const std::uint8_t>> parts) {
  std::array<std::uint8_t, crypto_generichash_blake2b_PERSONALBYTES> personal{};
  const bool fits = context.size() <= personal.size() &&
                    out.size() >= crypto_generichash_blake2b_BYTES_MIN &&
                    out.size() <= crypto_generichash_blake2b_BYTES_MAX;
  if (!fits || !library_ready()) {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    return false;
  }
  std::copy(context.begin(), context.end(), personal.begin());
  crypto_generichash_blake2b_state state;
  crypto_generichash_blake2b_init_salt_personal(&state, nullptr, 0, out.size(), nullptr,
                                                personal.data());
  for (const auto part : parts) {
    crypto_generichash_blake2b_update(&state, part.data(), part.size());
  }
  return crypto_generichash_blake2b_final(&state, out.data(), out.size()) == 0;
}

std::array<std::uint8_t, 32> sha256(std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, 32> digest{};
  static_assert(sizeof(digest) == crypto_hash_sha256_BYTES);
  crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
  return digest;
}

std::array<std::uint8_t, 32> sha3_256(std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, 32> digest{};
  static_assert(sizeof(digest) == crypto_hash_sha3256_BYTES);
  crypto_hash_sha3256(digest.data(), bytes.data(), bytes.size());
  return digest;
}

std::array<std::uint8_t, 32> hmac_sha256(std::span<const std::uint8_t> key,
                                         std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, 32> code{};
  static_assert(sizeof(code) == crypto_auth_hmacsha256_BYTES);
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  crypto_auth_hmacsha256_update(&state, bytes.data(), bytes.size());
  crypto_auth_hmacsha256_final(&state, code.data());
  return code;
}

std::array<std::uint8_t, 64> expanded_key(std::span<const std::uint8_t, 32> seed) {
  std::array<std::uint8_t, 64> key{};
  crypto_hash_sha512(key.data(), seed.data(), seed.size());
  key[0] &= 248U;
  key[31] = static_cast<std::uint8_t>((key[31] & 63U) | 64U);
  return key;
}

PublicKey x25519_public_key(std::span<const std::uint8_t, 32> secret) {
  PublicKey key{};
  static_assert(sizeof(key) == crypto_scalarmult_curve25519_BYTES);
  crypto_scalarmult_curve25519_base(key.data(), secret.data());
  return key;
}

SigningKey::SigningKey(std::span<const std::uint8_t, 32> seed) {
  static_assert(sizeof(public_key_) == crypto_sign_PUBLICKEYBYTES);
  static_assert(sizeof(secret_key_) == crypto_sign_SECRETKEYBYTES);
  library_ready();
  crypto_sign_seed_keypair(public_key_.data(), secret_key_.data(), seed.data());
}

SigningKey::~SigningKey() {
  wipe(secret_key_);
}

Signature SigningKey::sign(std::span<const std::uint8_t> message) const {
  Signature signature{};
  static_assert(sizeof(signature) == crypto_sign_BYTES);
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       secret_key_.data());
  return signature;
}

bool verify(const Signature& signature, std::span<const std::uint8_t> message,
            const PublicKey& key) {
  library_ready();
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

bool seal(std::span<std::uint8_t> sealed, std::span<const std::uint8_t> plain,
          std::span<const std::uint8_t> associated, std::span<const std::uint8_t, kNonceSize> nonce,
          std::span<const std::uint8_t, 32> key) {
  static_assert(kNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
  static_assert(kSealSize == crypto_aead_xchacha20poly1305_ietf_ABYTES);
  if (sealed.size() != plain.size() + kSealSize || !library_ready()) return false;
  return crypto_aead_xchacha20poly1305_ietf_encrypt(
             sealed.data(), nullptr, plain.data(), plain.size(), associated.data(),
             associated.size(), nullptr, nonce.data(), key.data()) == 0;
}

bool open(std::span<std::uint8_t> plain, std::span<const std::uint8_t> sealed,
          std::span<const std::uint8_t> associated, std::span<const std::uint8_t, kNonceSize> nonce,
          std::span<const std::uint8_t, 32> key) {
  if (sealed.size() == plain.size() + kSealSize && library_ready() &&
      crypto_aead_xchacha20poly1305_ietf_decrypt(
          plain.data(), nullptr, nullptr, sealed.data(), sealed.size(), associated.data(),
          associated.size(), nonce.data(), key.data()) == 0) {
    return true;
  }
  std::ranges::fill(plain, std::uint8_t{0});
  return false;
}

void random_bytes(std::span<std::uint8_t> out) {
  library_ready();
  randombytes_buf(out.data(), out.size());
}

bool equal_in_constant_time(std::span<const std::uint8_t> left,
                            std::span<const std::uint8_t> right) {
  return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

void wipe(std::span<std::uint8_t> secret) {
  sodium_memzero(secret.data(), secret.size());
}

std::string base64url(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8U) | byte;
    for (count += 8; count >= 6; count -= 6) {
      text.push_back(kAlphabet[(bits >> (count - 6U)) & 63U]);
    }
  }
  if (count > 0) text.push_back(kAlphabet[(bits << (6U - count)) & 63U]);
  return text;
}

std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char character : text) {
    const std::uint32_t value = value_of(character);
    if (value > 63) return std::nullopt;
    bits = (bits << 6U) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  const std::uint32_t unused = bits & ((1U << count) - 1U);
  if (unused != 0) return std::nullopt;
  return bytes;
}

}  // namespace wherry::transports
