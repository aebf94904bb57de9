// Every limit of the core, by name. What goes over the wire stands in PROTOCOL.md too.
#ifndef WHERRY_BASE_LIMITS_H
#define WHERRY_BASE_LIMITS_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace wherry::limits {

// Envelopes (PROTOCOL §5.1), bytes.
inline constexpr std::array<size_t, 5> kBuckets = {512, 1024, 4096, 16384, 45056};
inline constexpr size_t kEnvelopeSizeMax = kBuckets.back();
inline constexpr size_t kBodySizeMax = 32768;

// Cards (PROTOCOL §3).
inline constexpr size_t kCardTextMax = 360;
inline constexpr size_t kTransportNameMax = 32;
inline constexpr size_t kEndpointTextMax = 200;
inline constexpr int64_t kCardValidDefault_s = 30 * 86400;
inline constexpr int64_t kCardValidMax_s = 365 * 86400;
inline constexpr size_t kBundleSize = 2048;
// How long wherry_card_make waits for its transport, and how often cards are looked after.
inline constexpr int64_t kCardWait_ms = 10 * 1000;
inline constexpr int64_t kHousekeeping_ms = 3600 * 1000;
inline constexpr int64_t kPrekeyRenew_ms = 7LL * 86400 * 1000;
inline constexpr int64_t kPrekeyKeep_ms = 30LL * 86400 * 1000;
inline constexpr size_t kDevicesMax = 16;

// Ratchet (PROTOCOL §5.2 to §5.4), in message keys.
inline constexpr uint32_t kTagsAhead = 320;
inline constexpr uint32_t kSkipMax = 2000;
inline constexpr uint32_t kKeysKeptMax = 2000;
inline constexpr uint64_t kUnsettledMax = 1000;
inline constexpr int kHeaderTrialsPerSecond = 64;
inline constexpr int kResetsPerDay = 3;
inline constexpr int64_t kResetOfferValid_s = 3650LL * 86400;
// Used reset prekeys of a contact that are kept, for kPrekeyKeep_ms (PROTOCOL §4.3): more than two
// days of resets. Each costs a trial of what does not open.
inline constexpr size_t kUsedPrekeysKept = 8;
// Handshakes accepted of one contact: each voids what was sealed for them.
inline constexpr int kHandshakesPerHour = 12;
// Superseded sessions of a contact that are kept for late envelopes.
inline constexpr size_t kReceiveOnlyKept = 4;
// Handshakes that cross are decided by their hash for so long (PROTOCOL §4.6).
inline constexpr int64_t kCollisionOver_ms = 30 * 1000;

// Delivery (PROTOCOL §6, §7).
inline constexpr size_t kWindowMessages = 1024;
inline constexpr size_t kWindowEnvelopes = 256;
// If all are lost, what follows is found by its tag, and so are some that only acknowledge.
static_assert(kWindowEnvelopes < kTagsAhead);
inline constexpr size_t kWindowBytes = 4u << 20;
// Numbers, and bytes of bodies, from the lowest message that is not acknowledged on.
inline constexpr uint64_t kReceiveAhead = 2048;
inline constexpr size_t kAheadBytes = 16u << 20;
// Of what came before its turn, for one conversation: twice what an honest device sends.
inline constexpr uint64_t kEarlyBytesMax = 2 * kAheadBytes;
// Several messages that wait share an envelope up to this size.
inline constexpr size_t kPackedEnvelope = 4096;
inline constexpr uint32_t kPackedMessages = 32;
// Read in one payload.
inline constexpr size_t kPayloadRecords = 1024;
inline constexpr size_t kPayloadAcks = 64;
// Log lines about one contact that does not follow the protocol.
inline constexpr int64_t kComplainEvery_ms = 60 * 1000;
// Asking for fresh copies of what does not open, and giving them.
inline constexpr int64_t kResealAskEvery_ms = 60 * 1000;  // doubling while nothing opens,
inline constexpr uint32_t kResealAsksMax = 8;             // so often
inline constexpr int64_t kResealEvery_ms = 10 * 1000;
inline constexpr size_t kAckRanges = 32;
inline constexpr int64_t kAckDelay_ms = 200;
inline constexpr size_t kAckMessages = 64;
inline constexpr int64_t kGapRepeat_ms = 1000;
// What is settled and not acknowledged is sealed anew: after so long, and again.
inline constexpr int64_t kMissedAckAfter_ms = 1000;
inline constexpr int64_t kMissedAckFirst_ms = 10 * 1000;
inline constexpr int64_t kMissedAckMax_ms = 600 * 1000;
inline constexpr int64_t kRetryHanded_ms = 15 * 1000;
inline constexpr int64_t kRetryHandedMax_ms = 3600 * 1000;
inline constexpr int64_t kRetryStored_ms = 3600 * 1000;
inline constexpr int64_t kRetryStoredMax_ms = 24LL * 3600 * 1000;
inline constexpr int64_t kRetryFailed_ms = 1000;
inline constexpr int64_t kRetryFailedMax_ms = 600 * 1000;

