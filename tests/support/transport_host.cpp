// The recording host: the plug-in's functions, and what the plug-in said.
// The host table's functions, with the rules they check, are in transport_host_calls.cpp.
#include "tests/support/transport_host.h"

#include "tests/support/transport_host_calls.h"

namespace wherry::test {
namespace {

constexpr std::int64_t kStopLimitMs = 10'000;

}  // namespace

TransportHost::TransportHost(const wherry_transport_plugin& plugin, Pump& pump, Settings settings,
                             HostMemory* memory)
    : plugin_(plugin),
      pump_(pump),
      settings_(std::move(settings)),
      memory_(memory != nullptr ? *memory : own_memory_) {}

TransportHost::~TransportHost() {
  if (transport_ == nullptr) return;
  Life life = Life::kNone;
  {
    const std::lock_guard lock(mutex_);
    life = life_;
  }
  if (life == Life::kRunning) stop();
  if (life == Life::kRunning || life == Life::kStopping) {
    pump_.until([this] { return stopped_count() > 0; }, kStopLimitMs);
  }
  destroy();
}

// Runs one plug-in function, noting which thread is inside it.
template <typename Function>
auto TransportHost::call(Function&& function) {
  {
    const std::lock_guard lock(mutex_);
    if (in_plugin_) violation("the test called the plug-in twice at once");
    in_plugin_ = true;
    plugin_thread_ = std::this_thread::get_id();
  }
  struct Leave {
    TransportHost& host;
    ~Leave() {
      const std::lock_guard lock(host.mutex_);
      host.in_plugin_ = false;
    }
  } leave{*this};
  return function();
}

Settings TransportHost::settings_with_defaults() const {
  Settings all = settings_;
  const wherry_transport_description& description = *plugin_.describe();
  for (std::size_t i = 0; i < description.setting_count; ++i) {
    const wherry_setting_description& known = description.settings[i];
    bool given = false;
    for (const auto& setting : settings_) given = given || setting.first == known.name;
    if (!given && known.default_value != nullptr) all.emplace_back(known.name, known.default_value);
  }
  return all;
}

std::int32_t TransportHost::create() {
  const Settings all = settings_with_defaults();
  std::vector<wherry_setting> settings;
  settings.reserve(all.size());
  for (const auto& [name, value] : all) settings.push_back({name.c_str(), value.c_str()});
  const std::int32_t status = call([&] {
    return plugin_.create(&transport_, &kHostTable, reinterpret_cast<wherry_transport_host*>(this),
                          settings.data(), settings.size());
  });
  const std::lock_guard lock(mutex_);
  if (status == WHERRY_TRANSPORT_OK) {
    if (transport_ == nullptr) violation("create: OK, but no instance");
    life_ = Life::kCreated;
  } else {
    transport_ = nullptr;
  }
  return status;
}

std::int32_t TransportHost::start() {
  {
    const std::lock_guard lock(mutex_);
    life_ = Life::kRunning;
    stopped_count_ = 0;
    receipts_.clear();
  }
  const std::int32_t status = call([&] { return plugin_.start(transport_); });
  if (status != WHERRY_TRANSPORT_OK) {
    const std::lock_guard lock(mutex_);
    life_ = Life::kStopped;
  }
  return status;
}

void TransportHost::stop() {
  {
    const std::lock_guard lock(mutex_);
    life_ = Life::kStopping;
  }
  call([&] { plugin_.stop(transport_); });
}

void TransportHost::destroy() {
  call([&] { plugin_.destroy(transport_); });
  transport_ = nullptr;
  const std::lock_guard lock(mutex_);
  life_ = Life::kDestroyed;
}

void TransportHost::update(std::uint32_t flags) {
  call([&] { plugin_.update(transport_, flags); });
}

std::int32_t TransportHost::open_inbox(std::uint64_t inbox, const Bytes& secret,
                                       std::int32_t audience) {
  bool added = false;
  {
    const std::lock_guard lock(mutex_);
    added = inboxes_.insert(inbox).second;
  }
  const std::int32_t status =
      call([&] { return plugin_.open_inbox(transport_, inbox, secret.data(), audience); });
  if (status != WHERRY_TRANSPORT_OK && added) {
    const std::lock_guard lock(mutex_);
    inboxes_.erase(inbox);
  }
  return status;
}

std::int32_t TransportHost::close_inbox(std::uint64_t inbox) {
  const std::int32_t status = call([&] { return plugin_.close_inbox(transport_, inbox); });
  return status;
}

std::int32_t TransportHost::add_peer(std::uint64_t peer, const std::string& endpoint,
                                     wherry_reveals* reveals) {
  wherry_reveals ignored{};
  {
    const std::lock_guard lock(mutex_);
    peers_.insert(peer);
  }
  return call([&] {
    return plugin_.add_peer(transport_, peer, endpoint.c_str(), nullptr,
                            reveals != nullptr ? reveals : &ignored);
  });
}

std::int32_t TransportHost::remove_peer(std::uint64_t peer) {
  return call([&] { return plugin_.remove_peer(transport_, peer); });
}

std::int32_t TransportHost::connect_peer(std::uint64_t peer) {
  return call([&] { return plugin_.connect_peer(transport_, peer); });
}

std::int32_t TransportHost::send(const std::vector<wherry_outgoing>& envelopes,
                                 std::size_t* accepted) {
  {
    const std::lock_guard lock(mutex_);
    for (const wherry_outgoing& envelope : envelopes) {
      // The plug-in may answer from within the call, so the ids are known before it.
      send_ids_.insert(envelope.send_id);
      if (envelope.send_id > last_send_id_) last_send_id_ = envelope.send_id;
    }
  }
  *accepted = 0;
  const std::int32_t status =
      call([&] { return plugin_.send(transport_, envelopes.data(), envelopes.size(), accepted); });
  const std::lock_guard lock(mutex_);
  if (*accepted > envelopes.size()) {
    violation("send: accepted more than it was given");
    *accepted = envelopes.size();
  }
  for (std::size_t i = *accepted; i < envelopes.size(); ++i) {
    if (sent_.contains(envelopes[i].send_id)) violation("on_sent for what was not accepted");
    send_ids_.erase(envelopes[i].send_id);
  }
  return status;
}

std::uint64_t TransportHost::send_one(std::uint64_t peer, const Bytes& envelope) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = last_send_id_ + 1;
  }
  std::size_t accepted = 0;
  send({{peer, 0, id, {envelope.data(), envelope.size()}}}, &accepted);
  return accepted == 1 ? id : 0;
}

