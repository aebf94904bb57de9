// Bounds of onion links. Nothing here grows with what others do.
#pragma once

#include <chrono>
#include <cstddef>

#include "transports/common/links/send_window.h"

namespace wherry::transports::onion {

using namespace std::chrono_literals;
using links::Clock;

inline constexpr std::size_t kSendQueueMax = 1024;  // envelopes accepted and not yet on a link

inline constexpr std::size_t kDiallingMax = 8;  // links at once; the others wait their turn

// Of what a stream has to say, and was not taken by tor yet.
inline constexpr std::size_t kOutputMax = std::size_t{256} * 1024;
inline constexpr std::size_t kReadAtOnce = std::size_t{128} * 1024;

// An envelope is taken at the other end within this after it was accepted here, or it has failed.
// Circuits take seconds. A link that took nothing for so long is given up.
inline constexpr auto kTakenLimit = 30s;

// What arrived is told in frames with many numbers, so often; what was taken, and is not durable by
// then, within a little more.
inline constexpr auto kTellEvery = 10ms;
inline constexpr auto kTellTakenWithin = 50ms;
inline constexpr std::size_t kTellAtOnce = 128;

// An idle link is asked for a sign of life so often, and given up without one.
inline constexpr auto kPingEvery = 60s;
inline constexpr auto kPongLimit = 20s;

// Of asking for a bundle, with the dial.
inline constexpr auto kFetchLimit = 20s;
inline constexpr std::size_t kFetchesMax = 64;

// Streams that came.
inline constexpr std::size_t kCallersMax = 256;
inline constexpr std::size_t kStrangersMax = 96;      // of them, to services that anybody finds
inline constexpr std::size_t kCallersPerInbox = 4;    // one, and what is left of circuits that died
inline constexpr std::size_t kCallersOfAnybody = 32;  // to services that anybody finds
inline constexpr std::size_t kSilentPerService = 16;  // that have sent no frame yet
inline constexpr std::size_t kHelloMax = 64;          // bytes of that, with its length
inline constexpr auto kSilenceLimit = 20s;            // until then
inline constexpr auto kIdleLimit = 3min;              // between frames; a dialler pings
inline constexpr std::size_t kOriginsMax = 65'536;    // envelopes that are not durable yet

// Services of one tor. Each has circuits of its own, which cost tor memory and the network work.
inline constexpr int kServicesDefault = 24;
inline constexpr int kServicesMax = 256;

}  // namespace wherry::transports::onion
