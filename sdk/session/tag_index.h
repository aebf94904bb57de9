// Finds the session, chain and number of an envelope by its tag (PROTOCOL §5.2): limits::kTagsAhead
// numbers in the current and the next receiving chain of every session, and every stored row.
#ifndef WHERRY_SESSION_TAG_INDEX_H
#define WHERRY_SESSION_TAG_INDEX_H

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>

#include "session/ratchet.h"

namespace wherry::session {

// Not thread-safe. Holds the tags of the sessions that were loaded; follows each by update().
class TagIndex {
 public:
  using SessionId = uint64_t;

  struct Found {
    SessionId session;
    Place place;
  };
  struct StoredTag {
    uint64_t g;
    Tag tag;
  };

  // Takes up a session with the tags of its rows at or above the floor. Replaces what was known.
  void load(SessionId session, const Ratchet& state, std::span<const StoredTag> rows);

  // After an opened step was committed: `state` is the next state, `added` the rows that it added.
  // Costs as many hashes as numbers were passed; a turn costs kTagsAhead more.
  void update(SessionId session, const Ratchet& state, std::span<const KeyRow> added);

  // For a session that ended or is unloaded. Unknown ones are ignored.
  void remove(SessionId session);

  std::optional<Found> find(const Tag& tag) const;

  bool has(SessionId session) const { return sessions_.contains(session); }
  // All tags held.
  size_t size() const { return places_.size(); }

 private:
  struct Entry {
    SessionId session;
    uint32_t chain;  // which receiving chain, counted as Ratchet::receive_chains; 0: a row
    uint32_t n;
  };
  // The tags of a chain that were not used yet: those of numbers first, first + 1, …
  struct ChainTags {
    uint32_t chain = 0;
    uint32_t first = 0;
    std::deque<Tag> tags;
  };
  struct Session {
    ChainTags current;
    ChainTags next;
    std::map<uint64_t, Tag> rows;
  };

  void follow(SessionId session, Session& held, const Ratchet& state);
  void extend(SessionId session, ChainTags& chain, const HeaderKey& key, uint32_t from);
  void drop_below(ChainTags& chain, uint32_t n);

  std::unordered_map<Tag, Entry, IdHash> places_;
  std::unordered_map<SessionId, Session> sessions_;
};

}  // namespace wherry::session

#endif  // WHERRY_SESSION_TAG_INDEX_H
