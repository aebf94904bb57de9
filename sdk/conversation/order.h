// The order of a conversation's history, equal on both sides (PROTOCOL §6, clock).
#ifndef WHERRY_CONVERSATION_ORDER_H
#define WHERRY_CONVERSATION_ORDER_H

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace wherry::conversation {

// The second key of the order, after the clock: the device, by its first 8 bytes.
inline int64_t rank(const Id128& device) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | device[i];
  return static_cast<int64_t>(value);
}

// The clock of a message that came. No honest author's exceeds the messages that existed: those
// that I sent, and theirs, this one included; so a liar can not push one into the far future.
inline uint64_t bounded_clock(uint64_t claimed, uint64_t mine_sent, uint64_t theirs_received) {
  return std::min(claimed, mine_sent + theirs_received + 1);
}

}  // namespace wherry::conversation

#endif  // WHERRY_CONVERSATION_ORDER_H
