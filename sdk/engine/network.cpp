// The life of an instance, its send queue, and its reports as inputs.
#include "engine/network.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/limits.h"

namespace wherry::engine {

Network::Network(uint64_t id, const wherry_transport_plugin& table, Inputs& inputs, Log& log,
                 std::map<std::string, Bytes> kept)
    : listening(plugin::describe(table).reveals_worst),
      id_(id),
      table_(table),
      inputs_(inputs),
      log_(log),
      kept_(std::move(kept)) {}

// What the plug-in complains of meanwhile tells more than that it refuses.
Result<std::unique_ptr<plugin::Instance>> Network::make(const plugin::Settings& settings) {
  {
    std::lock_guard lock(mutex_);
    complaint_.emplace();
  }
  Result<std::unique_ptr<plugin::Instance>> made =
      plugin::Instance::create(table_, *this, settings);
  std::lock_guard lock(mutex_);
  const std::string complaint = *std::exchange(complaint_, std::nullopt);
  if (made || complaint.empty()) return made;
  return Error{made.error().status, made.error().reason, complaint};
}

Status Network::try_settings(const plugin::Settings& settings) {
  Result<std::unique_ptr<plugin::Instance>> made = make(settings);
  if (!made) return made.error();
  return {};
}

wherry_reveals Network::listening_with(const plugin::Settings& settings) const {
  return plugin::listening(table_, settings);
}

Status Network::create(const plugin::Settings& settings) {
  Result<std::unique_ptr<plugin::Instance>> made = make(settings);
  if (!made) return made.error();
  instance = made.take();
  inboxes.clear();
  refused.clear();
  state = WHERRY_TRANSPORT_STATE_STARTING;
  percent = 0;
  reason = WHERRY_REASON_NONE;
  reconnects = 0;
  reconnect_at = Executor::kNever;
  return {};
}

void Network::start() {
  if (!created_only() || stopping) return;
  started_ = true;
  {
    std::lock_guard lock(mutex_);
    stopped_ = false;
  }
  if (instance->start()) return;
  started_ = false;
  on_state(WHERRY_TRANSPORT_STATE_FAILED, 0, WHERRY_REASON_RESOURCE, "");
  on_stopped();
}

void Network::stop() {
  if (!running()) return;
  stopping = true;
  state = WHERRY_TRANSPORT_STATE_OFF;
  phase.clear();
  reconnect_at = Executor::kNever;
  forget_all();
  // One that never started has nothing to stop, and would never say that it has stopped.
  if (created_only()) {
    on_stopped();
  } else {
    instance->stop();
  }
}

void Network::destroy() {
  instance.reset();
  state = WHERRY_TRANSPORT_STATE_OFF;
  started_ = false;
  stopping = false;
  crowded = false;
  forget_all();
}

void Network::join(int64_t timeout_ms) {
  if (instance == nullptr) return;
  {
    std::unique_lock lock(mutex_);
    stopped_changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                              [this] { return stopped_; });
  }
  destroy();
}

void Network::send(Outgoing outgoing) {
  queue_.push_back(std::move(outgoing));
}

plugin::Instance::Sent Network::offer(size_t count) {
  std::vector<wherry_outgoing> batch;
  batch.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const Outgoing& outgoing = queue_[i];
    batch.push_back({outgoing.peer,
                     outgoing.peer,
                     outgoing.send_id,
                     {outgoing.envelope.data(), outgoing.envelope.size()}});
  }
  const plugin::Instance::Sent sent = instance->send(batch);
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(sent.accepted));
  return sent;
}

// A batch is refused whole, and nobody says for which envelope: then each is offered alone, and
// what is refused alone has failed, so that it stands in nobody's way.
void Network::flush() {
  if (!running() || queue_.empty() || !offer(queue_.size()).refused) return;
  while (!queue_.empty()) {
    const plugin::Instance::Sent sent = offer(1);
    if (!sent.refused && sent.accepted == 0) return;
    if (!sent.refused) continue;
    on_sent(queue_.front().send_id, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_REFUSED);
    queue_.pop_front();
  }
}

size_t Network::room() const {
  return flights.size() >= limits::kInFlight ? 0 : limits::kInFlight - flights.size();
}

size_t Network::room_for(uint64_t contact) const {
  const auto theirs = flights_of_.find(contact);
  const size_t used = theirs == flights_of_.end() ? 0 : theirs->second;
  const size_t share = (room() + used) / 4;
  return std::min(room(), share > used ? share - used : 0);
}

bool Network::has_room(uint64_t contact) {
  crowded = crowded || room() == 0;
  return room_for(contact) != 0;
}

void Network::begin_flight(uint64_t send_id, const Flight& flight) {
  flights.emplace(send_id, flight);
  ++flights_of_[flight.contact];
}

void Network::set_handed(uint64_t send_id, const Flight& flight) {
  handed.emplace(send_id, flight);
  // Nothing need ever be said of it again: only the newest are remembered.
  if (handed.size() > limits::kInFlight) handed.erase(handed.begin());
}

