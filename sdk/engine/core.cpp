// The turn: drain, step, save, commit once, release (LevelDB's group commit). If the commit fails,
// nothing happened: memory is loaded anew, commands fail, everything else waits and is tried again.
#include "engine/core.h"

#include <algorithm>
#include <new>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/cards.h"
#include "engine/greeting.h"
#include "engine/receiving.h"
#include "engine/running.h"
#include "engine/sending.h"
#include "engine/settings.h"
#include "store/meta.h"

namespace wherry::engine {
namespace {

// Counts the times that get_ready() had to write something.
constexpr const char* kProof = "proof";

std::map<std::string, Bytes> kept_of(store::Connection& db, uint64_t transport) {
  std::map<std::string, Bytes> kept;
  for (auto& [name, value] : store::transport_states(db, transport)) {
    kept.emplace(std::move(name), std::move(value));
  }
  return kept;
}

// For each kind of report what the steps make of it.
void take(Turn& turn, const Incoming& incoming) {
  receive(turn, incoming);
}
void take(Turn& turn, const SentReport& report) {
  if (Network* network = turn.network(report.transport)) on_sent(turn, *network, report);
}
void take(Turn& turn, const StateReport& report) {
  if (Network* network = turn.network(report.transport)) on_state(turn, *network, report);
}
void take(Turn& turn, const InboxReport& report) {
  on_inbox(turn, report);
}
void take(Turn& turn, const PeerReport& report) {
  if (Network* network = turn.network(report.transport)) on_peer(turn, *network, report);
}
// Nothing changes: that there is a turn is enough, since each one flushes the networks.
void take(Turn&, const WritableReport&) {}
void take(Turn& turn, const BundleReport& report) {
  for (auto& [id, contact] : turn.profile.contacts) {
    if (contact->bundle_request != report.request) continue;
    on_bundle(turn, *contact, report);
    return;
  }
  on_published(turn, report);
}
void take(Turn& turn, const StateValue& value) {
  store::transport_state_set(turn.db, value.transport, value.name, value.value);
}
void take(Turn& turn, const StoppedReport& report) {
  if (Network* network = turn.network(report.transport)) on_stopped(turn, *network);
}

}  // namespace

Core::Core(std::unique_ptr<store::Connection> db, Env env, Log& log, plugin::PluginSet plugins,
           Feed& feed)
    : db_(std::move(db)),
      env_(env),
      log_(log),
      plugins_(std::move(plugins)),
      feed_(feed),
      inputs_(*env.executor) {}

Core::~Core() = default;

Result<std::unique_ptr<Core>> Core::make(std::unique_ptr<store::Connection> db, Env env, Log& log,
                                         plugin::PluginSet plugins, Feed& feed) {
  std::unique_ptr<Core> core(new Core(std::move(db), env, log, std::move(plugins), feed));
  Result<std::unique_ptr<Profile>> loaded = Profile::load(*core->db_);
  if (!loaded) return loaded.error();
  core->profile_ = loaded.take();
  core->identity_ = core->profile_->identity.public_key().bytes;
  core->add_networks();
  // A plug-in without what it keeps would take its relay for another.
  if (core->db_->failed()) return core->db_->take_status().error();
  if (Status ready = core->get_ready(); !ready) {
    log.warning("the disk does not work yet: " + ready.error().text);
  }
  return core;
}

void Core::add_networks() {
  for (const auto& [id, row] : profile_->transports) {
    const wherry_transport_plugin* table = plugins_.find(row.name);
    if (table == nullptr || runtime_.networks.contains(id)) continue;
    auto network = std::make_unique<Network>(id, *table, inputs_, log_, kept_of(*db_, id));
    if (Result<plugin::Settings> settings = settings_from_bytes(row.settings)) {
      network->listening = network->listening_with(*settings);
    }
    runtime_.networks.emplace(id, std::move(network));
  }
}

int64_t Core::turn() {
  const bool stalled = env_.clock->steady_ms() < stalled_until_;
  std::vector<Input> inputs = inputs_.take(stalled);
  if (stalled && inputs.empty()) return stalled_until_;
  if (Status ready = get_ready(); !ready) {
    refuse(std::move(inputs), ready.error());
    return next_while_stalled();
  }

  Turn turn(*db_, env_, log_, *profile_, runtime_);
  std::optional<Error> failure;
  try {
    step(turn, inputs, stalled);
    if (mutant(Mutant::kSendBeforeCommit)) release_sends(turn);
    if (!db_->commit()) failure = db_->error();  // a copy: it is forgotten at the next statement
  } catch (const std::bad_alloc&) {
    db_->rollback();
    failure = fail(WHERRY_E_MEMORY, "this machine is out of memory; nothing was changed");
  }
  if (failure) {
    fail_turn(turn, std::move(inputs), *failure);
    return next_while_stalled();
  }
  release(turn, inputs);
  if (empty_log_at_ && turn.now >= *empty_log_at_) {
    db_->try_empty_log();
    empty_log_at_.reset();
  }
  if (!empty_log_at_) empty_log_at_ = turn.now + limits::kHousekeeping_ms;
  return next_turn(turn.now);
}

// All that a turn changes, in an open transaction.
void Core::step(Turn& turn, const std::vector<Input>& inputs, bool stalled) {
  outcomes_.clear();
  db_->begin();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto take_one = [&](const auto& input) {
      if constexpr (std::is_same_v<decltype(input), const Command&>) {
        outcomes_.emplace_back(i, input.run(turn));
      } else {
        take(turn, input);
      }
    };
    std::visit(take_one, inputs[i]);
  }
  if (!stalled) {
    wake_due(turn);
    if (runtime_.housekeeping_at <= turn.now) runtime_.housekeeping_at = keep_cards(turn);
    networks_at_ = keep_networks(turn);
    pump_due(turn);
  }
  turn.save();
}

