// What an envelope carries once it is open (PROTOCOL §6).
#ifndef WHERRY_MESSAGE_PAYLOAD_H
#define WHERRY_MESSAGE_PAYLOAD_H

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace wherry::message {

// Content 0: takes a place in the sequence and is never shown.
inline constexpr int32_t kVoid = 0;

struct Record {
  uint64_t seq = 0;
  uint64_t incarnation = 0;
  Id128 id{};
  uint64_t clock = 0;
  int64_t sent_ms = 0;
  int32_t content = kVoid;
  Bytes body;
  std::optional<Id128> conversation;  // a group's; none: the direct one
  std::optional<Id128> device;        // the author's; none: the sender's

  bool operator==(const Record&) const = default;
};

struct AckRange {
  uint64_t from = 0;
  uint64_t to = 0;
  bool operator==(const AckRange&) const = default;
};

struct Ack {
  uint64_t incarnation = 0;
  uint64_t next = 1;
  std::vector<AckRange> ranges;
  std::optional<Id128> conversation;
  std::optional<Id128> device;

  bool operator==(const Ack&) const = default;
};

struct Endpoint {
  std::string transport;
  std::string text;
  bool operator==(const Endpoint&) const = default;
};

struct Endpoints {
  uint64_t generation = 0;
  std::vector<Endpoint> list;
  std::optional<std::vector<uint32_t>> permits;
  bool chosen = false;  // by a person: one whose route is auto follows

  bool operator==(const Endpoints&) const = default;
  Bytes to_bytes() const;  // as in the payload
  static Result<Endpoints> from_bytes(ByteView cbor);
};

// The sender of messages left an endpoint: all up to here is sent, or will be, to those of a newer
// set (PROTOCOL §7.2).
struct Moved {
  uint64_t generation = 0;  // of the receiver's set that it moved to
  uint64_t incarnation = 0;
  uint64_t last = 0;  // the highest seq that may have gone to an endpoint outside that set

  bool operator==(const Moved&) const = default;
  Bytes to_bytes() const;
  static Result<Moved> from_bytes(ByteView cbor);
};

struct ResetOffer {
  Bytes bundle;     // identity::Bundle
  Bytes32 fetch{};  // wraps the first envelope that uses it
};

struct Payload {
  std::vector<Record> records;
  std::vector<Ack> acks;
  std::optional<Endpoints> endpoints;
  std::optional<ResetOffer> reset;
  bool reseal = false;
  std::optional<Bytes32> follows;  // of a handshake: the session that its author last sent in
  std::optional<Id128> probe;      // to be answered
  std::vector<Id128> answers;      // probes that came
  std::optional<Moved> moved;
};

Bytes encode(const Payload& payload);
Bytes encode(const Record& record);
// How many bytes a record adds to a payload at most, beside its body.
inline constexpr size_t kRecordOverhead = 90;

// Refusals: MALFORMED, TOO_LARGE.
Result<Payload> decode_payload(ByteView cbor);
Result<Record> decode_record(ByteView cbor);

}  // namespace wherry::message

#endif  // WHERRY_MESSAGE_PAYLOAD_H
