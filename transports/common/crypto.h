// The cryptography that transports share: keyed derivation, hashes, signatures, random bytes,
// base64url. Nothing below transports/ includes libsodium but this module, so that a transport can
// be read without it.
//
// Thread safety: every function may be called from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::transports {

// Longest context of `derive`, in bytes: what BLAKE2b calls the personalisation.
inline constexpr std::size_t kDeriveContextSizeMax = 16;

// Fills `out` (16..64 bytes) from `key` (16..64 bytes) by keyed BLAKE2b (RFC 7693, with libsodium's
// personalisation). Equal inputs give equal bytes; another context or size gives unrelated ones.
// A context, size or key beyond the bounds is the caller's bug and gives false, with `out` zeroed.
[[nodiscard]] bool derive(std::span<std::uint8_t> out, std::string_view context,
                          std::span<const std::uint8_t> key);

// Fills `out` (16..64 bytes) with BLAKE2b of the parts one after another, personalised with
// `context` (at most kDeriveContextSizeMax bytes). False, with `out` zeroed, beyond the bounds.
[[nodiscard]] bool hash(std::span<std::uint8_t> out, std::string_view context,
                        std::initializer_list<std::span<const std::uint8_t>> parts);

// SHA-256 (FIPS 180-4), SHA3-256 (FIPS 202) and HMAC-SHA-256 (RFC 2104), for what others define by
// them.
[[nodiscard]] std::array<std::uint8_t, 32> sha256(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::array<std::uint8_t, 32> sha3_256(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::array<std::uint8_t, 32> hmac_sha256(std::span<const std::uint8_t> key,
                                                       std::span<const std::uint8_t> bytes);

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

// An Ed25519 key pair (RFC 8032). The secret half is wiped at the end of its life.
class SigningKey {
 public:
  explicit SigningKey(std::span<const std::uint8_t, 32> seed);
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey();

  const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] Signature sign(std::span<const std::uint8_t> message) const;

 private:
  PublicKey public_key_{};
  std::array<std::uint8_t, 64> secret_key_{};
};

// What RFC 8032, section 5.1.5, makes of a seed: the clamped scalar, and the prefix. Secret.
[[nodiscard]] std::array<std::uint8_t, 64> expanded_key(std::span<const std::uint8_t, 32> seed);

// The X25519 key (RFC 7748) whose secret that is.
[[nodiscard]] PublicKey x25519_public_key(std::span<const std::uint8_t, 32> secret);

[[nodiscard]] bool verify(const Signature& signature, std::span<const std::uint8_t> message,
                          const PublicKey& key);

inline constexpr std::size_t kNonceSize = 24;
inline constexpr std::size_t kSealSize = 16;

// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). `sealed` has kSealSize bytes more than `plain`.
// A nonce is used once with a key. `open` is false, with `plain` zeroed, for whatever seal() did
// not make of these. Other sizes are the caller's bug, and refused by both.
[[nodiscard]] bool seal(std::span<std::uint8_t> sealed, std::span<const std::uint8_t> plain,
                        std::span<const std::uint8_t> associated,
                        std::span<const std::uint8_t, kNonceSize> nonce,
                        std::span<const std::uint8_t, 32> key);
[[nodiscard]] bool open(std::span<std::uint8_t> plain, std::span<const std::uint8_t> sealed,
                        std::span<const std::uint8_t> associated,
                        std::span<const std::uint8_t, kNonceSize> nonce,
                        std::span<const std::uint8_t, 32> key);

// Fills `out` from the system's generator.
void random_bytes(std::span<std::uint8_t> out);

// Compares without telling by its time where two equally long strings differ.
[[nodiscard]] bool equal_in_constant_time(std::span<const std::uint8_t> left,
                                          std::span<const std::uint8_t> right);

// Overwrites a secret in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> secret);

// RFC 4648 section 5, without padding.
[[nodiscard]] std::string base64url(std::span<const std::uint8_t> bytes);

// The reverse: empty for a foreign character, an impossible length, padding, or unused bits that
// are not zero, so that each byte string has exactly one text.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

}  // namespace wherry::transports
