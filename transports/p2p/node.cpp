// What the host calls.
#include "node.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "life.h"
#include "limits.h"

namespace wherry::transports::p2p {

Node::Node(const wherry_transport_host_api& api, wherry_transport_host* host, NodeSettings settings)
    : api_(api), host_(host), settings_(std::move(settings)) {}

Node::~Node() {
  if (worker_.joinable()) worker_.join();
  if (wake_ >= 0) ::close(wake_);
}

std::int32_t Node::start() {
  {
    const std::lock_guard lock(mutex_);
    if (started_) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  if (worker_.joinable()) worker_.join();  // of an earlier start, which has said on_stopped
  const std::lock_guard lock(mutex_);
  if (wake_ < 0) wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) return WHERRY_TRANSPORT_E_RESOURCE;
  tasks_.clear();
  sends_.clear();
  queued_ = 0;
  refused_ = stopping_ = failed_ = begins_anew_ = false;
  started_ = true;
  for (const auto& [peer, endpoint] : peers_) {
    if (settings_.may_meet(endpoint.meeting)) tasks_.push_back(say_that_both_meet(peer));
  }
  try {
    worker_ = std::thread([this] { run(); });
  } catch (...) {
    started_ = false;
    throw;
  }
  return WHERRY_TRANSPORT_OK;
}

void Node::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake();
}

void Node::update(std::uint32_t flags) {
  if ((flags & WHERRY_CHANGE_NETWORK) == 0) return;
  const std::lock_guard lock(mutex_);
  begins_anew_ = true;
  wake();
}

void Node::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (!started_ || stopping_ || failed_) return;
  tasks_.push_back(std::move(task));
  wake();
}

// The listener's part is done for those only whom the host has asked for, and it would not ask for
// one to whom it has nothing to send.
Node::Task Node::say_that_both_meet(std::uint64_t peer) {
  return [this, peer](Life& life) {
    {
      const std::lock_guard lock(mutex_);
      if (!peers_.contains(peer) || life.links.contains(peer)) return;  // it has asked
    }
    api_.on_peer(host_, peer, WHERRY_PEER_STATE_UNREACHABLE, WHERRY_REASON_BOTH_ENDS);
  };
}

void Node::wake() {
  if (wake_ >= 0) ::eventfd_write(wake_, 1);
}

std::int32_t Node::open_inbox(std::uint64_t inbox, std::span<const std::uint8_t, 32> secret,
                              std::int32_t audience) {
  if (inbox == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  const Inbox opened{pass_of(secret), audience == WHERRY_AUDIENCE_CONTACT};
  {
    const std::lock_guard lock(mutex_);
    const auto [known, fresh] = inboxes_.emplace(inbox, opened);
    if (!fresh && known->second != opened) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  post([this, inbox, opened](Life& life) {
    if (life.door) life.door->allow(inbox, opened.pass);
    if (life.lan && opened.of_contact) life.lan->announce(inbox, opened.pass, Clock::now());
    life.announced.erase(inbox);
    announce(life);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::close_inbox(std::uint64_t inbox) {
  {
    const std::lock_guard lock(mutex_);
    if (inboxes_.erase(inbox) == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  post([inbox](Life& life) {
    if (life.door) life.door->forbid(inbox);
    if (life.lan) life.lan->conceal(inbox);
    life.announced.erase(inbox);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::add_peer(std::uint64_t peer, const char* text, wherry_reveals* reveals) {
  if (peer == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  std::optional<Endpoint> endpoint = parse_endpoint(text);
  // Nobody is to make this machine knock at doors of its own network, or of itself.
  const auto may_dial = [&](const Address& address) { return settings_.may_dial(address); };
  if (!endpoint || (std::ranges::none_of(endpoint->addresses, may_dial) &&
                    !settings_.may_meet(endpoint->meeting) && !settings_.lan)) {
    return WHERRY_TRANSPORT_E_ENDPOINT;
  }
  *reveals = reveals_of_dialling(settings_);
  {
    const std::lock_guard lock(mutex_);
    if (!peers_.emplace(peer, *endpoint).second) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  if (settings_.may_meet(endpoint->meeting)) post(say_that_both_meet(peer));
  post([peer, pass = endpoint->pass](Life& life) {
    if (life.lan) life.lan->expect(peer, pass, Clock::now());
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::remove_peer(std::uint64_t peer) {
  {
    const std::lock_guard lock(mutex_);
    if (peers_.erase(peer) == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
    queued_ -= std::erase_if(sends_, [&](const Outgoing& one) { return one.peer == peer; });
  }
  post([peer](Life& life) {
    if (life.lan) life.lan->forget(peer);
    const auto link = life.links.find(peer);
    if (link == life.links.end()) return;
    if (const auto& place = link->second.meeting(); life.door && place) {
      life.door->meetings().forget(next_port(*place));
    }
    life.links.erase(link);
    life.told.erase(peer);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::connect_peer(std::uint64_t peer) {
  if (peer == 0) return WHERRY_TRANSPORT_OK;  // there is no server
  {
    const std::lock_guard lock(mutex_);
    if (!peers_.contains(peer) || !started_) return WHERRY_TRANSPORT_E_ARGUMENT;
    if (failed_) return WHERRY_TRANSPORT_E_RESOURCE;
  }
  post([this, peer](Life& life) {
    const std::lock_guard lock(mutex_);
    const auto known = peers_.find(peer);
    if (known == peers_.end()) return;
    Link& link = life.links.try_emplace(peer, settings_, life.intake, life.wake, known->second)
                     .first->second;
    if (link.state() == Link::State::kDown) life.told.erase(peer);
    ask(life, peer);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::send(std::span<const wherry_outgoing> envelopes, std::size_t* accepted) {
  *accepted = 0;
  const std::lock_guard lock(mutex_);
  const bool sound = std::ranges::all_of(envelopes, [&](const wherry_outgoing& one) {
    return peers_.contains(one.peer) && one.envelope.size > 0 &&
           one.envelope.size <= WHERRY_ENVELOPE_SIZE_MAX;
  });
  if (!started_ || stopping_ || !sound) return WHERRY_TRANSPORT_E_ARGUMENT;
  if (failed_) return WHERRY_TRANSPORT_E_RESOURCE;
  for (const wherry_outgoing& one : envelopes) {
    if (queued_ >= kSendQueueMax) {
      refused_ = true;
      break;
    }
    sends_.push_back({one.peer, one.send_id,
                      links::Bytes(one.envelope.data, one.envelope.data + one.envelope.size)});
    ++queued_;
    ++*accepted;
  }
  wake();
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::ack(std::span<const wherry_receipt> receipts) {
  std::vector<std::uint64_t> stored;
  {
    const std::lock_guard lock(mutex_);
    for (const wherry_receipt& one : receipts) {
      if (!inboxes_.contains(one.inbox)) return WHERRY_TRANSPORT_E_ARGUMENT;
      stored.push_back(one.receipt);
    }
  }
  post([stored = std::move(stored)](Life& life) {
    if (!life.door) return;
    for (const std::uint64_t receipt : stored) life.door->stored(receipt);
  });
  return WHERRY_TRANSPORT_OK;
}

void Node::resume_receive() {
  post([](Life& life) {
    if (life.door) life.busy = !life.door->resume(Clock::now());
  });
}

}  // namespace wherry::transports::p2p
