// How a device says on its local networks where it is, so that its contacts alone understand it. A
// beacon is a datagram of kBeaconSize bytes that all look random:
//
//   beacon = nonce[24] ‖ slot[32] * 32
//   slot   = tag[8] ‖ XChaCha20-Poly1305(key, nonce, ad = source address[16], plain)
//   plain  = port (u16, big-endian) ‖ flags (1: answer, 2: by broadcast too) ‖ zeros[5]
//   tag[8] ‖ key[32] = the first bytes of BLAKE2b-64(key = pass, context = "lan" ‖ epoch (u32))
//
// A slot is for one contact: for whoever has the endpoint with this pass (endpoint.h). Tags change
// with the epoch, a quarter of an hour. Slots that nobody needs are for passes that nobody has
// (lan.h), so neither the size nor what two beacons share tells how many contacts there are, and
// the order of slots is drawn anew each time. Since the source address is part of what is sealed, a
// beacon is worth nothing where another sends it again. IPv4 addresses have their IPv6 form.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "address.h"
#include "endpoint.h"
#include "transports/common/crypto.h"

namespace wherry::transports::p2p {

inline constexpr std::size_t kBeaconSlots = 32;
inline constexpr std::size_t kSlotSize = 32;
inline constexpr std::size_t kBeaconSize = kNonceSize + kBeaconSlots * kSlotSize;
inline constexpr std::int64_t kEpoch_s = 900;

using Beacon = std::array<std::uint8_t, kBeaconSize>;

// Of a time in seconds since 1970.
[[nodiscard]] std::uint32_t epoch_of(std::int64_t unix_s);

struct Whereabouts {
  std::uint16_t port = 0;
  bool asks = false;          // who understands it is to say where they are, too
  bool by_broadcast = false;  // as well as by multicast, for that may be what was not heard

  bool operator==(const Whereabouts&) const = default;
};

// For up to kBeaconSlots contacts, by the passes that they were told. What is left is random.
[[nodiscard]] Beacon make_beacon(std::span<const Key> passes, std::uint32_t epoch, const Ip& source,
                                 const Whereabouts& where);

// Understands the beacons of peers: by their passes, for this epoch, the last and the next one, so
// that clocks may differ. Not thread-safe.
class Recognizer {
 public:
  struct Sighting {
    std::uint64_t peer = 0;
    Whereabouts where;
  };

  void add(std::uint64_t peer, const Key& pass);
  void remove(std::uint64_t peer);
  std::size_t size() const { return passes_.size(); }
  // Whom a datagram from there is of.
  [[nodiscard]] std::vector<Sighting> read(std::span<const std::uint8_t> datagram, const Ip& source,
                                           std::uint32_t epoch);

 private:
  struct Expected {
    std::uint64_t peer = 0;
    std::array<std::uint8_t, 32> key{};
  };

  void expect(std::uint64_t peer, const Key& pass);
  static std::array<std::uint32_t, 3> around(std::uint32_t epoch) {
    return {epoch - 1, epoch, epoch + 1};
  }

  std::optional<std::uint32_t> epoch_;                       // none: nothing was read yet
  std::unordered_map<std::uint64_t, Key> passes_;            // by peer
  std::unordered_multimap<std::uint64_t, Expected> by_tag_;  // around epoch_
};

}  // namespace wherry::transports::p2p
