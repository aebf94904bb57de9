// Every bound of the relay in one place. Those that clients can see are specified in relay.proto.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wherry::relay {

// Seen by clients.
inline constexpr std::uint32_t kProtocolVersion = 1;
inline constexpr std::size_t kFrameSizeMax = std::size_t{768} * 1024;  // encoded
inline constexpr std::size_t kFrameEnvelopesMax = 512;
inline constexpr std::size_t kFrameEnvelopeBytesMax = std::size_t{512} * 1024;
inline constexpr std::size_t kFrameRequestsMax = 256;  // opens, puts, gets: each
inline constexpr std::size_t kFrameAcksMax = 1024;     // acks, closes: each
inline constexpr std::size_t kEnvelopeSizeMax = 45056;
inline constexpr std::size_t kBundleSizeMax = 4096;
inline constexpr std::uint32_t kBundleTimeToLiveMaxS = 90U * 86400U;
inline constexpr std::size_t kStreamInboxesMax = 10000;
inline constexpr std::size_t kReaderWindowEnvelopes = 1024;
inline constexpr std::size_t kReaderWindowBytes = std::size_t{4} * 1024 * 1024;

// Defaults of what an operator may change.
struct Quotas {
  std::uint32_t inbox_envelopes_max = 1000;
  std::uint64_t inbox_bytes_max = 16ULL * 1024 * 1024;
  std::int64_t envelope_time_to_live_s = 21LL * 86400;
  std::int64_t closed_inbox_kept_s = 21LL * 86400;  // so that a sender hears "gone" meanwhile
  std::int64_t unused_inbox_kept_s = 180LL * 86400;
  std::uint32_t address_envelopes_per_second = 100000;
  std::uint32_t address_new_inboxes_per_day = 20000;
  std::uint32_t address_bundles_per_day = 20000;
  std::uint32_t address_streams_max = 1024;
  std::uint32_t tor_connections_max = 1000;
};

// What each part of the relay may use of the memory that its operator allows: one of so many parts.
inline constexpr std::size_t kBufferPart = 2;   // gRPC's
inline constexpr std::size_t kQueuePart = 4;    // inputs that wait for the core
inline constexpr std::size_t kWindowsPart = 8;  // all readers' windows; a frame is held twice

// Memory and batches inside the relay.
inline constexpr std::size_t kBatchEnvelopesMax = 8192;
inline constexpr std::size_t kBatchBytesMax = std::size_t{8} * 1024 * 1024;
inline constexpr std::size_t kStreamUnprocessedBytesMax = std::size_t{2} * 1024 * 1024;
inline constexpr std::size_t kInputCost = 256;  // of an input without envelopes, about
inline constexpr std::size_t kStreamResultRunsMax = 1024;
inline constexpr std::size_t kStreamOpensMax = 1024;   // asked for and not yet answered
inline constexpr std::size_t kStreamBundlesMax = 256;  // likewise
inline constexpr std::size_t kStreamGetsMax = 8;       // of them looked up: their bundles in memory
inline constexpr std::size_t kDeliveryCost = 256;  // of an envelope on its way, beside its bytes
// What a reader may always have on its way, however many there are: any one envelope.
inline constexpr std::size_t kReaderShareMin = kEnvelopeSizeMax + kDeliveryCost;
inline constexpr std::size_t kDeletionsMax = 65536;  // that wait for a disk that works
inline constexpr std::size_t kInboxCacheMax = 16384;
inline constexpr std::size_t kSweepInboxes = 256;  // looked at each second for expired envelopes
inline constexpr std::size_t kSweepBundles = 256;
inline constexpr int kHelloDeadlineS = 10;
inline constexpr int kGoodbyeDeadlineS = 2;  // at the end, for streams to take what they are told
inline constexpr int kDiskPauseS = 1;  // after a failed commit, before new envelopes are tried

// Of network addresses.
inline constexpr std::size_t kRateAddressesMax = 65536;
inline constexpr double kAddressBurstS = 4;                  // of its rate, at once
inline constexpr std::int64_t kAddressIdleMs = 60LL * 1000;  // then it is forgotten

// Of one connection over Tor; a client has two.
inline constexpr std::uint32_t kTorStreamsMax = 8;

// Of connections: how soon a dead one is noticed, and how often a client may ask whether we live.
inline constexpr int kKeepaliveMs = 120 * 1000;
inline constexpr int kKeepaliveTimeoutMs = 20 * 1000;
inline constexpr int kClientPingIntervalMsMin = 10 * 1000;

}  // namespace wherry::relay