void Core::wake_due(Turn& turn) {
  while (!runtime_.timers.empty() && runtime_.timers.begin()->first <= turn.now) {
    const uint64_t id = runtime_.timers.begin()->second;
    runtime_.timers.erase(runtime_.timers.begin());
    if (Contact* contact = profile_->contact(id)) {
      contact->wake_at = Executor::kNever;
      turn.pump(*contact);
    }
  }
}

void Core::pump_due(Turn& turn) {
  std::vector<uint64_t> due;
  due.swap(runtime_.pump);
  for (size_t i = 0; i < due.size(); ++i) {
    if (i >= limits::kPumpContacts) {
      runtime_.pump.push_back(due[i]);  // keeps its mark: it is in the list already
    } else if (Contact* contact = profile_->contact(due[i])) {
      pump(turn, *contact);
    }
  }
}

// Without memory to tell what was committed the process ends: that loses nothing, and a caller or
// an envelope that is forgotten would.
void Core::release(Turn& turn, std::vector<Input>& inputs) noexcept {
  if (failures_ != 0) {
    failures_ = 0;
    stalled_until_ = INT64_MIN;
    turn.ephemeral.push_back({WHERRY_EVENT_STORAGE, 0, 0, 0, WHERRY_REASON_NONE, {}});
  }
  feed_.committed(profile_->next_event, std::move(turn.events));
  // Acknowledgements before all that leaves: what they name is durable now.
  std::map<uint64_t, std::vector<wherry_receipt>> receipts;
  for (const auto& [transport, receipt] : turn.receipts) receipts[transport].push_back(receipt);
  for (const auto& [transport, list] : receipts) {
    Network* network = turn.network(transport);
    if (network != nullptr && network->running()) network->instance->ack(list);
  }
  for (const auto& call : turn.calls) call();
  release_sends(turn);
  for (const Turn::CardAnswer& answer : turn.card_answers) answer.done(answer.text);
  for (const auto& [index, outcome] : outcomes_) std::get<Command>(inputs[index]).done(outcome);
  for (EphemeralEvent& event : turn.ephemeral) feed_.add(std::move(event));
  if (inputs_.room_again()) {
    for (auto& [id, network] : runtime_.networks) {
      if (network->running()) network->instance->resume_receive();
    }
  }
  add_networks();
}

void Core::release_sends(Turn& turn) {
  for (Outgoing& outgoing : turn.sends) {
    if (Network* network = turn.network(outgoing.network)) network->send(std::move(outgoing));
  }
  turn.sends.clear();
  for (auto& [id, network] : runtime_.networks) network->flush();
}

