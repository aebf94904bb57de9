// Messages, the outbox with its sealed copies, and what came of other people's streams.
#ifndef WHERRY_STORE_MESSAGES_H
#define WHERRY_STORE_MESSAGES_H

#include <optional>
#include <vector>

#include "store/database.h"

namespace wherry::store {

struct MessageRow {
  uint64_t id = 0;
  uint64_t conversation = 0;
  uint64_t author = 0;  // a contact; 0: this profile
  Id128 mid{};
  uint64_t clock = 0;
  int64_t rank = 0;  // of the author's device, see conversation/order.h
  int32_t content = 0;
  int32_t evidence = 0;
  int32_t reason = 0;
  int64_t sent_ms = 0;
  int64_t received_ms = 0;
  uint64_t transport = 0;  // by which it came; 0: by none
  uint64_t event = 0;      // its waiting evidence event
  Bytes body;
};

uint64_t message_highest(Connection& db);
void message_insert(Connection& db, const MessageRow& row);
std::optional<MessageRow> message(Connection& db, uint64_t id);
// The clock of an author's last message in the order; 0: none.
uint64_t message_last_clock(Connection& db, uint64_t conversation, int64_t rank);

struct EvidenceRow {
  int32_t evidence = 0;
  uint64_t event = 0;
};
std::optional<EvidenceRow> message_evidence(Connection& db, uint64_t id);
void message_set_evidence(Connection& db, uint64_t id, int32_t evidence, int32_t reason,
                          uint64_t event);
// Oldest first. `from` 0: from that end.
std::vector<MessageRow> history(Connection& db, uint64_t conversation, uint64_t from, bool older,
                                uint32_t limit);

struct OutboxRow {
  uint64_t contact = 0;
  uint64_t seq = 0;
  uint64_t message = 0;
  uint64_t sealed = 0;  // its copy; 0: not encrypted; kBeyondGap
  uint64_t size = 0;    // of the body, bytes
};
// The receiver has stored it, but lacks one before it.
inline constexpr uint64_t kBeyondGap = INT64_MAX;

void outbox_insert(Connection& db, const OutboxRow& row);
// Not yet sealed, from `seq` on.
std::vector<OutboxRow> outbox_unsealed(Connection& db, uint64_t contact, uint64_t seq,
                                       uint32_t limit);
// The lowest seq that is not acknowledged; 0: none is there.
uint64_t outbox_first(Connection& db, uint64_t contact);
// All from first to last, both included.
std::vector<OutboxRow> outbox_between(Connection& db, uint64_t contact, uint64_t first,
                                      uint64_t last);
// Sealed ones up to `last`: what an acknowledgement may speak of.
std::vector<OutboxRow> outbox_sealed(Connection& db, uint64_t contact, uint64_t last);
void outbox_set_sealed(Connection& db, uint64_t contact, uint64_t first, uint64_t last,
                       uint64_t sealed);
void outbox_delete(Connection& db, uint64_t contact, uint64_t first, uint64_t last);
// Numbers everything of a contact anew from 1, unsealed; returns the next free number.
uint64_t outbox_renumber(Connection& db, uint64_t contact);
uint64_t outbox_count(Connection& db, uint64_t contact);
// How many are not sealed yet.
uint64_t outbox_waiting(Connection& db, uint64_t contact);
// What its receiver has stored beyond a gap.
struct BeyondGap {
  uint64_t messages = 0;
  uint64_t bytes = 0;  // of their bodies
};
BeyondGap outbox_beyond_gap(Connection& db, uint64_t contact);
// All of that waits to be sealed anew.
void outbox_take_back_beyond_gap(Connection& db, uint64_t contact);
// How many are not known to have left this device, sealed or not.
uint64_t outbox_unsent(Connection& db, uint64_t contact);

struct SealedRow {
  uint64_t id = 0;
  uint64_t contact = 0;
  uint64_t session = 0;
  uint64_t g = 0;
  uint64_t transport = 0;
  std::string endpoint;
  uint64_t first_seq = 0;  // 0: carries no message
  uint64_t last_seq = 0;
  bool control = false;  // carries more than messages
  Bytes envelope;
};

uint64_t sealed_highest(Connection& db);
void sealed_insert(Connection& db, const SealedRow& row);
// Without the envelopes.
std::vector<SealedRow> sealed_of(Connection& db, uint64_t contact);
// Its messages have come by another; the rest of it has not.
void sealed_keep_control(Connection& db, uint64_t id);
std::optional<Bytes> sealed_envelope(Connection& db, uint64_t id);
void sealed_delete(Connection& db, uint64_t id);

struct StreamRow {
  uint64_t conversation = 0;
  Id128 device{};
  uint64_t incarnation = 0;
  uint64_t next = 1;
  Bytes ranges;
  bool owed = false;  // something came that was not acknowledged
};

std::vector<StreamRow> streams(Connection& db, uint64_t conversation);
void stream_put(Connection& db, const StreamRow& row);
// With what came early in it. Out: the bytes of that.
uint64_t stream_delete(Connection& db, const StreamRow& row);
struct EarlyRow {
  uint64_t seq = 0;
  uint64_t transport = 0;  // by which it came
  Bytes record;
};

uint64_t early_bytes(Connection& db, uint64_t conversation);
void early_put(Connection& db, const StreamRow& stream, const EarlyRow& row);
// Out: the bytes of it.
uint64_t early_forget(Connection& db, const StreamRow& stream);
std::optional<EarlyRow> early_take(Connection& db, const StreamRow& stream, uint64_t seq);

}  // namespace wherry::store

#endif  // WHERRY_STORE_MESSAGES_H
