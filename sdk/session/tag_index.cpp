// Tags by session, chain and number.
#include "session/tag_index.h"

#include "base/limits.h"

namespace wherry::session {
namespace {

// Of an entry that is a row; receiving chains count from 1.
constexpr uint32_t kRow = 0;

}  // namespace

void TagIndex::load(SessionId session, const Ratchet& state, std::span<const StoredTag> rows) {
  remove(session);
  Session& held = sessions_[session];
  for (const StoredTag& row : rows) {
    held.rows.emplace(row.g, row.tag);
    places_[row.tag] = {session, kRow, 0};
  }
  follow(session, held, state);
}

void TagIndex::update(SessionId session, const Ratchet& state, std::span<const KeyRow> added) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  Session& held = found->second;
  // First the rows, so that the chains forget what has become one without a second look-up.
  for (const KeyRow& row : added) {
    if (row.g < state.peer_floor) continue;
    held.rows.emplace(row.g, row.tag);
    places_[row.tag] = {session, kRow, 0};
  }
  follow(session, held, state);
}

// Brings the chains to where the state is, and lets rows below the floor go.
void TagIndex::follow(SessionId session, Session& held, const Ratchet& state) {
  while (!held.rows.empty() && held.rows.begin()->first < state.peer_floor) {
    places_.erase(held.rows.begin()->second);
    held.rows.erase(held.rows.begin());
  }
  if (held.current.chain != state.receive_chains) {
    drop_below(held.current, UINT32_MAX);
    if (held.next.chain == state.receive_chains) {
      held.current = std::move(held.next);
    } else {
      drop_below(held.next, UINT32_MAX);
      held.current = {state.receive_chains, 0, {}};
    }
    held.next = {state.receive_chains + 1, 0, {}};
  }
  if (held.next.chain == 0) held.next.chain = state.receive_chains + 1;
  if (state.receive_chains > 0) {
    drop_below(held.current, state.receive_n);
    extend(session, held.current, state.receive_header, state.receive_n);
  }
  extend(session, held.next, state.receive_header_next, 0);
}

// Adds tags until there are kTagsAhead from number `from` on.
void TagIndex::extend(SessionId session, ChainTags& chain, const HeaderKey& key, uint32_t from) {
  if (chain.tags.empty()) chain.first = from;
  while (chain.tags.size() < limits::kTagsAhead) {
    const auto n = static_cast<uint32_t>(chain.first + chain.tags.size());
    const Tag tag = key.tag_for(n);
    chain.tags.push_back(tag);
    places_.try_emplace(tag, Entry{session, chain.chain, n});
  }
}

void TagIndex::drop_below(ChainTags& chain, uint32_t n) {
  while (!chain.tags.empty() && chain.first < n) {
    const auto found = places_.find(chain.tags.front());
    // What has become a row stays.
    if (found != places_.end() && found->second.chain == chain.chain) places_.erase(found);
    chain.tags.pop_front();
    ++chain.first;
  }
}

void TagIndex::remove(SessionId session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  drop_below(found->second.current, UINT32_MAX);
  drop_below(found->second.next, UINT32_MAX);
  for (const auto& [g, tag] : found->second.rows) places_.erase(tag);
  sessions_.erase(found);
}

std::optional<TagIndex::Found> TagIndex::find(const Tag& tag) const {
  const auto found = places_.find(tag);
  if (found == places_.end()) return std::nullopt;
  const Entry& entry = found->second;
  if (entry.chain == kRow) return Found{entry.session, {Place::Kind::kStored, 0}};
  const bool is_current = sessions_.at(entry.session).current.chain == entry.chain;
  return Found{entry.session, {is_current ? Place::Kind::kCurrent : Place::Kind::kNext, entry.n}};
}

}  // namespace wherry::session
