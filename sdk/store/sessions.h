// Sessions and their stored message keys.
#ifndef WHERRY_STORE_SESSIONS_H
#define WHERRY_STORE_SESSIONS_H

#include <optional>
#include <vector>

#include "store/database.h"

namespace wherry::store {

enum class SessionStage : int32_t {
  kUnanswered = 1,  // mine; only its first envelope may be in flight
  kWorking = 2,
  kReceiveOnly = 3,  // superseded: late envelopes are still opened
};

struct SessionRow {
  uint64_t id = 0;
  uint64_t contact = 0;
  Id128 device{};     // the peer's
  bool mine = false;  // this profile began it
  SessionStage stage = SessionStage::kWorking;
  Bytes32 hash{};     // of its handshake
  Bytes32 follows{};  // of the one that its initiator sent in before; zeros: none
  SecretBytes first;  // unanswered: session::FirstPrefix, serialised
  Secret<32> fetch;   // unanswered: what wraps the first envelope
  int64_t made_ms = 0;
  SecretBytes state;  // session::Ratchet, serialised
};

std::vector<SessionRow> sessions(Connection& db);
uint64_t session_insert(Connection& db, const SessionRow& row);
void session_update(Connection& db, const SessionRow& row);
void session_delete(Connection& db, uint64_t id);

struct RatchetKeyRow {
  uint64_t g = 0;
  bool used = false;
  bool owed = false;  // if used: the envelope held something to acknowledge
  Id128 tag{};
  SecretBytes value;  // a message key, or the hash of the envelope that used it
};

std::vector<RatchetKeyRow> ratchet_keys(Connection& db, uint64_t session);
std::optional<RatchetKeyRow> ratchet_key_by_tag(Connection& db, uint64_t session, const Id128& tag);
// The lowest number at or above `from` whose key was skipped and not used.
std::optional<uint64_t> ratchet_first_skipped(Connection& db, uint64_t session, uint64_t from);
uint32_t ratchet_count_skipped(Connection& db, uint64_t session, uint64_t below);
void ratchet_key_put(Connection& db, uint64_t session, const RatchetKeyRow& row);
void ratchet_keys_erase_below(Connection& db, uint64_t session, uint64_t g);

}  // namespace wherry::store

#endif  // WHERRY_STORE_SESSIONS_H
