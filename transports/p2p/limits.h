// Bounds of the direct links. Nothing here grows with what others do.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wherry::transports::p2p {

using namespace std::chrono_literals;

inline constexpr std::size_t kSendQueueMax = 1024;    // envelopes accepted and not yet on a link
inline constexpr std::size_t kWindowEnvelopes = 512;  // on a link, and not yet taken at its end
inline constexpr std::size_t kHandedMax = 4096;  // taken there, and not yet known to be durable
inline constexpr std::size_t kFrameBytes = std::size_t{64} * 1024;  // of envelopes in one frame
inline constexpr std::size_t kFrameBytesMax = std::size_t{128} * 1024;
inline constexpr std::size_t kRangesMax = 1024;  // of numbers in one frame
inline constexpr std::size_t kAddressesMax = 4;  // of one endpoint
inline constexpr int kFramesQueued = 16;         // in each direction of a link

inline constexpr std::size_t kDiallingMax = 32;  // links at once; the others wait their turn
inline constexpr int kSocketsMax = 16384;        // of ZeroMQ, whose default is 1,023

// Each address of a peer is given so long, with everything until the keys are proven.
inline constexpr auto kConnectLimit = 5s;
// An envelope on a link is taken at its end within this, or the link is given up.
inline constexpr auto kTakenLimit = 10s;
inline constexpr auto kHeartbeatEvery = 15s;
inline constexpr auto kHeartbeatLimit = 10s;

}  // namespace wherry::transports::p2p
