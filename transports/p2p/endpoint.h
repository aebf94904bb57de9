// Where a contact dials: "zd1:ADDRESS,ADDRESS/KEY/PASS/CHECK". An address after a "~" is where
// links are opened from both ends (see meeting.h). Without any, "zd1:/KEY/PASS/CHECK", they are to
// be found on a local network (see beacon.h). KEY is the listener's CURVE key; PASS the secret
// of a key that the dialler shows, and that is good for one inbox alone (CurveZMQ,
// rfc.zeromq.org/spec/26). So an endpoint is a capability: who has it may send to the inbox. CHECK
// is 6 bytes of BLAKE2b of all before it, against slips. The last three are base64url.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "address.h"

namespace wherry::transports::p2p {

using Key = std::array<std::uint8_t, 32>;

struct Endpoint {
  Key listener{};                  // public
  Key pass{};                      // secret
  std::vector<Address> addresses;  // up to kAddressesMax, best first, each once
  std::optional<Address> meeting{};

  bool operator==(const Endpoint&) const = default;
};

// The CURVE key whose secret that is.
[[nodiscard]] Key public_key(const Key& secret);

// The secret of the key that diallers of the inbox show.
[[nodiscard]] Key pass_of(std::span<const std::uint8_t, 32> inbox_secret);

// The meeting, and as many of the addresses as fit into WHERRY_ENDPOINT_SIZE_MAX.
[[nodiscard]] std::string to_text(const Endpoint& endpoint);
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace wherry::transports::p2p
