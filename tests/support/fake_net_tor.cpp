// What a tor does to an instance, and the links that it opens. On other networks there are no such
// faults, and all of it takes a step.
#include <algorithm>
#include <utility>

#include "tests/support/fake_net_instance.h"

namespace wherry::test {
namespace {

constexpr std::int64_t kStepMs = 1;
constexpr std::int32_t kPercentStep = 20;
constexpr std::int64_t kTakenMs = 30'000;  // until what has no answer has failed, and its link
constexpr double kArrivesUnanswered = 0.5;

}  // namespace

void FakeNet::set_tor(const std::string& node, const TorFaults& faults) {
  tor_[node] = faults;
}

TorFaults FakeNet::tor(const std::string& node) const {
  const auto found = tor_.find(node);
  return found == tor_.end() ? TorFaults() : found->second;
}

void FakeNet::kill_tor(const std::string& node) {
  for (const auto& [id, instance] : instances_) {
    if (instance->node() == node) instance->lose_connection();
  }
}

void FakeNet::stall_links(const std::string& from, const std::string& to) {
  for (const auto& [id, instance] : instances_) {
    if (instance->node() == from) instance->stall_links(to);
  }
}

void FakeInstance::bootstrap() {
  const std::int64_t takes_ms = net_.tor(node_).bootstrap_ms;
  state_ = State::kStarting;
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_STARTING, 0, WHERRY_REASON_NONE, "connecting");
  for (std::int32_t percent = kPercentStep; takes_ms > 0 && percent < 100;
       percent += kPercentStep) {
    later(takes_ms * percent / 100, [this, percent] {
      if (state_ != State::kStarting) return;
      api_.on_state(host_, WHERRY_TRANSPORT_STATE_STARTING, percent, WHERRY_REASON_NONE,
                    "bootstrapping");
    });
  }
  later(std::max(takes_ms, kStepMs), [this] {
    if (state_ == State::kStarting) go_online();
  });
}

void FakeInstance::tell_refused() {
  later(kStepMs, [this] {
    for (const std::uint64_t inbox : std::exchange(refused_inboxes_, {})) {
      ++net_.counts_.full;
      api_.on_inbox(host_, inbox, nullptr, WHERRY_REASON_FULL);
    }
  });
}

void FakeInstance::publish(std::uint64_t inbox, const Endpoint& endpoint) {
  const std::int64_t takes_ms = net_.tor(node_).publish_ms;
  if (takes_ms == 0) {
    attach(inbox, endpoint);
    return;
  }
  later(takes_ms, [this, inbox, endpoint] {
    const auto known = inboxes_.find(inbox);
    const bool same = known != inboxes_.end() && known->second.address == endpoint.address;
    if (same && state_ == State::kOnline) attach(inbox, endpoint);
  });
}

void FakeInstance::dial(std::uint64_t peer) {
  Link& link = links_[peer];
  if (link.state == Link::State::kDialling) return;
  if (link.state != Link::State::kDown) {
    later(kStepMs, [this, peer] {
      if (!links_.contains(peer) || links_[peer].state == Link::State::kDown) return;
      api_.on_peer(host_, peer, WHERRY_PEER_STATE_REACHABLE, WHERRY_REASON_NONE);
    });
    return;
  }
  link.state = Link::State::kDialling;
  link.dial = ++last_dial_;
  later(std::max(net_.tor(node_).dial_ms, kStepMs), [this, peer, dial = link.dial] {
    const auto known = links_.find(peer);
    if (known != links_.end() && known->second.dial == dial) dialled(peer);
  });
}

// Tor can not tell somebody who is away from somebody whom it does not find.
void FakeInstance::dialled(std::uint64_t peer) {
  const TorFaults tor = net_.tor(node_);
  const auto inbox = net_.inboxes_.find(peers_.at(peer).address);
  const bool there = inbox != net_.inboxes_.end() && inbox->second.reader != 0 &&
                     !net_.faults(node_, inbox->second.owner).partition;
  Link& link = links_[peer];
  const bool remembered =
      there && link.was_absent && net_.clock_.now_ms() < inbox->second.since_ms + tor.memory_ms;
  ++net_.counts_.dials;
  if (!there || remembered || net_.chance(tor.dial_failure)) {
    ++net_.counts_.failed_dials;
    link.was_absent = link.was_absent || !there;
    lose_link(peer, net_.chance(0.5) ? WHERRY_REASON_UNREACHABLE : WHERRY_REASON_TIMEOUT);
    return;
  }
  link.state = Link::State::kUp;
  link.was_absent = false;
  api_.on_peer(host_, peer, WHERRY_PEER_STATE_REACHABLE, WHERRY_REASON_NONE);
  for (const FakeNet::Envelope& envelope : std::exchange(link.waiting, {})) {
    net_.carry(node_, envelope);
  }
}

void FakeInstance::send_by_link(std::uint64_t peer, FakeNet::Envelope envelope) {
  Link& link = links_[peer];
  if (link.state == Link::State::kUp) {
    net_.carry(node_, envelope);
    return;
  }
  if (link.state == Link::State::kHalfOpen) {
    ++net_.counts_.unanswered;
    later(kTakenMs, [this, peer, attempt = envelope.attempt] {
      report(attempt, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_TIMEOUT);
      const auto known = links_.find(peer);
      if (known != links_.end() && known->second.state == Link::State::kHalfOpen) {
        lose_link(peer, WHERRY_REASON_TIMEOUT);
      }
    });
    if (net_.chance(kArrivesUnanswered)) {
      net_.clock_.schedule_in(
          kStepMs, [&net = net_, envelope = std::move(envelope)] { net.arrive(envelope, false); });
    }
    return;
  }
  link.waiting.push_back(std::move(envelope));
  dial(peer);
}

// What waited for it has failed with it.
void FakeInstance::lose_link(std::uint64_t peer, std::int32_t reason) {
  if (const auto known = links_.find(peer); known != links_.end()) {
    known->second.state = Link::State::kDown;
    known->second.dial = 0;
    const std::vector<FakeNet::Envelope> waiting = std::exchange(known->second.waiting, {});
    for (const FakeNet::Envelope& envelope : waiting) {
      report(envelope.attempt, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_TIMEOUT);
    }
  }
  api_.on_peer(host_, peer, WHERRY_PEER_STATE_UNREACHABLE, reason);
}

void FakeInstance::stall_links(const std::string& to) {
  for (auto& [peer, link] : links_) {
    const auto inbox = net_.inboxes_.find(peers_.at(peer).address);
    if (link.state == Link::State::kUp && inbox != net_.inboxes_.end() &&
        inbox->second.owner == to) {
      link.state = Link::State::kHalfOpen;
    }
  }
}

}  // namespace wherry::test
