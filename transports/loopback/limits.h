// Every bound of the loopback transport and of its network.
#pragma once

#include <cstddef>

namespace wherry::loopback {

// Every queue has a limit. What does not fit is refused, and the host keeps it.
inline constexpr std::size_t kSendQueueMax = 256;  // envelopes
inline constexpr std::size_t kAnswersMax = 4096;
// How many envelopes the worker moves before it looks after the rest.
inline constexpr std::size_t kBatchMax = 32;

// Of a hub. What does not fit into an inbox is refused with FULL, and nothing is dropped.
inline constexpr std::size_t kInboxEnvelopesMax = 1000;
inline constexpr std::size_t kInboxBytesMax = std::size_t{16} << 20U;
inline constexpr std::size_t kInboxesMax = 100'000;
inline constexpr std::size_t kBundlesMax = 10'000;
inline constexpr std::size_t kHubNameSizeMax = 32;

}  // namespace wherry::loopback
