// The address of an onion service, version 3 (Tor's rend-spec-v3, section 6):
//
//   address  = base32(public key, 32 bytes ‖ checksum, 2 bytes ‖ version, 3)    56 characters
//   checksum = the first 2 bytes of SHA3-256(".onion checksum" ‖ public key ‖ version)
//
// Base32 is RFC 4648's, in lower case; "address.onion" is what a client of Tor dials.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "transports/common/crypto.h"

namespace wherry::transports::tor {

inline constexpr std::size_t kAddressSize = 56;

// Of a service with this Ed25519 key.
[[nodiscard]] std::string address_of(const PublicKey& key);

// The key. None: not the one right text of an address.
[[nodiscard]] std::optional<PublicKey> parse_address(std::string_view text);

// Without padding, in lower case.
[[nodiscard]] std::string base32(std::span<const std::uint8_t> bytes);

}  // namespace wherry::transports::tor
