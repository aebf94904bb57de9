// The network of the loopback transport: inboxes and bundles in memory.
#include "transports/loopback/hub.h"

#include <algorithm>

#include "transports/common/crypto.h"
#include "transports/loopback/limits.h"

namespace wherry::loopback {
namespace {

// Before the first fetch, and after an attach, everything is to be fetched.
constexpr std::uint64_t kFromTheOldest = 0;

bool id_below(const Stored& stored, std::uint64_t id) {
  return stored.id < id;
}

}  // namespace

std::shared_ptr<Hub> Hub::named(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<Hub>> hubs;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Hub>& hub = hubs[name];
  if (hub == nullptr) hub = std::make_shared<Hub>();
  return hub;
}

Hub::Hub() {
  transports::random_bytes(id_);
}

bool Hub::attach(const Address& address, const Token& token, Reader* reader) {
  const std::lock_guard lock(mutex_);
  if (inboxes_.size() >= kInboxesMax && !inboxes_.contains(address)) return false;
  Inbox& inbox = inboxes_[address];
  inbox.token = token;
  inbox.reader = reader;
  inbox.next_fetch = kFromTheOldest;
  if (!inbox.envelopes.empty()) reader->wake();
  return true;
}

void Hub::detach(Reader* reader) {
  const std::lock_guard lock(mutex_);
  for (auto& [address, inbox] : inboxes_) {
    if (inbox.reader == reader) inbox.reader = nullptr;
  }
}

void Hub::close(const Address& address) {
  const std::lock_guard lock(mutex_);
  inboxes_.erase(address);
}

wherry_reason Hub::store(const Address& address, const Token& token, Bytes envelope) {
  const std::lock_guard lock(mutex_);
  const auto found = inboxes_.find(address);
  if (found == inboxes_.end()) return WHERRY_REASON_NOT_FOUND;
  Inbox& inbox = found->second;
  if (!transports::equal_in_constant_time(inbox.token, token)) return WHERRY_REASON_NOT_ALLOWED;
  if (inbox.envelopes.size() >= kInboxEnvelopesMax ||
      inbox.bytes + envelope.size() > kInboxBytesMax) {
    return WHERRY_REASON_FULL;
  }
  inbox.bytes += envelope.size();
  inbox.envelopes.push_back({next_id_++, std::move(envelope)});
  if (inbox.reader != nullptr) inbox.reader->wake();
  return WHERRY_REASON_NONE;
}

std::vector<Stored> Hub::fetch(const Address& address, std::size_t count) {
  const std::lock_guard lock(mutex_);
  const auto found = inboxes_.find(address);
  if (found == inboxes_.end()) return {};
  Inbox& inbox = found->second;
  const auto first =
      std::lower_bound(inbox.envelopes.begin(), inbox.envelopes.end(), inbox.next_fetch, id_below);
  const auto left = static_cast<std::size_t>(inbox.envelopes.end() - first);
  const auto last = first + static_cast<std::ptrdiff_t>(std::min(count, left));
  std::vector<Stored> fetched(first, last);
  if (!fetched.empty()) inbox.next_fetch = fetched.back().id + 1;
  return fetched;
}

void Hub::rewind(const Address& address, std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = inboxes_.find(address);
  if (found != inboxes_.end()) found->second.next_fetch = id;
}

void Hub::erase(const Address& address, std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = inboxes_.find(address);
  if (found == inboxes_.end()) return;
  Inbox& inbox = found->second;
  const auto at = std::lower_bound(inbox.envelopes.begin(), inbox.envelopes.end(), id, id_below);
  if (at == inbox.envelopes.end() || at->id != id) return;
  inbox.bytes -= at->envelope.size();
  inbox.envelopes.erase(at);
}

wherry_reason Hub::put_bundle(const Locator& locator, const Owner& owner, Bytes bundle,
                              std::chrono::seconds time_to_live) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  std::erase_if(bundles_, [&](const auto& entry) { return entry.second.expires <= now; });
  const auto found = bundles_.find(locator);
  if (found == bundles_.end() && bundles_.size() >= kBundlesMax) return WHERRY_REASON_QUOTA;
  if (found != bundles_.end() && !transports::equal_in_constant_time(found->second.owner, owner)) {
    return WHERRY_REASON_NOT_ALLOWED;
  }
  bundles_[locator] = {owner, std::move(bundle), now + time_to_live};
  return WHERRY_REASON_NONE;
}

std::optional<Bytes> Hub::get_bundle(const Locator& locator) {
  const std::lock_guard lock(mutex_);
  const auto found = bundles_.find(locator);
  if (found == bundles_.end() || found->second.expires <= std::chrono::steady_clock::now()) {
    return std::nullopt;
  }
  return found->second.bytes;
}

}  // namespace wherry::loopback
