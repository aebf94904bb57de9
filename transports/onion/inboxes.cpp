// Where a node receives: a service for each inbox, or one that several share. All keys come from
// the inbox's secret, so that a device that takes a profile over has its addresses too; those of
// the shared service come from the instance's own.
#include <algorithm>
#include <utility>

#include "include/wherry/transport.h"
#include "node.h"

namespace wherry::transports::onion {
namespace {

constexpr const char* kSecretName = "shared-service";
constexpr const char* kSharersName = "shared-inboxes";
constexpr std::string_view kServiceContext = "zo1 service";
constexpr std::string_view kClientContext = "zo1 client";
constexpr std::string_view kTokenContext = "zo1 token";
constexpr std::size_t kSharersMax = 256;
static_assert(kSharersMax * sizeof(Token) <= 4096);  // of one value of the instance's state

// The sizes are within derive's bounds, so it can not refuse.
template <std::size_t Size>
std::array<std::uint8_t, Size> derived(std::string_view context, const tor::Seed& secret) {
  std::array<std::uint8_t, Size> out{};
  static_cast<void>(derive(out, context, secret));
  return out;
}

tor::Service service_of(const tor::Seed& secret, bool anybody) {
  tor::Service service{derived<32>(kServiceContext, secret), {}};
  if (!anybody) {
    service.clients.push_back(x25519_public_key(derived<32>(kClientContext, secret)));
  }
  return service;
}

Endpoint endpoint_of(const tor::Seed& secret, bool anybody) {
  Endpoint endpoint;
  endpoint.service = SigningKey(derived<32>(kServiceContext, secret)).public_key();
  if (!anybody) endpoint.client = derived<32>(kClientContext, secret);
  return endpoint;
}

}  // namespace

void Node::begin_inboxes() {
  open_.clear();
  findable_.clear();
  shared_ = 0;
  sharers_.clear();
  std::vector<std::uint8_t> known(kSharersMax * sizeof(Token));
  const std::int64_t size = api_.state_get(host_, kSharersName, known.data(), known.size());
  known.resize(size < 0 ? 0 : std::min(known.size(), static_cast<std::size_t>(size)));
  for (auto rest = std::span(known); rest.size() >= sizeof(Token);
       rest = rest.subspan(sizeof(Token))) {
    std::ranges::copy(rest.first(sizeof(Token)), sharers_.emplace_back().begin());
  }
  std::map<std::uint64_t, Inbox> inboxes;
  {
    const std::lock_guard lock(mutex_);
    inboxes = inboxes_;
  }
  for (const auto& [inbox, what] : inboxes) open(inbox, what);
}

void Node::open(std::uint64_t inbox, const Inbox& what) {
  if (const auto known = open_.find(inbox); known != open_.end()) {
    // It is asked for again: it is said again, once it is so.
    if (findable_.contains(known->second.service)) tell_inbox(inbox, known->second);
    return;
  }
  const auto token = derived<sizeof(Token)>(kTokenContext, what.secret);
  const bool shares = std::ranges::find(sharers_, token) != sharers_.end();
  const auto own = std::ranges::count_if(open_, [](const auto& entry) {
    return !entry.second.anybody && !entry.second.endpoint.token;
  });
  if (what.anybody || (!shares && own < settings_.services)) {
    const std::uint64_t service = ++last_service_;
    Opened& one = open_[inbox];
    one = {service, endpoint_of(what.secret, what.anybody), what.anybody};
    callers_.allow(service, inbox, std::nullopt, what.anybody);
    provider_->publish(service, service_of(what.secret, what.anybody));
    return;
  }
  // Who shared once does so from then on: an endpoint stays what it was.
  if (!settings_.share || (!shares && sharers_.size() >= kSharersMax)) {
    return api_.on_inbox(host_, inbox, nullptr, WHERRY_REASON_FULL);
  }
  if (!shares) {
    sharers_.push_back(token);
    keep_sharers();
  }
  const tor::Seed secret = stored_secret(kSecretName);
  Opened& one = open_[inbox];
  one.endpoint = endpoint_of(secret, false);
  one.endpoint.token = token;
  if (shared_ == 0) {
    shared_ = ++last_service_;
    provider_->publish(shared_, service_of(secret, false));
  }
  one.service = shared_;
  callers_.allow(shared_, inbox, token, false);
  if (findable_.contains(shared_)) tell_inbox(inbox, one);
}

void Node::close(std::uint64_t inbox, const Inbox& what) {
  const auto token = derived<sizeof(Token)>(kTokenContext, what.secret);
  if (std::erase(sharers_, token) != 0) keep_sharers();
  const auto known = open_.find(inbox);
  if (known == open_.end()) return;
  const Opened one = known->second;
  open_.erase(known);
  callers_.forbid(inbox);
  if (std::ranges::any_of(open_,
                          [&](const auto& entry) { return entry.second.service == one.service; })) {
    return;
  }
  provider_->withdraw(one.service);
  findable_.erase(one.service);
  if (shared_ == one.service) shared_ = 0;
}

void Node::keep_sharers() {
  std::vector<std::uint8_t> bytes;
  for (const Token& token : sharers_) bytes.insert(bytes.end(), token.begin(), token.end());
  api_.state_set(host_, kSharersName, {bytes.data(), bytes.size()});
}

void Node::tell_published(std::uint64_t service, std::int32_t reason) {
  if (reason == WHERRY_REASON_NONE) findable_.insert(service);
  std::vector<std::uint64_t> failed;
  for (const auto& [inbox, one] : open_) {
    if (one.service != service) continue;
    if (reason == WHERRY_REASON_NONE) {
      tell_inbox(inbox, one);
    } else {
      failed.push_back(inbox);
    }
  }
  // The host asks for them again.
  for (const std::uint64_t inbox : failed) {
    open_.erase(inbox);
    callers_.forbid(inbox);
    api_.on_inbox(host_, inbox, nullptr, reason);
  }
  if (failed.empty()) return;
  provider_->withdraw(service);
  findable_.erase(service);
  if (shared_ == service) shared_ = 0;
}

void Node::tell_inbox(std::uint64_t inbox, const Opened& one) {
  api_.on_inbox(host_, inbox, to_text(one.endpoint).c_str(), WHERRY_REASON_NONE);
}

}  // namespace wherry::transports::onion
