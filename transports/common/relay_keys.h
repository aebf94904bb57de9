// The keys of an inbox and of a bundle, and what is signed with them: shared by relay and client,
// so that both sides of a proof are written once.
//
// From an inbox's 32-byte secret S (BLAKE2b keyed with S, the context as personalisation):
//   seed     = derive("wherry rly inbox", S)   32 bytes, of an Ed25519 key pair (k, K)
//   token    = derive("wherry rly token", S)   16 bytes; who has it may send
//   inbox id = hash("wherry rly id", K)        16 bytes; in the endpoint
//   token hash = hash("wherry rly hash", token) 32 bytes; all that the relay stores of the token
// From a bundle's 32-byte owner secret O and its locator L:
//   seed     = derive("wherry rly bkey", derive("wherry rly own", O) || L)   32 bytes: two bundles
//              of one owner show different keys
//
// Proofs are Ed25519 signatures over fixed layouts; `pin` and `challenge` bind them to one relay
// and one stream, so that neither a relay nor a listener can use them elsewhere:
//   open = "wherry-relay-1 open" 00 pin(16) challenge(32) token-hash(32)
//   put  = "wherry-relay-1 put"  00 pin(16) challenge(32) locator(32) ttl(4, big endian)
//          hash("wherry rly bndl", bundle)(32)
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "crypto.h"
#include "relay_address.h"

namespace wherry::transports {

using TokenHash = std::array<std::uint8_t, 32>;
using Challenge = std::array<std::uint8_t, 32>;
using Locator = std::array<std::uint8_t, 32>;
using StoreId = std::array<std::uint8_t, 16>;

// What one inbox's secret gives.
struct InboxKeys {
  explicit InboxKeys(std::span<const std::uint8_t, 32> secret);

  std::unique_ptr<const SigningKey> key;
  InboxId id{};
  Token token{};
  TokenHash token_hash{};
};

[[nodiscard]] InboxId inbox_id(const PublicKey& key);
[[nodiscard]] TokenHash token_hash(const Token& token);

// The pin of a public key, given as DER of its SubjectPublicKeyInfo.
[[nodiscard]] Pin pin_of(std::span<const std::uint8_t> subject_public_key_info);

[[nodiscard]] std::vector<std::uint8_t> open_proof(const Pin& pin, const Challenge& challenge,
                                                   const TokenHash& token);

[[nodiscard]] std::unique_ptr<const SigningKey> bundle_key(std::span<const std::uint8_t, 32> owner,
                                                           const Locator& locator);

[[nodiscard]] std::vector<std::uint8_t> put_proof(const Pin& pin, const Challenge& challenge,
                                                  const Locator& locator,
                                                  std::uint32_t time_to_live_s,
                                                  std::span<const std::uint8_t> bundle);

}  // namespace wherry::transports
