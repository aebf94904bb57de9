// The durable feed of events.
#ifndef WHERRY_STORE_EVENTS_H
#define WHERRY_STORE_EVENTS_H

#include <utility>
#include <vector>

#include "store/database.h"

namespace wherry::store {

struct EventRow {
  uint64_t seq = 0;
  int32_t type = 0;  // wherry_event_type
  uint64_t contact = 0;
  uint64_t conversation = 0;
  uint64_t message = 0;
  int64_t value = 0;  // evidence, state or count, by type
  int32_t reason = 0;
};

// The next number to be given, higher than any that was.
uint64_t event_next(Connection& db);
void event_insert(Connection& db, const EventRow& row);
void event_delete(Connection& db, uint64_t seq);
// Forgets everything up to `seq`.
void events_acknowledge(Connection& db, uint64_t seq);
// The newest event of a type in each conversation: (conversation, seq).
std::vector<std::pair<uint64_t, uint64_t>> events_newest(Connection& db, int32_t type);
std::vector<EventRow> events_after(Connection& db, uint64_t seq, uint32_t limit);

}  // namespace wherry::store

#endif  // WHERRY_STORE_EVENTS_H
