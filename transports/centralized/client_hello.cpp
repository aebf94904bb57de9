// The client's greeting: Welcome, the relay's store, Goodbye.
#include <algorithm>
#include <cstring>

#include "client.h"
#include "transports/common/crypto.h"

namespace wherry::transports::centralized {
namespace {

constexpr const char* kStoreKey = "store";

}  // namespace

bool Client::take_welcome(Lane lane, const v1::Welcome& welcome) {
  const auto index = static_cast<std::size_t>(lane);
  StoreId store{};
  if (welcomed_[index] || welcome.version() != kProtocolVersion ||
      welcome.store_id().size() != store.size() ||
      welcome.challenge().size() != challenges_[index].size()) {
    return false;
  }
  std::memcpy(store.data(), welcome.store_id().data(), store.size());
  std::memcpy(challenges_[index].data(), welcome.challenge().data(), challenges_[index].size());
  if (store_ && *store_ != store) return false;  // one relay, one store
  store_ = store;
  welcomed_[index] = true;
  if (welcomed_[0] && welcomed_[1]) go_online();
  return true;
}

void Client::go_online() {
  note_store(*store_);
  life_ = Life::kOnline;
  last_reason_ = WHERRY_REASON_NONE;
  for (auto& [id, inbox] : inboxes_) opens_due_.push_back(id);
  say_state(WHERRY_TRANSPORT_STATE_ONLINE, 100, WHERRY_REASON_NONE, nullptr);
  for (auto& [id, peer] : peers_) {
    set_peer_state(id, peer, WHERRY_PEER_STATE_REACHABLE, WHERRY_REASON_NONE);
  }
  changed_.notify_all();
}

// A store that is not the last one holds nothing of ours. What is said here comes before the new
// store is remembered, so that a crash in between says it again.
void Client::note_store(const StoreId& store) {
  std::array<std::uint8_t, 64> known{};
  const std::int64_t size = api_.state_get(host_, kStoreKey, known.data(), known.size());
  const bool same = size == static_cast<std::int64_t>(store.size()) &&
                    std::equal(store.begin(), store.end(), known.begin());
  if (same) return;
  if (size >= 0) {
    log(WHERRY_LOG_WARNING,
        "the relay has another store than before: inboxes are made again, and what was "
        "undelivered is sent again");
    stores_reset_ = true;
    for (auto& [id, inbox] : inboxes_) inbox.answer_due = true;
    for (auto& [id, peer] : peers_) {
      peer.state = WHERRY_PEER_STATE_RESET;
      api_.on_peer(host_, id, WHERRY_PEER_STATE_RESET, WHERRY_REASON_RELAY_RESET);
    }
  }
  api_.state_set(host_, kStoreKey, {store.data(), store.size()});
}

void Client::take_goodbye(const v1::Goodbye& goodbye) {
  switch (goodbye.reason()) {
    case v1::Goodbye::VERSION:
      drop_link(WHERRY_REASON_VERSION, "it speaks other versions");
      return;
    case v1::Goodbye::PROTOCOL:
      drop_link(WHERRY_REASON_PROTOCOL, "it says that we broke the protocol");
      return;
    case v1::Goodbye::QUOTA:
      drop_link(WHERRY_REASON_QUOTA, "too many connections from this address");
      return;
    case v1::Goodbye::DRAINING:
      drop_link(WHERRY_REASON_TRANSPORT_OFFLINE, "it stops");
      return;
    default:
      drop_link(WHERRY_REASON_TRANSPORT_OFFLINE, "it said goodbye");
      return;
  }
}

}  // namespace wherry::transports::centralized
