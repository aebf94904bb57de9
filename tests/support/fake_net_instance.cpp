// One node's end of a FakeNet. Whatever is answered is answered by the clock, never from within the
// host's call, but for the state that `start` and `lose_connection` say at once.
#include "tests/support/fake_net_instance.h"

#include <algorithm>
#include <cstring>

#include "tests/support/hex.h"

namespace wherry::test {
namespace {

constexpr std::size_t kInFlightMax = 256;
constexpr std::size_t kBatch = 32;
constexpr std::int64_t kStepMs = 1;  // what every answer takes at least
constexpr const char* kStoreIdKey = "store-id";
constexpr std::size_t kHexSize = 32;

// Not cryptography: it only has to differ for different secrets, and to be the same everywhere.
template <std::size_t kSize>
void expand(const std::uint8_t* secret, std::uint64_t salt, std::array<std::uint8_t, kSize>& out) {
  std::uint64_t state = salt;
  const auto mix = [&state] {
    state += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  };
  for (std::size_t i = 0; i < WHERRY_TRANSPORT_SECRET_SIZE; ++i) {
    state ^= secret[i];
    state = mix();
  }
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(mix());
}

}  // namespace

FakeInstance::FakeInstance(FakeNet& net, const wherry_transport_host_api& api,
                           wherry_transport_host* host, std::string node)
    : net_(net), api_(api), host_(host), node_(std::move(node)), id_(++net.last_instance_) {
  net_.instances_[id_] = this;
}

FakeInstance::~FakeInstance() {
  net_.instances_.erase(id_);
}

void FakeInstance::later(std::int64_t delay_ms, std::function<void()> action) {
  net_.clock_.schedule_in(delay_ms,
                          [&net = net_, id = id_, life = life_, action = std::move(action)] {
                            const FakeInstance* self = net.instance(id);
                            if (self != nullptr && self->life_ == life) action();
                          });
}

std::int32_t FakeInstance::start() {
  if (state_ != State::kOff) return WHERRY_TRANSPORT_E_ARGUMENT;
  ++life_;
  state_ = State::kStarting;
  busy_ = false;
  refused_ = false;
  bootstrap();
  tell_refused();
  return WHERRY_TRANSPORT_OK;
}

void FakeInstance::go_online() {
  if (state_ == State::kOnline) return;
  if (net_.offline_.contains(node_)) {
    state_ = State::kDegraded;
    api_.on_state(host_, WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_TRANSPORT_OFFLINE,
                  nullptr);
    return;
  }
  state_ = State::kOnline;
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_ONLINE, 0, WHERRY_REASON_NONE, nullptr);
  compare_store();
  for (const auto& [inbox, endpoint] : inboxes_) publish(inbox, endpoint);
}

// Says RESET when the network is not the one, with the store, that this node last saw.
void FakeInstance::compare_store() {
  std::uint64_t known = 0;
  const std::int64_t size =
      api_.state_get(host_, kStoreIdKey, reinterpret_cast<std::uint8_t*>(&known), sizeof(known));
  if (size == sizeof(known) && known == net_.store_id_) return;
  std::array<std::uint8_t, sizeof(known)> value{};
  std::memcpy(value.data(), &net_.store_id_, value.size());
  api_.state_set(host_, kStoreIdKey, {value.data(), value.size()});
  if (size < 0) return;
  for (const auto& [peer, endpoint] : peers_) {
    api_.on_peer(host_, peer, WHERRY_PEER_STATE_RESET, WHERRY_REASON_RELAY_RESET);
  }
}

void FakeInstance::stop() {
  ++life_;  // silences everything that is still scheduled
  state_ = State::kOff;
  detach();
  links_.clear();
  sending_.clear();
  in_flight_ = 0;
  offering_ = false;
  later(kStepMs, [this] {
    api_.on_state(host_, WHERRY_TRANSPORT_STATE_OFF, 0, WHERRY_REASON_NONE, nullptr);
    api_.on_stopped(host_);
  });
}

void FakeInstance::lose_connection() {
  if (state_ == State::kOff || state_ == State::kDegraded) return;
  state_ = State::kDegraded;
  detach();
  links_.clear();
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_TRANSPORT_OFFLINE,
                nullptr);
  // What is on its way may still arrive; nobody here will hear of it.
  std::vector<wherry_sent> failed;
  for (const auto& [send_id, sending] : sending_) {
    if (!sending.handed) {
      failed.push_back({send_id, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_TRANSPORT_OFFLINE});
    }
  }
  sending_.clear();
  in_flight_ = 0;
  if (!failed.empty()) api_.on_sent(host_, failed.data(), failed.size());
  if (refused_) {
    refused_ = false;
    api_.on_writable(host_, 0);
  }
}

