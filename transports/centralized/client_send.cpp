// Peers, envelopes on their way out, and bundles: the Submit lane.
#include <algorithm>
#include <cstring>
#include <utility>

#include "client.h"

namespace wherry::transports::centralized {
namespace {

std::int32_t reason_of(v1::Outcome outcome) {
  switch (outcome) {
    case v1::STORED:
      return WHERRY_REASON_NONE;
    case v1::FULL:
      return WHERRY_REASON_FULL;
    case v1::QUOTA:
      return WHERRY_REASON_QUOTA;
    case v1::DISK:
      return WHERRY_REASON_DISK;
    case v1::NOT_FOUND:
    case v1::GONE:
      return WHERRY_REASON_NOT_FOUND;
    case v1::NOT_ALLOWED:
      return WHERRY_REASON_NOT_ALLOWED;
    default:
      return WHERRY_REASON_QUOTA;  // "later", for a reason of a newer relay
  }
}

// An inbox that is not there may be made again after a reset of the relay; one that its owner
// closed, or whose token is another one, never takes this endpoint's envelopes.
std::int32_t outcome_of(v1::Outcome outcome) {
  if (outcome == v1::STORED) return WHERRY_OUTCOME_STORED;
  const bool never = outcome == v1::NOT_ALLOWED || outcome == v1::GONE;
  return never ? WHERRY_OUTCOME_FAILED_PERMANENT : WHERRY_OUTCOME_FAILED_RETRY;
}

}  // namespace

std::int32_t Client::add_peer(std::uint64_t id, const char* endpoint, wherry_reveals* reveals) {
  // No endpoint is longer: what is beyond need not be looked at.
  const auto parsed =
      parse_relay_endpoint({endpoint, strnlen(endpoint, kRelayEndpointSizeMax + 1)});
  const std::lock_guard lock(mutex_);
  if (id == 0 || peers_.contains(id)) return WHERRY_TRANSPORT_E_ARGUMENT;
  if (!parsed) return WHERRY_TRANSPORT_E_ENDPOINT;
  if (parsed->relay != settings_.relay) {
    log(WHERRY_LOG_INFO, "an endpoint at another relay than the configured one was refused");
    return WHERRY_TRANSPORT_E_ENDPOINT;
  }
  Peer& peer = peers_[id];
  peer.inbox = parsed->inbox;
  peer.token = parsed->token;
  if (reveals != nullptr) *reveals = reveals_;
  if (stores_reset_) {
    peer.state = WHERRY_PEER_STATE_RESET;
    api_.on_peer(host_, id, WHERRY_PEER_STATE_RESET, WHERRY_REASON_RELAY_RESET);
  }
  if (life_ == Life::kOnline) {
    set_peer_state(id, peer, WHERRY_PEER_STATE_REACHABLE, WHERRY_REASON_NONE);
  }
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Client::remove_peer(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  if (peers_.erase(id) == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  std::erase_if(queue_, [&](const Outgoing& one) {
    if (one.peer != id) return false;
    queue_bytes_ -= one.envelope.size();
    return true;
  });
  for (InFlight& one : in_flight_) {
    if (one.peer == id) one.peer = 0;
  }
  report_writable();
  return WHERRY_TRANSPORT_OK;
}

void Client::set_peer_state(std::uint64_t id, Peer& peer, std::int32_t state, std::int32_t reason) {
  if (peer.state == state) return;
  peer.state = state;
  api_.on_peer(host_, id, state, reason);
}

std::int32_t Client::send(const wherry_outgoing* envelopes, std::size_t count,
                          std::size_t& accepted) {
  const std::lock_guard lock(mutex_);
  accepted = 0;
  // A call either breaks a rule or is carried out.
  const bool sound = std::all_of(envelopes, envelopes + count, [&](const wherry_outgoing& one) {
    return peers_.contains(one.peer) && one.envelope.size > 0 &&
           one.envelope.size <= WHERRY_ENVELOPE_SIZE_MAX;
  });
  if (!sound) return WHERRY_TRANSPORT_E_ARGUMENT;
  std::vector<wherry_sent> refused;
  std::int32_t status = WHERRY_TRANSPORT_OK;
  for (; accepted < count; ++accepted) {
    const wherry_outgoing& one = envelopes[accepted];
    const auto peer = peers_.find(one.peer);
    if (life_ != Life::kOnline) {
      const bool off = life_ == Life::kOff || life_ == Life::kStopping;
      refused.push_back({one.send_id, WHERRY_OUTCOME_FAILED_RETRY,
                         off ? WHERRY_REASON_TRANSPORT_OFF : WHERRY_REASON_TRANSPORT_OFFLINE});
      continue;
    }
    if (queue_.size() >= kQueueEnvelopesMax || queue_bytes_ + one.envelope.size > kQueueBytesMax) {
      flush_submit();
    }
    if (queue_.size() >= kQueueEnvelopesMax || queue_bytes_ + one.envelope.size > kQueueBytesMax) {
      writable_due_ = true;
      status = WHERRY_TRANSPORT_E_FULL;
      break;
    }
    queue_bytes_ += one.envelope.size;
    queue_.push_back(
        {one.peer, one.send_id, peer->second.inbox, peer->second.token,
         std::string(reinterpret_cast<const char*>(one.envelope.data), one.envelope.size)});
  }
  if (!refused.empty()) api_.on_sent(host_, refused.data(), refused.size());
  flush_submit();
  // Fewer than offered is no error; nothing at all is.
  if (status == WHERRY_TRANSPORT_E_FULL && accepted > 0) status = WHERRY_TRANSPORT_OK;
  return status;
}

void Client::flush_submit() {
  if (life_ != Life::kOnline || writing_[0]) return;
  v1::SubmitRequest frame;
  fill_groups(frame);
  fill_requests(frame);
  if (frame.groups_size() == 0 && frame.puts_size() == 0 && frame.gets_size() == 0) return;
  writing_[0] = std::chrono::steady_clock::now();
  changed_.notify_all();  // there is something to watch
  link_->write(std::move(frame));
  report_writable();
}

void Client::fill_groups(v1::SubmitRequest& frame) {
  std::size_t envelopes = 0;
  std::size_t bytes = 0;
  v1::Group* group = nullptr;
  const auto now = std::chrono::steady_clock::now();
  InboxId inbox{};
  while (!queue_.empty() && envelopes < kFrameEnvelopesMax &&
         in_flight_.size() < kUnansweredEnvelopesMax) {
    Outgoing& next = queue_.front();
    const std::size_t size = next.envelope.size();
    if (bytes + size > kFrameEnvelopeBytesMax || in_flight_bytes_ + size > kUnansweredBytesMax) {
      break;
    }
    if (group == nullptr || inbox != next.inbox ||
        std::memcmp(group->token().data(), next.token.data(), next.token.size()) != 0) {
      group = frame.add_groups();
      group->set_inbox(next.inbox.data(), next.inbox.size());
      group->set_token(next.token.data(), next.token.size());
      inbox = next.inbox;
    }
    group->add_envelopes(std::move(next.envelope));
    in_flight_.push_back({next.peer, next.send_id, size, now});
    in_flight_bytes_ += size;
    queue_bytes_ -= size;
    bytes += size;
    ++envelopes;
    queue_.pop_front();
  }
}

void Client::report_writable() {
  if (!writable_due_) return;
  if (queue_.size() > kQueueEnvelopesMax / 2 || queue_bytes_ > kQueueBytesMax / 2) return;
  writable_due_ = false;
  api_.on_writable(host_, 0);
}

void Client::on_frame(std::uint64_t link, v1::SubmitReply& frame) {
  const std::lock_guard lock(mutex_);
  if (!listens(link)) return;
  if (frame.has_welcome()) {
    if (!take_welcome(Lane::kSubmit, frame.welcome())) {
      drop_link(WHERRY_REASON_PROTOCOL, "its greeting is malformed");
      return;
    }
    if (life_ == Life::kOnline) {
      flush_submit();
      flush_receive();
    }
  }
  const bool answers = frame.results_size() > 0 || frame.bundles_size() > 0;
  if (answers && (life_ != Life::kOnline || !take_results(frame) || !take_bundles(frame))) {
    drop_link(WHERRY_REASON_PROTOCOL, "it answered what was not asked");
    return;
  }
  if (frame.has_goodbye()) {
    take_goodbye(frame.goodbye());
    return;
  }
  flush_submit();
  link_->read(Lane::kSubmit);
}

// All of a frame or nothing: what a lie follows stays in flight, and is answered with the link's
// end.
bool Client::take_results(const v1::SubmitReply& frame) {
  std::uint64_t count = 0;
  for (const v1::Result& result : frame.results()) {
    if (result.count() == 0) return false;
    count += result.count();
  }
  if (count > in_flight_.size()) return false;
  std::vector<wherry_sent> sent;
  for (const v1::Result& result : frame.results()) {
    const std::int32_t outcome = outcome_of(result.outcome());
    const std::int32_t reason = reason_of(result.outcome());
    for (std::uint32_t i = 0; i < result.count(); ++i) {
      const InFlight one = in_flight_.front();
      in_flight_.pop_front();
      in_flight_bytes_ -= one.size;
      if (one.peer == 0) continue;
      sent.push_back({one.send_id, outcome, reason});
      const auto peer = peers_.find(one.peer);
      if (peer == peers_.end()) continue;
      if (outcome == WHERRY_OUTCOME_FAILED_PERMANENT) {
        set_peer_state(one.peer, peer->second, WHERRY_PEER_STATE_GONE, reason);
      } else if (outcome == WHERRY_OUTCOME_STORED) {
        set_peer_state(one.peer, peer->second, WHERRY_PEER_STATE_REACHABLE, WHERRY_REASON_NONE);
      }
    }
  }
  if (!sent.empty()) api_.on_sent(host_, sent.data(), sent.size());
  return true;
}

std::int32_t Client::put_bundle(std::uint64_t id, const Locator& locator,
                                std::span<const std::uint8_t, 32> owner, std::string bundle,
                                std::uint32_t time_to_live_s) {
  const std::lock_guard lock(mutex_);
  if (bundle.empty() || bundle.size() > WHERRY_BUNDLE_SIZE_MAX || time_to_live_s == 0) {
    return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  if (life_ != Life::kOnline) {
    api_.on_bundle(host_, id, {nullptr, 0}, WHERRY_REASON_TRANSPORT_OFFLINE);
    return WHERRY_TRANSPORT_OK;
  }
  if (requests_.size() + asked_.size() >= kRequestsMax) return WHERRY_TRANSPORT_E_FULL;
  Request request;
  request.id = id;
  request.put = true;
  request.locator = locator;
  request.owner = bundle_key(owner, locator);
  request.bundle = std::move(bundle);
  request.time_to_live_s = std::min(time_to_live_s, kBundleTimeToLiveMaxS);
  requests_.push_back(std::move(request));
  flush_submit();
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Client::get_bundle(std::uint64_t id, const char* endpoint, const Locator& locator) {
  const auto parsed =
      parse_relay_endpoint({endpoint, strnlen(endpoint, kRelayEndpointSizeMax + 1)});
  if (!parsed || parsed->relay != settings_.relay) return WHERRY_TRANSPORT_E_ENDPOINT;
  const std::lock_guard lock(mutex_);
  if (life_ != Life::kOnline) {
    api_.on_bundle(host_, id, {nullptr, 0}, WHERRY_REASON_TRANSPORT_OFFLINE);
    return WHERRY_TRANSPORT_OK;
  }
  if (requests_.size() + asked_.size() >= kRequestsMax) return WHERRY_TRANSPORT_E_FULL;
  Request request;
  request.id = id;
  request.locator = locator;
  requests_.push_back(std::move(request));
  flush_submit();
  return WHERRY_TRANSPORT_OK;
}

void Client::fill_requests(v1::SubmitRequest& frame) {
  for (int i = 0; i < kFrameBundlesMax && !requests_.empty(); ++i) {
    Request request = std::move(requests_.front());
    requests_.pop_front();
    const std::uint64_t number = ++last_request_;
    request.since = std::chrono::steady_clock::now();
    if (request.put) {
      auto* put = frame.add_puts();
      put->set_request(number);
      put->set_locator(request.locator.data(), request.locator.size());
      const PublicKey& key = request.owner->public_key();
      put->set_owner_key(key.data(), key.size());
      const auto proof = put_proof(
          settings_.relay.pin, challenges_[0], request.locator, request.time_to_live_s,
          {reinterpret_cast<const std::uint8_t*>(request.bundle.data()), request.bundle.size()});
      const Signature signature = request.owner->sign(proof);
      put->set_signature(signature.data(), signature.size());
      put->set_bundle(std::move(request.bundle));
      put->set_time_to_live_s(request.time_to_live_s);
    } else {
      auto* get = frame.add_gets();
      get->set_request(number);
      get->set_locator(request.locator.data(), request.locator.size());
    }
    asked_.emplace(number, std::move(request));
  }
}

bool Client::take_bundles(v1::SubmitReply& frame) {
  for (const v1::BundleReply& reply : frame.bundles()) {
    const auto found = asked_.find(reply.request());
    if (found == asked_.end()) return false;
    const bool wanted = !found->second.put && reply.outcome() == v1::STORED;
    const std::string& bundle = reply.bundle();
    if (wanted ? bundle.empty() || bundle.size() > WHERRY_BUNDLE_SIZE_MAX : !bundle.empty()) {
      return false;
    }
    const std::uint64_t id = found->second.id;
    asked_.erase(found);
    wherry_bytes bytes{nullptr, 0};
    if (wanted) bytes = {reinterpret_cast<const std::uint8_t*>(bundle.data()), bundle.size()};
    api_.on_bundle(host_, id, bytes, reason_of(reply.outcome()));
  }
  return true;
}

}  // namespace wherry::transports::centralized
