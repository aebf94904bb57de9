// Derivations and proofs of inboxes and bundles; the layouts are in the header.
#include "relay_keys.h"

#include <algorithm>
#include <string_view>

namespace wherry::transports {
namespace {

constexpr std::string_view kOpenLabel = "wherry-relay-1 open";
constexpr std::string_view kPutLabel = "wherry-relay-1 put";

void append(std::vector<std::uint8_t>& out, std::span<const std::uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::vector<std::uint8_t> proof_start(std::string_view label, const Pin& pin,
                                      const Challenge& challenge) {
  std::vector<std::uint8_t> out(label.begin(), label.end());
  out.push_back(0);
  append(out, pin);
  append(out, challenge);
  return out;
}

// Sizes and contexts here are constants within the bounds of `derive` and `hash`, so that their
// answer cannot be false.
template <std::size_t Size>
std::array<std::uint8_t, Size> derived(std::string_view context,
                                       std::span<const std::uint8_t> key) {
  std::array<std::uint8_t, Size> out{};
  static_cast<void>(derive(out, context, key));
  return out;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> hashed(std::string_view context,
                                      std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, Size> out{};
  static_cast<void>(hash(out, context, {bytes}));
  return out;
}

}  // namespace

InboxKeys::InboxKeys(std::span<const std::uint8_t, 32> secret) {
  auto seed = derived<32>("wherry rly inbox", secret);
  key = std::make_unique<const SigningKey>(seed);
  wipe(seed);
  id = inbox_id(key->public_key());
  token = derived<16>("wherry rly token", secret);
  token_hash = transports::token_hash(token);
}

InboxId inbox_id(const PublicKey& key) {
  return hashed<16>("wherry rly id", key);
}

TokenHash token_hash(const Token& token) {
  return hashed<32>("wherry rly hash", token);
}

Pin pin_of(std::span<const std::uint8_t> subject_public_key_info) {
  const auto digest = sha256(subject_public_key_info);
  Pin pin;
  std::copy_n(digest.begin(), pin.size(), pin.begin());
  return pin;
}

std::vector<std::uint8_t> open_proof(const Pin& pin, const Challenge& challenge,
                                     const TokenHash& token) {
  auto out = proof_start(kOpenLabel, pin, challenge);
  append(out, token);
  return out;
}

std::unique_ptr<const SigningKey> bundle_key(std::span<const std::uint8_t, 32> owner,
                                             const Locator& locator) {
  auto owner_key = derived<32>("wherry rly own", owner);
  std::array<std::uint8_t, 64> both{};
  std::copy(owner_key.begin(), owner_key.end(), both.begin());
  std::copy(locator.begin(), locator.end(), both.begin() + 32);
  auto seed = derived<32>("wherry rly bkey", both);
  auto key = std::make_unique<const SigningKey>(seed);
  wipe(owner_key);
  wipe(both);
  wipe(seed);
  return key;
}

std::vector<std::uint8_t> put_proof(const Pin& pin, const Challenge& challenge,
                                    const Locator& locator, std::uint32_t time_to_live_s,
                                    std::span<const std::uint8_t> bundle) {
  auto out = proof_start(kPutLabel, pin, challenge);
  append(out, locator);
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(time_to_live_s >> shift));
  }
  append(out, hashed<32>("wherry rly bndl", bundle));
  return out;
}

}  // namespace wherry::transports
