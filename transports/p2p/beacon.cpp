// Beacons as bytes.
#include "beacon.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace wherry::transports::p2p {
namespace {

constexpr std::size_t kTagSize = 8;
constexpr std::size_t kPlainSize = kSlotSize - kTagSize - kSealSize;
constexpr unsigned kAsks = 1;
constexpr unsigned kByBroadcast = 2;

struct SlotKeys {
  std::uint64_t tag = 0;
  std::array<std::uint8_t, 32> key{};
};

SlotKeys keys_of(const Key& pass, std::uint32_t epoch) {
  std::string context = "lan";
  for (int shift = 24; shift >= 0; shift -= 8) context += static_cast<char>(epoch >> shift);
  std::array<std::uint8_t, 64> bytes{};
  // The sizes are within derive's bounds, so it can not refuse.
  static_cast<void>(derive(bytes, context, pass));
  SlotKeys keys;
  std::memcpy(&keys.tag, bytes.data(), kTagSize);
  std::copy_n(bytes.begin() + kTagSize, keys.key.size(), keys.key.begin());
  wipe(bytes);
  return keys;
}

// Draws from the system's generator.
struct Random {
  using result_type = std::uint32_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return UINT32_MAX; }
  result_type operator()() const {
    std::array<std::uint8_t, sizeof(result_type)> bytes{};
    random_bytes(bytes);
    result_type drawn = 0;
    std::memcpy(&drawn, bytes.data(), sizeof drawn);
    return drawn;
  }
};

}  // namespace

std::uint32_t epoch_of(std::int64_t unix_s) {
  // Downwards, also before 1970.
  return static_cast<std::uint32_t>(unix_s / kEpoch_s - (unix_s % kEpoch_s < 0 ? 1 : 0));
}

Beacon make_beacon(std::span<const Key> passes, std::uint32_t epoch, const Ip& source,
                   const Whereabouts& where) {
  Beacon beacon{};
  random_bytes(beacon);
  const std::span<const std::uint8_t, kNonceSize> nonce(beacon.data(), kNonceSize);
  std::array<std::size_t, kBeaconSlots> places{};
  for (std::size_t i = 0; i < places.size(); ++i) places.at(i) = i;
  std::shuffle(places.begin(), places.end(), Random());
  const unsigned flags = (where.asks ? kAsks : 0) | (where.by_broadcast ? kByBroadcast : 0);
  const std::array<std::uint8_t, kPlainSize> plain = {static_cast<std::uint8_t>(where.port >> 8),
                                                      static_cast<std::uint8_t>(where.port),
                                                      static_cast<std::uint8_t>(flags)};
  for (std::size_t i = 0; i < std::min(passes.size(), kBeaconSlots); ++i) {
    const SlotKeys keys = keys_of(passes[i], epoch);
    const std::span slot =
        std::span(beacon).subspan(kNonceSize + places.at(i) * kSlotSize, kSlotSize);
    std::memcpy(slot.data(), &keys.tag, kTagSize);
    static_cast<void>(seal(slot.subspan(kTagSize), plain, source, nonce, keys.key));
  }
  return beacon;
}

void Recognizer::add(std::uint64_t peer, const Key& pass) {
  remove(peer);
  passes_.emplace(peer, pass);
  if (epoch_) expect(peer, pass);
}

void Recognizer::remove(std::uint64_t peer) {
  const auto known = passes_.find(peer);
  if (known == passes_.end()) return;
  // By their tags: to look at all for each that comes or goes would cost their number squared.
  if (epoch_) {
    for (const std::uint32_t epoch : around(*epoch_)) {
      auto [entry, last] = by_tag_.equal_range(keys_of(known->second, epoch).tag);
      while (entry != last) {
        entry = entry->second.peer == peer ? by_tag_.erase(entry) : std::next(entry);
      }
    }
  }
  passes_.erase(known);
}

void Recognizer::expect(std::uint64_t peer, const Key& pass) {
  for (const std::uint32_t epoch : around(*epoch_)) {
    const SlotKeys keys = keys_of(pass, epoch);
    by_tag_.emplace(keys.tag, Expected{peer, keys.key});
  }
}

std::vector<Recognizer::Sighting> Recognizer::read(std::span<const std::uint8_t> datagram,
                                                   const Ip& source, std::uint32_t epoch) {
  std::vector<Sighting> seen;
  if (datagram.size() != kBeaconSize) return seen;
  if (epoch_ != epoch) {
    epoch_ = epoch;
    by_tag_.clear();
    for (const auto& [peer, pass] : passes_) expect(peer, pass);
  }
  const auto nonce = datagram.first<kNonceSize>();
  for (std::size_t i = 0; i < kBeaconSlots; ++i) {
    const auto slot = datagram.subspan(kNonceSize + i * kSlotSize, kSlotSize);
    std::uint64_t tag = 0;
    std::memcpy(&tag, slot.data(), kTagSize);
    const auto [first, last] = by_tag_.equal_range(tag);
    for (auto entry = first; entry != last; ++entry) {
      std::array<std::uint8_t, kPlainSize> plain{};
      if (!open(plain, slot.subspan(kTagSize), source, nonce, entry->second.key)) continue;
      const auto port = static_cast<std::uint16_t>(plain[0] << 8 | plain[1]);
      seen.push_back(
          {entry->second.peer, {port, (plain[2] & kAsks) != 0, (plain[2] & kByBroadcast) != 0}});
    }
  }
  return seen;
}

}  // namespace wherry::transports::p2p
