// Presets, and the other side in this one's words.
#include "policy/permits.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/fields.h"
#include "policy/reveals.h"

namespace wherry::policy {
namespace {

// Servers: whoever runs them learns what passes them.
constexpr std::array<int, 4> kServers = {WHERRY_OBSERVER_HOME_OPERATOR,
                                         WHERRY_OBSERVER_FAR_OPERATOR, WHERRY_OBSERVER_DIRECTORY,
                                         WHERRY_OBSERVER_PUSH};

wherry_reveals no_peer_ip() {
  wherry_reveals set = everything();
  set.facts[WHERRY_OBSERVER_OTHER_PERSON] &= ~uint32_t{WHERRY_FACT_MY_IP};
  return set;
}

wherry_reveals no_operator_ip() {
  wherry_reveals set = everything();
  for (int server : kServers) set.facts[server] &= ~uint32_t{WHERRY_FACT_MY_IP};
  return set;
}

// They carry the packets of this machine, or see them pass.
constexpr std::array<int, 3> kCarriers = {WHERRY_OBSERVER_LOCAL_NETWORK, WHERRY_OBSERVER_NETWORK,
                                          WHERRY_OBSERVER_PROXY};

// Packets have to leave this machine, and the other person has to get them. Nothing else.
wherry_reveals anonymous() {
  wherry_reveals set = nothing();
  constexpr uint32_t kPackets = WHERRY_FACT_TIMING | WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
  for (int carrier : kCarriers) set.facts[carrier] = kPackets | WHERRY_FACT_MY_IP;
  for (int server : kServers) set.facts[server] = kPackets;
  set.facts[WHERRY_OBSERVER_OTHER_PERSON] =
      kPackets | WHERRY_FACT_USE | WHERRY_FACT_STABLE_ID | WHERRY_FACT_WHO_TALKS;
  return set;
}

uint32_t swap_addresses(uint32_t facts) {
  uint32_t swapped = facts & ~uint32_t{WHERRY_FACT_MY_IP | WHERRY_FACT_OTHER_IP};
  if ((facts & WHERRY_FACT_MY_IP) != 0) swapped |= WHERRY_FACT_OTHER_IP;
  if ((facts & WHERRY_FACT_OTHER_IP) != 0) swapped |= WHERRY_FACT_MY_IP;
  return swapped;
}

}  // namespace

std::optional<wherry_reveals> preset(int32_t which) {
  switch (which) {
    case WHERRY_PERMITS_OPEN:
      return everything();
    case WHERRY_PERMITS_NO_PEER_IP:
      return no_peer_ip();
    case WHERRY_PERMITS_NO_OPERATOR_IP:
      return no_operator_ip();
    case WHERRY_PERMITS_ANONYMOUS:
      return anonymous();
    default:
      return std::nullopt;
  }
}

wherry_reveals mirror(const wherry_reveals& set) {
  wherry_reveals mirrored;
  std::ranges::transform(set.facts, mirrored.facts, swap_addresses);
  std::swap(mirrored.facts[WHERRY_OBSERVER_HOME_OPERATOR],
            mirrored.facts[WHERRY_OBSERVER_FAR_OPERATOR]);
  return mirrored;
}

wherry_reveals in_my_words(const wherry_reveals& theirs) {
  wherry_reveals set = mirror(theirs);
  for (int carrier : kCarriers) set.facts[carrier] |= WHERRY_FACT_MY_IP;
  return set;
}

wherry_reveals Permits::all() const {
  return intersect(intersect(profile, mine), in_my_words(theirs));
}

std::vector<uint32_t> to_list(const wherry_reveals& set) {
  return {std::begin(set.facts), std::end(set.facts)};
}

wherry_reveals from_list(const std::vector<uint32_t>& list) {
  wherry_reveals set = nothing();
  std::copy_n(list.begin(), std::min<size_t>(list.size(), WHERRY_OBSERVER_ROOM), set.facts);
  return set;
}

Bytes to_bytes(const wherry_reveals& set) {
  Bytes bytes;
  for (uint32_t facts : set.facts) codec::append_le(bytes, facts);
  return bytes;
}

Result<wherry_reveals> from_bytes(ByteView bytes) {
  codec::FieldReader in(bytes);
  wherry_reveals set;
  for (uint32_t& facts : set.facts) facts = in.number<uint32_t>();
  if (!in.done()) return fail(WHERRY_E_CORRUPT, "a stored set of permits is damaged");
  return set;
}

}  // namespace wherry::policy