std::int32_t TransportHost::ack(std::uint64_t inbox, std::uint64_t receipt) {
  const wherry_receipt one{inbox, receipt};
  return call([&] { return plugin_.ack(transport_, &one, 1); });
}

std::int32_t TransportHost::ack(const std::vector<Received>& received) {
  std::vector<wherry_receipt> receipts;
  receipts.reserve(received.size());
  for (const Received& one : received) receipts.push_back({one.inbox, one.receipt});
  return call([&] { return plugin_.ack(transport_, receipts.data(), receipts.size()); });
}

void TransportHost::resume_receive() {
  call([&] { plugin_.resume_receive(transport_); });
}

std::int32_t TransportHost::put_bundle(std::uint64_t request, const Bytes& locator,
                                       const Bytes& owner, const Bytes& bundle,
                                       std::uint32_t time_to_live_s) {
  {
    const std::lock_guard lock(mutex_);
    requests_.insert(request);
  }
  return call([&] {
    return plugin_.put_bundle(transport_, request, locator.data(), owner.data(),
                              {bundle.data(), bundle.size()}, time_to_live_s);
  });
}

std::int32_t TransportHost::get_bundle(std::uint64_t request, const std::string& endpoint,
                                       const Bytes& locator) {
  {
    const std::lock_guard lock(mutex_);
    requests_.insert(request);
  }
  return call(
      [&] { return plugin_.get_bundle(transport_, request, endpoint.c_str(), locator.data()); });
}

std::int32_t TransportHost::recall(std::uint64_t peer, std::uint64_t send_id) {
  return call([&] { return plugin_.recall(transport_, peer, send_id); });
}