// Whether turns can be taken: the disk takes a small write, and the profile is as on it. What was
// read since the opening, or a failure, is on the disk for good then: of a process that was killed
// before its sync, SQLite reads what a loss of power may still take away. The log is emptied first:
// what it held when a sync failed is in the page cache, clean, and will never be on the disk, and
// with it everything that is written behind it. Nor is the app told of any event before.
Status Core::get_ready() {
  if (!proven_ && !mutant(Mutant::kDiskNotProven)) {
    db_->empty_log();
    if (db_->failed()) return db_->take_status();
    db_->begin();
    store::meta_set_number(*db_, kProof, store::meta_get_number(*db_, kProof, 0) + 1);
    if (!db_->commit()) return db_->take_status();
    proven_ = true;
  }
  if (profile_ == nullptr) {
    if (Status loaded = load_again(); !loaded) return loaded;
  }
  if (feeding_) return {};
  Status begun = feed_.begin(profile_->next_event);
  feeding_ = begun.ok();
  return begun;
}

// After a failed turn: what memory has of it was never stored.
Status Core::load_again() {
  Result<std::unique_ptr<Profile>> loaded = Profile::load(*db_);
  db_->forgive();
  if (!loaded) return loaded.error();
  profile_ = loaded.take();
  runtime_.timers.clear();
  runtime_.pump.clear();
  runtime_.housekeeping_at = stalled_until_;
  for (auto& [id, contact] : profile_->contacts) {
    contact->pump = true;
    runtime_.pump.push_back(id);
  }
  return {};
}

// Nothing can be stored for now. Commands fail, whatever their steps said: what these read may not
// have been there for this reason. Everything else waits, and is tried again with back-off.
void Core::refuse(std::vector<Input> inputs, const Error& error) {
  if (failures_ == 0) {
    const bool memory = error.status == WHERRY_E_MEMORY;
    log_.error("nothing can be stored: " + error.text);
    feed_.add(
        {WHERRY_EVENT_STORAGE, 0, 0, 0, memory ? WHERRY_REASON_RESOURCE : WHERRY_REASON_DISK, {}});
  }
  proven_ = false;
  stalled_until_ =
      env_.clock->steady_ms() +
      delivery::backoff_ms(limits::kDiskRetryFirst_ms, limits::kDiskRetryMax_ms, ++failures_);
  std::vector<Input> kept;
  for (Input& input : inputs) {
    if (const auto* command = std::get_if<Command>(&input)) {
      command->done(error);
    } else {
      kept.push_back(std::move(input));
    }
  }
  inputs_.put_back(std::move(kept));
}

// `error` is the caller's: the connection forgets its own on the way.
void Core::fail_turn(Turn& turn, std::vector<Input> inputs, const Error& error) {
  db_->forgive();
  turn.withdraw();
  for (auto& [id, contact] : profile_->contacts) {
    for (const PathEntry& path : contact->paths) {
      Network* network = turn.network(path.transport);
      if (path.peer != 0 && network != nullptr && network->running()) {
        network->instance->remove_peer(path.peer);
      }
    }
  }
  for (auto& [id, network] : runtime_.networks) {
    network->forget_all();
    // Those that this turn was to open were not.
    if (network->running()) network->reopen_at = turn.now;
  }
  profile_.reset();
  for (const Turn::CardAnswer& answer : turn.card_answers) answer.done(error);
  for (const CardWait& wait : runtime_.card_waits) wait.done(error);
  runtime_.card_waits.clear();
  refuse(std::move(inputs), error);
}

// Whoever waits for an answer gets it, however long the disk does not work.
int64_t Core::next_while_stalled() const {
  return inputs_.has_commands() ? env_.clock->steady_ms() : stalled_until_;
}

int64_t Core::next_turn(int64_t now) {
  if (!inputs_.empty() || !runtime_.pump.empty()) return now;
  int64_t next = std::min(runtime_.housekeeping_at, networks_at_);
  if (!runtime_.timers.empty()) next = std::min(next, runtime_.timers.begin()->first);
  return next;
}

void Core::answer_all(const Error& error) {
  for (std::vector<Input> left = inputs_.take(true); !left.empty(); left = inputs_.take(true)) {
    for (Input& input : left) std::get<Command>(input).done(error);
  }
  for (const CardWait& wait : runtime_.card_waits) wait.done(error);
  runtime_.card_waits.clear();
}

void Core::shut_down() {
  for (auto& [id, network] : runtime_.networks) {
    if (network->running()) network->stop();
  }
  const int64_t deadline = env_.clock->steady_ms() + limits::kCloseTransports_ms;
  for (auto& [id, network] : runtime_.networks) {
    network->join(std::max<int64_t>(0, deadline - env_.clock->steady_ms()));
  }
}

}  // namespace wherry::engine
