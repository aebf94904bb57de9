// What the host calls.
#include "node.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "transports/common/tor/tor_provider.h"

namespace wherry::transports::onion {
namespace {

std::int64_t wall_s() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

}  // namespace

Node::Node(const wherry_transport_host_api& api, wherry_transport_host* host, NodeSettings settings)
    : api_(api),
      host_(host),
      settings_(std::move(settings)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      bundles_(api, host),
      callers_(
          [this](std::uint64_t inbox, const std::vector<Arrival>& arrivals) {
            std::vector<wherry_incoming> offered;
            for (const Arrival& one : arrivals) {
              offered.push_back({one.receipt, {one.envelope.data(), one.envelope.size()}});
            }
            return api_.on_receive(host_, inbox, offered.data(), offered.size());
          },
          [this](std::span<const std::uint8_t> locator) {
            return bundles_.find(locator, wall_s());
          }) {}

Node::~Node() {
  if (worker_.joinable()) worker_.join();
}

std::int32_t Node::start() {
  if (!wake_.valid()) return WHERRY_TRANSPORT_E_RESOURCE;
  {
    const std::lock_guard lock(mutex_);
    if (started_) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  if (worker_.joinable()) worker_.join();  // of an earlier start, which has said on_stopped
  const std::lock_guard lock(mutex_);
  tasks_.clear();
  sends_.clear();
  queued_ = 0;
  refused_ = stopping_ = failed_ = false;
  started_ = true;
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
  post([this] { provider_->renew(); });
}

void Node::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (!started_ || failed_) return;
  tasks_.push_back(std::move(task));
  wake();
}

void Node::wake() {
  ::eventfd_write(wake_.get(), 1);
}

std::int32_t Node::open_inbox(std::uint64_t inbox, std::span<const std::uint8_t, 32> secret,
                              std::int32_t audience) {
  if (inbox == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  Inbox what;
  std::ranges::copy(secret, what.secret.begin());
  what.anybody = audience == WHERRY_AUDIENCE_ANYBODY;
  {
    const std::lock_guard lock(mutex_);
    const auto [known, fresh] = inboxes_.emplace(inbox, what);
    if (!fresh && known->second.secret != what.secret) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  post([this, inbox, what] { open(inbox, what); });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::close_inbox(std::uint64_t inbox) {
  Inbox what;
  {
    const std::lock_guard lock(mutex_);
    const auto known = inboxes_.extract(inbox);
    if (known.empty()) return WHERRY_TRANSPORT_E_ARGUMENT;
    what = known.mapped();
  }
  post([this, inbox, what] { close(inbox, what); });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::add_peer(std::uint64_t peer, const char* text, wherry_reveals* reveals) {
  if (peer == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return WHERRY_TRANSPORT_E_ENDPOINT;
  *reveals = reveals_of(settings_);
  const std::lock_guard lock(mutex_);
  return peers_.emplace(peer, *endpoint).second ? WHERRY_TRANSPORT_OK : WHERRY_TRANSPORT_E_ARGUMENT;
}

std::int32_t Node::remove_peer(std::uint64_t peer) {
  {
    const std::lock_guard lock(mutex_);
    if (peers_.erase(peer) == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
    queued_ -= std::erase_if(sends_, [&](const Outgoing& one) { return one.peer == peer; });
  }
  post([this, peer] {
    std::erase_if(dials_, [&](const auto& entry) {
      if (entry.second != peer) return false;
      provider_->give_up(entry.first);
      return true;
    });
    links_.erase(peer);
    told_.erase(peer);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::connect_peer(std::uint64_t peer) {
  {
    const std::lock_guard lock(mutex_);
    if (!started_ || (peer != 0 && !peers_.contains(peer))) return WHERRY_TRANSPORT_E_ARGUMENT;
    if (failed_) return WHERRY_TRANSPORT_E_RESOURCE;
  }
  if (peer == 0) {
    post([this] { provider_->renew(); });
    return WHERRY_TRANSPORT_OK;
  }
  post([this, peer] {
    told_.erase(peer);
    ask(peer);
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
  post([this, stored = std::move(stored)] {
    for (const std::uint64_t receipt : stored) callers_.stored(receipt);
  });
  return WHERRY_TRANSPORT_OK;
}

void Node::resume_receive() {
  post([this] { callers_.resume(Clock::now()); });
}

std::int32_t Node::put_bundle(std::uint64_t request, const Locator& locator, links::Bytes bundle,
                              std::uint32_t time_to_live_s) {
  if (bundle.empty() || bundle.size() > WHERRY_BUNDLE_SIZE_MAX) return WHERRY_TRANSPORT_E_ARGUMENT;
  if (const std::int32_t status = readiness(); status != WHERRY_TRANSPORT_OK) return status;
  post([this, request, locator, bundle = std::move(bundle), time_to_live_s] {
    const std::int64_t now_s = wall_s();
    const std::int32_t reason = bundles_.put(locator, bundle, now_s + time_to_live_s, now_s);
    api_.on_bundle(host_, request, {nullptr, 0}, reason);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::get_bundle(std::uint64_t request, const char* text, const Locator& locator) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return WHERRY_TRANSPORT_E_ENDPOINT;
  if (const std::int32_t status = readiness(); status != WHERRY_TRANSPORT_OK) return status;
  post([this, request, endpoint = *endpoint, locator] {
    const auto [one, fresh] = fetches_.try_emplace(request, endpoint, locator, Clock::now());
    if (!fresh) return;
    if (fetches_.size() > kFetchesMax) return one->second.finish(WHERRY_REASON_FULL);
    fetch_dials_.emplace(++last_dial_, request);
    provider_->dial(last_dial_, one->second.target());
  });
  return WHERRY_TRANSPORT_OK;
}

// Whether something can be asked of the worker.
std::int32_t Node::readiness() {
  const std::lock_guard lock(mutex_);
  if (!started_ || stopping_) return WHERRY_TRANSPORT_E_ARGUMENT;
  return failed_ ? WHERRY_TRANSPORT_E_RESOURCE : WHERRY_TRANSPORT_OK;
}

}  // namespace wherry::transports::onion
