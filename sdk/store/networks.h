// Configured transports, their small state, and the inboxes opened on them.
#ifndef WHERRY_STORE_NETWORKS_H
#define WHERRY_STORE_NETWORKS_H

#include <vector>

#include "store/database.h"

namespace wherry::store {

struct TransportRow {
  uint64_t id = 0;
  std::string name;
  Bytes settings;  // CBOR map of texts, see engine/settings.h
  bool started = false;
};

std::vector<TransportRow> transports(Connection& db);
uint64_t transport_insert(Connection& db, const TransportRow& row);
void transport_update(Connection& db, const TransportRow& row);

std::vector<std::pair<std::string, Bytes>> transport_states(Connection& db, uint64_t transport);
// Empty value: delete.
void transport_state_set(Connection& db, uint64_t transport, const std::string& name,
                         ByteView value);

enum class InboxKind : int32_t { kCard = 1, kContact = 2 };

struct InboxRow {
  uint64_t id = 0;
  uint64_t transport = 0;
  InboxKind kind = InboxKind::kCard;
  uint64_t owner = 0;  // a card's or a contact's id
  Secret<32> secret;
  std::string endpoint;  // empty: not known yet
  uint64_t dropped = 0;  // generation of the first set told to its contact that is without it

  // No set that was told to its contact was ever with it.
  static constexpr uint64_t kNeverTold = INT64_MAX;
  bool told() const { return dropped != kNeverTold; }
  bool left() const { return dropped != 0 && told(); }
};

std::vector<InboxRow> inboxes(Connection& db);
uint64_t inbox_insert(Connection& db, const InboxRow& row);
void inbox_set_endpoint(Connection& db, uint64_t id, const std::string& endpoint);
void inbox_set_dropped(Connection& db, uint64_t id, uint64_t generation);
void inbox_delete(Connection& db, uint64_t id);

}  // namespace wherry::store

#endif  // WHERRY_STORE_NETWORKS_H
