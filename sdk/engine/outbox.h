// A contact's messages on their way: those that wait to be sealed, and the envelopes that were
// sealed and may be sent again as they are. Their rows in the store, and what is counted of them in
// memory, change here alone; when a copy is sent again is decided elsewhere.
#ifndef WHERRY_ENGINE_OUTBOX_H
#define WHERRY_ENGINE_OUTBOX_H

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "delivery/retry.h"
#include "delivery/stream.h"
#include "store/messages.h"

namespace wherry::engine {

struct Contact;
class Turn;

// An envelope that may be sent again as it is.
struct Copy {
  uint64_t id = 0;
  uint64_t session = 0;
  uint64_t g = 0;
  uint64_t transport = 0;
  std::string endpoint;
  uint64_t first_seq = 0;  // 0: carries no message
  uint64_t last_seq = 0;
  bool control = false;  // carries more than messages
  uint64_t send_id = 0;  // not 0: handed to the transport, which has not said what became of it
  int attempts = 0;      // since its schedule began
  int unanswered = 0;    // of those before the last one, how many left
  delivery::Attempt last = delivery::Attempt::kFailed;
  int64_t sent_at = 0;  // steady ms
  int64_t next_at = 0;  // steady ms of the next repeat

  bool has_messages() const { return first_seq != 0; }
  // The bytes go (again). now: steady ms.
  void begin_attempt(int64_t now);
  // The schedule begins anew with the next attempt.
  void restart();
  // How long to wait for an answer to the last attempt. What failed before says nothing of how soon
  // an envelope that left is answered.
  int64_t retry_delay_ms() const;
};

struct Outbox {
  std::deque<Copy> copies;     // in the order of sealing
  uint64_t unsealed_from = 1;  // no unsealed message has a lower seq
  uint64_t waiting = 0;        // messages that are not sealed
  // The window: messages in copies, and the bytes of their bodies.
  size_t window_messages = 0;
  size_t window_bytes = 0;
  // Messages that the receiver has stored behind one that it lacks, and the bytes of their bodies.
  size_t beyond_gap_messages = 0;
  size_t beyond_gap_bytes = 0;
  uint64_t forgotten = 0;  // 0, or the seq of one of them that it lacks again

  bool empty() const { return waiting == 0 && copies.empty() && forgotten == 0; }
};

// As the rows have it. next_seq: of the conversation.
Outbox read_outbox(store::Connection& db, uint64_t contact, uint64_t next_seq);

// A new message of the conversation's gets the next number.
void add_to_outbox(Turn& turn, Contact& contact, uint64_t message, size_t size);

// The messages that may go into the next envelope, in order: as many as an envelope, the window and
// the receiver take.
std::vector<store::OutboxRow> next_to_seal(store::Connection& db, const Contact& contact);

// Keeps an envelope that holds these messages, and gives it its id.
Copy& keep_copy(Turn& turn, Contact& contact, Copy copy, const std::vector<store::OutboxRow>& rows,
                const Bytes& envelope);
// Its wrap was made anew, or its endpoint is another.
void replace_copy(store::Connection& db, const Contact& contact, const Copy& copy,
                  const Bytes& envelope);

// The receiver has stored these, and the app is told. Copies whose messages are all among them go,
// but for what else they carry (see settle_control() in taking.cpp); those of a gap are soon due.
// Whether it was news.
bool take_acknowledged(Turn& turn, Contact& contact, const delivery::Acked& acked);

// They forgot what they had stored beyond a gap: it waits to be sealed anew.
void take_back_beyond_gap(store::Connection& db, Contact& contact);

// Copies that are not needed any more, and hold no message that is not acknowledged.
void drop_copies(store::Connection& db, Contact& contact,
                 const std::function<bool(const Copy& copy)>& is_dropped);
// Copies that are void: what they hold waits to be sealed anew.
void unseal(store::Connection& db, Contact& contact,
            const std::function<bool(const Copy& copy)>& is_void);
// All that is not acknowledged is numbered anew, from 1 on, for a new incarnation of the stream;
// its copies are void by then.
void renumber_outbox(Turn& turn, Contact& contact);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_OUTBOX_H