bool TransportHost::start_and_wait(std::int64_t limit_ms) {
  return start() == WHERRY_TRANSPORT_OK && wait_online(limit_ms);
}

bool TransportHost::wait_online(std::int64_t limit_ms) {
  const auto settled = [this] {
    const std::int32_t now = state();
    return now == WHERRY_TRANSPORT_STATE_ONLINE || now == WHERRY_TRANSPORT_STATE_DEGRADED ||
           now == WHERRY_TRANSPORT_STATE_FAILED;
  };
  constexpr int kAttemptsMax = 20;
  constexpr std::int64_t kAttemptPauseMs = 50;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    if (!pump_.until(settled, limit_ms)) return false;
    if (state() == WHERRY_TRANSPORT_STATE_ONLINE) return true;
    if (state() == WHERRY_TRANSPORT_STATE_FAILED) return false;
    connect_peer(0);
    pump_.until([this] { return state() != WHERRY_TRANSPORT_STATE_DEGRADED; }, kAttemptPauseMs);
  }
  return state() == WHERRY_TRANSPORT_STATE_ONLINE;
}

bool TransportHost::stop_and_wait(std::int64_t limit_ms) {
  stop();
  return pump_.until([this] { return stopped_count() > 0; }, limit_ms);
}

void TransportHost::set_room(std::optional<std::size_t> envelopes) {
  const std::lock_guard lock(mutex_);
  room_ = envelopes;
}

std::vector<StateReport> TransportHost::states() const {
  const std::lock_guard lock(mutex_);
  return states_;
}

std::int32_t TransportHost::state() const {
  const std::lock_guard lock(mutex_);
  return states_.empty() ? std::int32_t{WHERRY_TRANSPORT_STATE_OFF} : states_.back().state;
}

std::vector<InboxReport> TransportHost::inbox_reports() const {
  const std::lock_guard lock(mutex_);
  return inbox_reports_;
}

std::optional<std::string> TransportHost::endpoint(std::uint64_t inbox) const {
  const std::lock_guard lock(mutex_);
  for (auto report = inbox_reports_.rbegin(); report != inbox_reports_.rend(); ++report) {
    if (report->inbox == inbox) return report->endpoint;
  }
  return std::nullopt;
}

std::vector<PeerReport> TransportHost::peer_reports() const {
  const std::lock_guard lock(mutex_);
  return peer_reports_;
}

std::vector<Received> TransportHost::received() const {
  return received_since(0);
}

std::vector<Received> TransportHost::received_since(std::size_t from) const {
  const std::lock_guard lock(mutex_);
  if (from >= received_.size()) return {};
  return {received_.begin() + static_cast<std::ptrdiff_t>(from), received_.end()};
}

std::size_t TransportHost::received_count() const {
  const std::lock_guard lock(mutex_);
  return received_.size();
}

std::size_t TransportHost::offered_count() const {
  const std::lock_guard lock(mutex_);
  return offered_count_;
}

std::vector<SentReport> TransportHost::sent(std::uint64_t send_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = sent_.find(send_id);
  return found == sent_.end() ? std::vector<SentReport>{} : found->second;
}

std::optional<SentReport> TransportHost::last_sent(std::uint64_t send_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = sent_.find(send_id);
  if (found == sent_.end()) return std::nullopt;
  return found->second.back();
}

std::size_t TransportHost::writable_count() const {
  const std::lock_guard lock(mutex_);
  return writable_count_;
}

std::optional<BundleReport> TransportHost::bundle(std::uint64_t request) const {
  const std::lock_guard lock(mutex_);
  const auto found = bundles_.find(request);
  if (found == bundles_.end()) return std::nullopt;
  return found->second;
}

std::size_t TransportHost::stopped_count() const {
  const std::lock_guard lock(mutex_);
  return stopped_count_;
}

std::vector<std::string> TransportHost::log_lines(std::int32_t level) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [its_level, text] : log_lines_) {
    if (its_level <= level) lines.push_back(text);
  }
  return lines;
}

bool TransportHost::running() const {
  const std::lock_guard lock(mutex_);
  return life_ == Life::kRunning;
}

std::vector<std::string> TransportHost::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

}  // namespace wherry::test