// Incarnations of a contact's devices whose numbers are kept, and acknowledged in one envelope.
inline constexpr size_t kStreamsPerContact = 64;
inline constexpr size_t kAcksPerEnvelope = 8;

// Requests from strangers (PROTOCOL §4.4).
inline constexpr size_t kRequestsMax = 100;
inline constexpr size_t kRequestEnvelopeMax = 4096;
inline constexpr size_t kRequestGreetings = 4;  // of one stranger

// Sets of facts in a list of permits, one for each observer (PROTOCOL §3, §6).
inline constexpr size_t kPermitsMax = 16;

// Endpoints of one contact, and moving to new ones (PROTOCOL §6, §7.2).
inline constexpr size_t kEndpointsMax = 8;
inline constexpr size_t kRouteTextMax = kEndpointsMax * (kTransportNameMax + 1);
inline constexpr size_t kAnswersMax = 8;
// To one contact: probes, their answers where nothing is proven, and endpoints that need no probe.
inline constexpr int kProbesPerHour = 36;
inline constexpr int64_t kProbeRetryFirst_ms = 5 * 1000;
// Of what is never answered an absent contact has to skip each: half a year of this is too much.
inline constexpr int64_t kProbeRetryMax_ms = 7200 * 1000;
inline constexpr uint64_t kProbeOvertakenMax = 64;  // envelopes; then its number is given up
inline constexpr int kProbesUnanswered = 3;         // so many, and the person is told
// Between leaving a network that shows my address and the first packet by one that does not.
inline constexpr int64_t kQuietMin_ms = 30 * 1000;
inline constexpr int64_t kQuietMax_ms = 300 * 1000;
// After a last word: two people who leave at the same time hear each other's.
inline constexpr int64_t kLeaveAfter_ms = 10 * 1000;
inline constexpr int64_t kLeaveUnanswered_ms = 600 * 1000;  // without a session to say it in
inline constexpr int kLastWordsMax = 3;  // that leave; after these the time runs on
// A better way has to work for so long before it is taken in place of one that works.
inline constexpr int64_t kBetterFor_ms = 60 * 1000;

// Trying a disk again that failed; commands are tried at once.
inline constexpr int64_t kDiskRetryFirst_ms = 1000;
inline constexpr int64_t kDiskRetryMax_ms = 30 * 1000;

// Reconnecting a transport and asking for bundles and inboxes again.
inline constexpr int64_t kReconnectFirst_ms = 500;
inline constexpr int64_t kReconnectMax_ms = 60 * 1000;
// After something was heard from somebody who was thought to be away.
inline constexpr int64_t kHeardAgain_ms = 2 * 1000;
inline constexpr int64_t kBundleRetryFirst_ms = 2000;
inline constexpr int64_t kBundleRetryMax_ms = 600 * 1000;

// The engine's turn (group commit).
inline constexpr size_t kTurnInputs = 1024;
inline constexpr size_t kTurnBytes = 1u << 20;
// Inputs that wait for a turn: from plug-ins (envelopes) and from submitting callers.
inline constexpr size_t kIncomingWaiting = 1024;
inline constexpr size_t kIncomingWaitingBytes = 8u << 20;
inline constexpr size_t kSubmitWaiting = 1024;
inline constexpr size_t kSubmitWaitingBytes = 8u << 20;
// Envelopes handed to a transport whose on_sent is outstanding, for each transport.
inline constexpr size_t kInFlight = 512;
// Contacts whose outbox is looked at in one turn, and envelopes sealed for one of them; the rest
// follows in the next.
inline constexpr size_t kPumpContacts = 64;
inline constexpr int kSealsPerTurn = 64;

// Ids of the newest messages, in memory alone: about 100 bytes each.
inline constexpr size_t kMessageIdsKept = 2048;

// Events.
inline constexpr size_t kEventsRead = 64;
// Of the feed, given without being read: messages that wait for the app, and their bytes.
inline constexpr size_t kEventsAhead = 1024;
inline constexpr size_t kEventsAheadBytes = 2u << 20;
inline constexpr size_t kEphemeralEvents = 64;

// Transport state (transport.h, state_set).
inline constexpr size_t kStateKeyMax = 64;
inline constexpr size_t kStateValueMax = 4096;
inline constexpr size_t kStateKeys = 64;

// wherry_close: for calls under way, for what is queued, and for the transports; in all within
// kCloseDeadline_ms, unless the disk or a plug-in hangs in a call.
inline constexpr int64_t kCloseDeadline_ms = 5000;
inline constexpr int64_t kCloseCalls_ms = 1000;
inline constexpr int64_t kCloseDrain_ms = 1000;
inline constexpr int64_t kCloseTransports_ms = 2000;
inline constexpr int64_t kCloseLastCalls_ms = 500;
static_assert(kCloseCalls_ms + kCloseDrain_ms + kCloseTransports_ms + kCloseLastCalls_ms <=
              kCloseDeadline_ms);
inline constexpr size_t kCborDepth = 8;

}  // namespace wherry::limits

#endif  // WHERRY_BASE_LIMITS_H