void FakeInstance::notice_lost_store() {
  if (state_ != State::kOnline) return;
  later(kStepMs, [this] {
    if (state_ != State::kOnline) return;
    compare_store();
    for (const auto& [inbox, endpoint] : inboxes_) attach(inbox, endpoint);
  });
}

std::int32_t FakeInstance::open_inbox(std::uint64_t inbox, const std::uint8_t* secret) {
  if (inbox == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  Endpoint endpoint;
  expand(secret, 1, endpoint.address);
  expand(secret, 2, endpoint.token);
  if (!inboxes_.contains(inbox) && inboxes_.size() >= net_.tor(node_).inboxes_max) {
    refused_inboxes_.insert(inbox);
    if (state_ != State::kOff) tell_refused();  // else when it is started
    return WHERRY_TRANSPORT_OK;
  }
  inboxes_[inbox] = endpoint;
  refused_inboxes_.erase(inbox);
  if (state_ == State::kOnline) publish(inbox, endpoint);  // else when it is
  return WHERRY_TRANSPORT_OK;
}

void FakeInstance::attach(std::uint64_t inbox, const Endpoint& endpoint) {
  FakeNet::Inbox& at = net_.inboxes_[endpoint.address];
  at.token = endpoint.token;
  at.owner = node_;
  if (at.reader != id_) at.since_ms = net_.clock_.now_ms();
  at.reader = id_;
  at.next_offer = 0;
  later(kStepMs, [this, inbox, text = to_text(endpoint)] {
    if (inboxes_.contains(inbox)) api_.on_inbox(host_, inbox, text.c_str(), WHERRY_REASON_NONE);
  });
  offer_soon();
}

void FakeInstance::detach() {
  for (auto& [address, inbox] : net_.inboxes_) {
    if (inbox.reader != id_) continue;
    inbox.reader = 0;
    if (net_.has_links()) {
      inbox.kept.clear();  // nobody keeps them: they are lost
      inbox.bytes = 0;
    }
  }
}

std::int32_t FakeInstance::close_inbox(std::uint64_t inbox) {
  const auto found = inboxes_.find(inbox);
  if (found == inboxes_.end()) return WHERRY_TRANSPORT_E_ARGUMENT;
  net_.inboxes_.erase(found->second.address);
  inboxes_.erase(found);
  return WHERRY_TRANSPORT_OK;
}

std::int32_t FakeInstance::add_peer(std::uint64_t peer, const char* text, wherry_reveals* reveals) {
  if (peer == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  const std::optional<Endpoint> endpoint = parse(text);
  if (!endpoint.has_value()) return WHERRY_TRANSPORT_E_ENDPOINT;
  *reveals = FakeNet::plugin(net_.kind_)->describe()->reveals_worst;
  peers_[peer] = *endpoint;
  return WHERRY_TRANSPORT_OK;
}

std::int32_t FakeInstance::remove_peer(std::uint64_t peer) {
  if (peers_.erase(peer) == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  net_.counts_.asked -= asked_.erase(peer);
  links_.erase(peer);
  std::erase_if(sending_, [&](const auto& entry) {
    if (entry.second.peer != peer) return false;
    if (!entry.second.handed) --in_flight_;
    return true;
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t FakeInstance::connect_peer(std::uint64_t peer) {
  if (peer != 0 && !peers_.contains(peer)) return WHERRY_TRANSPORT_E_ARGUMENT;
  if (peer != 0) ++net_.counts_.connects;
  if (peer != 0 && asked_.insert(peer).second) ++net_.counts_.asked;
  if (state_ == State::kOff) return WHERRY_TRANSPORT_OK;
  if (peer == 0 && state_ == State::kDegraded && net_.tor(node_).bootstrap_ms > 0) {
    bootstrap();
    return WHERRY_TRANSPORT_OK;
  }
  if (peer != 0 && net_.kind_ == FakeKind::kHidden && state_ == State::kOnline) {
    dial(peer);
    return WHERRY_TRANSPORT_OK;
  }
  later(kStepMs, [this, peer] {
    if (peer == 0) {
      if (state_ == State::kDegraded) go_online();
      return;
    }
    const auto known = peers_.find(peer);
    if (known == peers_.end()) return;
    const auto inbox = net_.inboxes_.find(known->second.address);
    const bool there = inbox != net_.inboxes_.end() && inbox->second.reader != 0 &&
                       !net_.faults(node_, inbox->second.owner).partition;
    const bool reachable = state_ == State::kOnline && (!net_.has_links() || there);
    api_.on_peer(host_, peer,
                 reachable ? WHERRY_PEER_STATE_REACHABLE : WHERRY_PEER_STATE_UNREACHABLE,
                 reachable ? WHERRY_REASON_NONE : WHERRY_REASON_UNREACHABLE);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t FakeInstance::send(std::span<const wherry_outgoing> envelopes, std::size_t* accepted) {
  *accepted = 0;
  const bool sound = std::all_of(envelopes.begin(), envelopes.end(), [&](const auto& one) {
    return peers_.contains(one.peer) && one.envelope.size > 0 &&
           one.envelope.size <= WHERRY_ENVELOPE_SIZE_MAX;
  });
  if (state_ == State::kOff || !sound) return WHERRY_TRANSPORT_E_ARGUMENT;
  for (const wherry_outgoing& one : envelopes) {
    if (in_flight_ >= kInFlightMax) {
      refused_ = true;
      break;
    }
    ++*accepted;
    ++in_flight_;
    sending_[one.send_id] = {one.peer, false};
    const FakeAttempt attempt{id_, life_, one.send_id};
    if (state_ != State::kOnline) {
      later(0, [this, attempt] {
        report(attempt, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_TRANSPORT_OFFLINE);
      });
      continue;
    }
    const Endpoint& to = peers_.at(one.peer);
    FakeNet::Envelope envelope{to.address, to.token,
                               Bytes(one.envelope.data, one.envelope.data + one.envelope.size),
                               attempt};
    if (net_.kind_ == FakeKind::kHidden) {
      send_by_link(one.peer, std::move(envelope));
    } else {
      net_.carry(node_, envelope);
    }
  }
  return WHERRY_TRANSPORT_OK;
}

void FakeInstance::report(const FakeAttempt& attempt, std::int32_t outcome, std::int32_t reason) {
  const auto found = sending_.find(attempt.send_id);
  if (attempt.life != life_ || found == sending_.end()) return;
  const std::uint64_t peer = found->second.peer;
  if (!found->second.handed) --in_flight_;
  if (outcome == WHERRY_OUTCOME_HANDED)
    found->second.handed = true;
  else
    sending_.erase(found);
  const wherry_sent sent{attempt.send_id, outcome, reason};
  api_.on_sent(host_, &sent, 1);
  if (reason == WHERRY_REASON_UNREACHABLE) lose_link(peer, reason);
  if (refused_ && in_flight_ <= kInFlightMax / 2) {
    refused_ = false;
    api_.on_writable(host_, 0);
  }
}

std::int32_t FakeInstance::ack(std::span<const wherry_receipt> receipts) {
  for (const wherry_receipt& one : receipts) {
    const auto known = inboxes_.find(one.inbox);
    if (known == inboxes_.end()) return WHERRY_TRANSPORT_E_ARGUMENT;
    const auto inbox = net_.inboxes_.find(known->second.address);
    if (inbox == net_.inboxes_.end()) continue;
    auto& kept = inbox->second.kept;
    const auto at = std::find_if(kept.begin(), kept.end(),
                                 [&](const auto& stored) { return stored.id == one.receipt; });
    if (at == kept.end()) continue;
    if (at->attempt.has_value()) {
      net_.clock_.schedule_in(kStepMs, [&net = net_, attempt = *at->attempt] {
        net.report(attempt, WHERRY_OUTCOME_STORED, WHERRY_REASON_NONE);
      });
    }
    inbox->second.bytes -= at->envelope.size();
    kept.erase(at);
  }
  return WHERRY_TRANSPORT_OK;
}

void FakeInstance::resume_receive() {
  busy_ = false;
  offer_soon();
}

void FakeInstance::offer_soon() {
  if (offering_ || state_ != State::kOnline) return;
  offering_ = true;
  later(0, [this] {
    offering_ = false;
    offer();
  });
}

void FakeInstance::offer() {
  const std::map<std::uint64_t, Endpoint> inboxes = inboxes_;
  for (const auto& [inbox, endpoint] : inboxes) {
    if (busy_ || state_ != State::kOnline) return;
    if (offer_inbox(inbox, endpoint.address)) offer_soon();
  }
}

// Offers at most a batch; gives true when some more may wait there.
bool FakeInstance::offer_inbox(std::uint64_t inbox, const FakeNet::Key& address) {
  const auto found = net_.inboxes_.find(address);
  if (found == net_.inboxes_.end() || found->second.reader != id_) return false;
  std::vector<wherry_incoming> incoming;
  for (const auto& kept : found->second.kept) {
    if (kept.id < found->second.next_offer) continue;
    incoming.push_back({kept.id, {kept.envelope.data(), kept.envelope.size()}});
    if (incoming.size() == kBatch) break;
  }
  if (incoming.empty()) return false;
  const std::size_t taken = api_.on_receive(host_, inbox, incoming.data(), incoming.size());
  if (taken > 0) found->second.next_offer = incoming[taken - 1].receipt + 1;
  busy_ = taken < incoming.size();
  return !busy_;
}

std::int32_t FakeInstance::put_bundle(std::uint64_t request, const std::uint8_t* locator,
                                      const std::uint8_t* owner, wherry_bytes bundle,
                                      std::uint32_t ttl_s) {
  if (state_ == State::kOff || bundle.size == 0 || bundle.size > WHERRY_BUNDLE_SIZE_MAX) {
    return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  const Bytes key(locator, locator + WHERRY_TRANSPORT_SECRET_SIZE);
  FakeNet::Bundle put{Bytes(owner, owner + WHERRY_TRANSPORT_SECRET_SIZE),
                      Bytes(bundle.data, bundle.data + bundle.size),
                      net_.clock_.now_ms() + std::int64_t{ttl_s} * 1000};
  later(kStepMs, [this, request, key, put = std::move(put)] {
    wherry_reason reason = WHERRY_REASON_NONE;
    const auto there = net_.bundles_.find(key);
    if (state_ != State::kOnline) {
      reason = WHERRY_REASON_TRANSPORT_OFFLINE;
    } else if (there != net_.bundles_.end() && there->second.owner != put.owner) {
      reason = WHERRY_REASON_NOT_ALLOWED;
    } else {
      net_.bundles_[key] = put;
    }
    api_.on_bundle(host_, request, {nullptr, 0}, reason);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t FakeInstance::get_bundle(std::uint64_t request, const char* text,
                                      const std::uint8_t* locator) {
  if (!parse(text).has_value()) return WHERRY_TRANSPORT_E_ENDPOINT;
  if (state_ == State::kOff) return WHERRY_TRANSPORT_E_ARGUMENT;
  const Bytes key(locator, locator + WHERRY_TRANSPORT_SECRET_SIZE);
  later(kStepMs, [this, request, key] {
    const auto there = net_.bundles_.find(key);
    if (state_ != State::kOnline) {
      api_.on_bundle(host_, request, {nullptr, 0}, WHERRY_REASON_TRANSPORT_OFFLINE);
    } else if (there == net_.bundles_.end() || there->second.expires_ms <= net_.clock_.now_ms()) {
      api_.on_bundle(host_, request, {nullptr, 0}, WHERRY_REASON_NOT_FOUND);
    } else {
      const Bytes& bytes = there->second.bytes;
      api_.on_bundle(host_, request, {bytes.data(), bytes.size()}, WHERRY_REASON_NONE);
    }
  });
  return WHERRY_TRANSPORT_OK;
}

// endpoint = ( "fks1:" / "fkd1:" / "fkh1:" ) 32 lower-case hex digits "/" 32 lower-case hex digits
std::optional<FakeInstance::Endpoint> FakeInstance::parse(std::string_view text) const {
  const std::string_view start = FakeNet::scheme(net_.kind_);
  if (text.size() != start.size() + 2 * kHexSize + 1 || !text.starts_with(start)) {
    return std::nullopt;
  }
  text.remove_prefix(start.size());
  Endpoint endpoint;
  const bool valid = text[kHexSize] == '/' &&
                     from_hex(text.substr(0, kHexSize), endpoint.address) &&
                     from_hex(text.substr(kHexSize + 1), endpoint.token);
  if (!valid) return std::nullopt;
  return endpoint;
}

std::string FakeInstance::to_text(const Endpoint& endpoint) const {
  return std::string(FakeNet::scheme(net_.kind_)) + to_hex(endpoint.address) + "/" +
         to_hex(endpoint.token);
}

}  // namespace wherry::test
