// Every bound of the client. Those of the protocol are specified in transports/relay/relay.proto.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wherry::transports::centralized {

inline constexpr std::uint32_t kProtocolVersion = 1;
inline constexpr int kFrameSizeMax = 768 * 1024;  // encoded
inline constexpr std::size_t kFrameEnvelopesMax = 512;
inline constexpr std::size_t kFrameEnvelopeBytesMax = std::size_t{512} * 1024;
inline constexpr int kFrameOpensMax = 256;
inline constexpr int kFrameAcksMax = 1024;
inline constexpr int kFrameBundlesMax = 64;
inline constexpr std::size_t kUnansweredEnvelopesMax = 4096;
inline constexpr std::size_t kUnansweredBytesMax = std::size_t{8} * 1024 * 1024;
inline constexpr std::size_t kUnacknowledgedMax = 1024;  // a relay that gives more breaks the rules
inline constexpr std::uint32_t kBundleTimeToLiveMaxS = 90U * 86400U;

inline constexpr std::size_t kQueueEnvelopesMax = 1024;
inline constexpr std::size_t kQueueBytesMax = std::size_t{4} * 1024 * 1024;
inline constexpr std::size_t kOfferMax = 256;       // envelopes in one on_receive
inline constexpr std::size_t kAbandonedMax = 1024;  // inboxes to be closed at the next connection
inline constexpr std::size_t kRequestsMax = 1024;   // bundles asked for and not answered

inline constexpr std::chrono::seconds kDialTimeout{10};
inline constexpr std::chrono::seconds kOnionDialTimeout{60};  // by a proxy that knows the way
inline constexpr std::chrono::seconds kWelcomeTimeout{10};
inline constexpr std::chrono::seconds kAnswerTimeout{30};

// Of a connection: how soon a dead one is noticed; and when gRPC reconnects by itself, which no
// link lives to see.
inline constexpr int kKeepaliveMs = 60 * 1000;
inline constexpr int kKeepaliveTimeoutMs = 20 * 1000;
inline constexpr int kNeverMs = 24 * 3600 * 1000;

}  // namespace wherry::transports::centralized
