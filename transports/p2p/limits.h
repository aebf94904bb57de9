// Bounds of the direct links. Nothing here grows with what others do.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "transports/common/links/frames.h"

namespace wherry::transports::p2p {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

inline constexpr std::size_t kSendQueueMax = 1024;  // envelopes accepted and not yet on a link
inline constexpr std::size_t kAddressesMax = 4;     // of one endpoint
// Below are the ports of the Internet's own services: a contact is not to have this machine knock
// at somebody's mail server.
inline constexpr std::uint16_t kPortMin = 1024;
inline constexpr int kFramesQueued = 16;  // in each direction of a link

inline constexpr std::size_t kDiallingMax = 32;       // links at once; the others wait their turn
inline constexpr std::size_t kDiallingAgainMax = 24;  // of them, those that failed last time
inline constexpr int kSocketsMax = 16384;             // of ZeroMQ, whose default is 1,023

// Connections to the listener. Each costs two descriptors.
inline constexpr std::size_t kCallersMax = 256;
inline constexpr std::size_t kCallersPerPass = 4;     // one, and what is left of earlier networks
inline constexpr std::size_t kSilentCallersMax = 40;  // that have sent no frame yet
inline constexpr int kMonitorEventsAtOnce = 4096;     // between them frames and timers have a turn
inline constexpr auto kSilenceLimit = 10s;            // with the handshake
inline constexpr int kHandshakesAtOnce = 8;  // of one pass while it is crowded; then one each
inline constexpr auto kHandshakeEvery = 1s;

// What a connection may bring before a whole message of it was read: what libzmq and the kernel
// keep of whole ones (Linux doubles the buffer that it is asked for), one that comes, and slack.
inline constexpr int kReceiveBuffer = 256 * 1024;
inline constexpr std::size_t kUnreadMax = std::size_t{4} * 1024 * 1024;
static_assert((kFramesQueued + 1) * links::kFrameBytesMax + 2 * kReceiveBuffer < kUnreadMax);
inline constexpr std::size_t kHeartbeatBytes = 16;  // a second, of an idle link
inline constexpr auto kLookEvery = 20ms;            // at what comes; sooner when it is much
inline constexpr auto kLookSoon = 10ms;

// Each address of a peer is given so long, with everything until the keys are proven,
inline constexpr auto kConnectLimit = 5s;
// on a local network so long (a SYN that is lost goes again after 1 s),
inline constexpr auto kNearbyLimit = 3s;
// and all of them together so long.
inline constexpr auto kDialLimit = 8s;
// What is sent to whom was heard elsewhere since is taken within this, or the link is lost.
inline constexpr auto kDoubtLimit = 2s;
// Links that both ends open: see meeting.h.
inline constexpr auto kMeetingEvery = 20s;
inline constexpr auto kMeetingLimit = 5s;
inline constexpr auto kMeetingAgain = 100ms;  // tries within that
inline constexpr std::size_t kMeetingsMax = 64;
// On the local networks: see lan.h.
inline constexpr auto kLanEvery = 60s;   // a beacon, less up to a quarter
inline constexpr auto kLanPause = 1s;    // between two, at least
inline constexpr int kLanQuestions = 3;  // in a row
inline constexpr auto kLanAskEvery = 10s;
inline constexpr auto kLanAnswerWithin = 100ms;
inline constexpr auto kLanPlaceLimit = 3min;
// Of one peer: a device may have several addresses, and somebody may say again what was said from
// one that it had. A contact may name others' addresses, so new ones are taken seldom.
inline constexpr int kLanPlacesMax = 4;
inline constexpr auto kLanPlaceEvery = 30s;
inline constexpr auto kLanTellAgain = 60s;          // of a place that is known
inline constexpr std::size_t kLanDatagrams = 1000;  // heard in a second
inline constexpr int kLanAtOnce = 64;
inline constexpr std::size_t kLanAnnouncedMax = 256;  // contacts
// An envelope is taken at the other end within this after it was accepted here, or it has failed.
// With half of it for themselves the link is given up.
inline constexpr auto kTakenLimit = 10s;
inline constexpr auto kHeartbeatEvery = 15s;
inline constexpr auto kHeartbeatLimit = 10s;

}  // namespace wherry::transports::p2p