std::optional<Network::Flight> Network::end_flight(uint64_t send_id) {
  if (const auto node = flights.extract(send_id)) {
    const auto theirs = flights_of_.find(node.mapped().contact);
    if (--theirs->second == 0) flights_of_.erase(theirs);
    return node.mapped();
  }
  if (const auto node = handed.extract(send_id)) return node.mapped();
  return std::nullopt;
}

void Network::forget_peer(uint64_t peer, uint64_t contact) {
  std::erase_if(queue_, [peer](const Outgoing& outgoing) { return outgoing.peer == peer; });
  const auto is_theirs = [peer](const auto& flight) { return flight.second.peer == peer; };
  const auto theirs = flights_of_.find(contact);
  const size_t count = std::erase_if(flights, is_theirs);
  if (theirs != flights_of_.end() && (theirs->second -= count) == 0) flights_of_.erase(theirs);
  std::erase_if(handed, is_theirs);
  contact_by_peer.erase(peer);
}

void Network::forget_all() {
  queue_.clear();
  flights.clear();
  flights_of_.clear();
  handed.clear();
  contact_by_peer.clear();
}

void Network::open_inbox(uint64_t inbox, const Secret<32>& secret, store::InboxKind kind) {
  const int32_t audience =
      kind == store::InboxKind::kCard ? WHERRY_AUDIENCE_ANYBODY : WHERRY_AUDIENCE_CONTACT;
  if (!running() || instance->open_inbox(inbox, secret, audience)) return;
  on_inbox(inbox, "", WHERRY_REASON_REFUSED);
}

void Network::put_bundle(uint64_t request, const Bytes32& locator, const Secret<32>& owner,
                         ByteView bundle, uint32_t time_to_live_s) {
  if (running() && instance->put_bundle(request, locator, owner, bundle, time_to_live_s)) return;
  on_bundle(request, std::nullopt, WHERRY_REASON_REFUSED);
}

void Network::get_bundle(uint64_t request, const std::string& endpoint, const Bytes32& locator) {
  if (running() && instance->get_bundle(request, endpoint, locator)) return;
  on_bundle(request, std::nullopt, WHERRY_REASON_REFUSED);
}

void Network::on_state(int32_t new_state, int32_t new_percent, int32_t new_reason,
                       std::string new_phase) {
  inputs_.push(StateReport{id_, new_state, new_percent, new_reason, std::move(new_phase)});
}

void Network::on_inbox(uint64_t inbox, std::string endpoint, int32_t why) {
  inputs_.push(InboxReport{id_, inbox, std::move(endpoint), why});
}

void Network::on_peer(uint64_t peer, int32_t new_state, int32_t why) {
  inputs_.push(PeerReport{id_, peer, new_state, why});
}

void Network::on_writable() {
  inputs_.push(WritableReport{id_});
}

bool Network::on_receive(uint64_t inbox, uint64_t receipt, ByteView envelope) {
  // What is larger than any envelope is not copied; as an empty one it is refused in its turn.
  if (envelope.size() > limits::kEnvelopeSizeMax) envelope = {};
  return inputs_.offer(Incoming{id_, inbox, receipt, Bytes(envelope.begin(), envelope.end())});
}

void Network::on_sent(uint64_t send_id, int32_t outcome, int32_t why) {
  inputs_.push(SentReport{id_, send_id, outcome, why});
}

void Network::on_bundle(uint64_t request, std::optional<Bytes> bundle, int32_t why) {
  const bool found = bundle.has_value();
  inputs_.push(BundleReport{id_, request, found, found ? std::move(*bundle) : Bytes(), why});
}

void Network::on_stopped() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stopped_changed_.notify_all();
  inputs_.push(StoppedReport{id_});
}

std::optional<Bytes> Network::state_get(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto found = kept_.find(name);
  if (found == kept_.end()) return std::nullopt;
  return found->second;
}

Status Network::state_set(const std::string& name, ByteView value) {
  if (name.empty() || name.size() > limits::kStateKeyMax || value.size() > limits::kStateValueMax) {
    return fail(WHERRY_E_ARGUMENT, "a plug-in's state is too large");
  }
  {
    std::lock_guard lock(mutex_);
    if (value.empty()) {
      kept_.erase(name);
    } else {
      if (!kept_.contains(name) && kept_.size() >= limits::kStateKeys) {
        return fail(WHERRY_E_ARGUMENT, "a plug-in keeps too many values");
      }
      kept_[name].assign(value.begin(), value.end());
    }
  }
  inputs_.push(StateValue{id_, name, Bytes(value.begin(), value.end())});
  return {};
}

void Network::log(int32_t level, const std::string& text) {
  if (level < WHERRY_LOG_ERROR || level > WHERRY_LOG_DEBUG) level = WHERRY_LOG_DEBUG;
  {
    std::lock_guard lock(mutex_);
    if (complaint_ && level <= WHERRY_LOG_WARNING) complaint_ = text;
  }
  log_.write(static_cast<LogLevel>(level), std::string(table_.describe()->name) + ": " + text);
}

}  // namespace wherry::engine
