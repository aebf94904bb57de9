// Opening, closing, and waiting for turns.
#include "engine/engine.h"

#include <chrono>

#include "base/limits.h"
#include "crypto/init.h"
#include "engine/cards.h"
#include "engine/commands.h"
#include "engine/leaving.h"
#include "engine/running.h"

namespace wherry::engine {
namespace {

Error closed_error() {
  return fail(WHERRY_E_CLOSED, "the profile was closed");
}

// Why a message waits is kept once, with its conversation.
void set_waiting_reason(store::MessageRow& row, const store::ConversationRow& conversation) {
  if (row.author == 0 && row.evidence == WHERRY_EVIDENCE_QUEUED) row.reason = conversation.waiting;
}

// Something that a turn answers and a caller waits for.
template <typename T>
class Answer {
 public:
  void set(T value) {
    {
      std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    set_.notify_one();
  }
  T wait() {
    std::unique_lock lock(mutex_);
    set_.wait(lock, [this] { return value_.has_value(); });
    return std::move(*value_);
  }
  bool wait_for(int64_t milliseconds) {
    std::unique_lock lock(mutex_);
    return set_.wait_for(lock, std::chrono::milliseconds(milliseconds),
                         [this] { return value_.has_value(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable set_;
  std::optional<T> value_;
};

}  // namespace

Engine::Engine(Options options) : log_(options.log_level, std::move(options.log)) {}

Result<std::unique_ptr<Engine>> Engine::create(const std::string& path, const store::Key& key,
                                               Options options) {
  if (!crypto::init()) return fail(WHERRY_E_MEMORY, "this machine has no source of randomness");
  Result<plugin::PluginSet> plugins = plugin::PluginSet::make(options.plugins);
  if (!plugins) return plugins.error();
  const bool full_sync = options.full_sync;
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  Result<std::unique_ptr<store::ProfileFiles>> files = store::ProfileFiles::create(
      path, key, full_sync, engine->random_,
      [&](store::Connection& db) { return Profile::found(db, engine->random_); });
  if (!files) return files.error();
  return start(std::move(engine), files.take(), plugins.take());
}

Result<std::unique_ptr<Engine>> Engine::open(const std::string& path, const store::Key& key,
                                             Options options) {
  if (!crypto::init()) return fail(WHERRY_E_MEMORY, "this machine has no source of randomness");
  Result<plugin::PluginSet> plugins = plugin::PluginSet::make(options.plugins);
  if (!plugins) return plugins.error();
  const bool full_sync = options.full_sync;
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  Result<std::unique_ptr<store::ProfileFiles>> files =
      store::ProfileFiles::open(path, key, full_sync);
  if (!files) return files.error();
  return start(std::move(engine), files.take(), plugins.take());
}

Result<std::unique_ptr<Engine>> Engine::start(std::unique_ptr<Engine> engine,
                                              std::unique_ptr<store::ProfileFiles> files,
                                              plugin::PluginSet plugins) {
  engine->files_ = std::move(files);
  auto writer = engine->files_->connect(false);
  if (!writer) return writer.error();
  auto reader = engine->files_->connect(true);
  if (!reader) return reader.error();
  auto feed_reader = engine->files_->connect(true);
  if (!feed_reader) return feed_reader.error();
  engine->reader_ = reader.take();
  Result<std::unique_ptr<Feed>> feed = Feed::make(feed_reader.take());
  if (!feed) return feed.error();
  engine->feed_ = feed.take();
  const Env env{&engine->clock_, &engine->random_, &engine->executor_};
  Result<std::unique_ptr<Core>> core =
      Core::make(writer.take(), env, engine->log_, std::move(plugins), *engine->feed_);
  if (!core) return core.error();
  engine->core_ = core.take();
  engine->executor_.start([core = engine->core_.get()] { return core->turn(); });
  return engine;
}

Engine::~Engine() {
  close();
  // The writing connection goes last: only that one can fold the log into the database.
  reader_.reset();
  feed_.reset();
}

void Engine::close() {
  if (core_ == nullptr) return;
  {
    std::lock_guard lock(close_mutex_);
    if (closed_) return;
    closed_ = true;
  }
  feed_->close();
  // Calls under way end with their turns, and so does everything that was queued before them: a
  // turn takes inputs in their order. Each wait is bounded, should the disk hang.
  {
    std::unique_lock lock(close_mutex_);
    call_done_.wait_for(lock, std::chrono::milliseconds(limits::kCloseCalls_ms),
                        [this] { return calls_ == 0; });
  }
  auto drained = std::make_shared<Answer<Status>>();
  core_->inputs().push(Command{[](Turn&) -> Status { return {}; },
                               [drained](const Status& outcome) { drained->set(outcome); }});
  if (!drained->wait_for(limits::kCloseDrain_ms)) {
    log_.warning("closed while the disk did not answer; what was not acknowledged comes again");
  }
  executor_.stop();
  core_->shut_down();
  core_->answer_all(closed_error());
  submit_changed_.notify_all();
}

Status Engine::call(std::function<Status(Turn&)> run, size_t weight) {
  const Visit visit(*this);
  if (!visit.admitted) return closed_error();
  auto answer = std::make_shared<Answer<Status>>();
  core_->inputs().add(
      Command{std::move(run), [answer](const Status& outcome) { answer->set(outcome); }, weight});
  if (!executor_.try_turn()) executor_.wake();
  return answer->wait();
}

Engine::Visit::Visit(Engine& engine) : engine_(engine) {
  std::lock_guard lock(engine_.close_mutex_);
  admitted = !engine_.closed_;
  if (admitted) ++engine_.calls_;
}

Engine::Visit::~Visit() {
  if (!admitted) return;
  {
    std::lock_guard lock(engine_.close_mutex_);
    --engine_.calls_;
  }
  engine_.call_done_.notify_all();
}

Result<uint64_t> Engine::transport_add(const std::string& name, const plugin::Settings& settings) {
  uint64_t id = 0;
  Status outcome = call([&](Turn& turn) -> Status {
    Result<uint64_t> added = add_transport(turn, plugins(), name, settings);
    if (!added) return added.error();
    id = *added;
    return {};
  });
  if (!outcome) return outcome.error();
  return id;
}

Status Engine::transport_set(uint64_t transport, const plugin::Settings& changes) {
  return call([&](Turn& turn) { return set_transport(turn, plugins(), transport, changes); });
}

Status Engine::transport_start(uint64_t transport) {
  return call([&](Turn& turn) { return run_transport(turn, transport, true); });
}

Status Engine::transport_stop(uint64_t transport) {
  return call([&](Turn& turn) { return run_transport(turn, transport, false); });
}

Status Engine::update(uint32_t changes) {
  return call([&](Turn& turn) {
    update_networks(turn, changes);
    return Status();
  });
}

Result<std::vector<TransportView>> Engine::transports() {
  std::vector<TransportView> views;
  Status outcome = call([&](Turn& turn) -> Status {
    keep_networks(turn);  // the first turn may not have come yet
    for (const auto& [id, row] : turn.profile.transports) {
      TransportView view{row, 0, 0, 0};
      if (const Network* network = turn.network(id)) {
        view.state = network->state;
        view.percent = network->percent;
        view.reason = network->reason;
      }
      views.push_back(std::move(view));
    }
    return {};
  });
  if (!outcome) return outcome.error();
  return views;
}

Result<std::string> Engine::card_make(uint64_t transport, int64_t valid_s) {
  auto answer = std::make_shared<Answer<Result<std::string>>>();
  Status outcome = call([&](Turn& turn) {
    return make_card(turn, transport, valid_s,
                     [answer](Result<std::string> text) { answer->set(std::move(text)); });
  });
  if (!outcome) return outcome.error();
  return answer->wait();
}

Result<uint64_t> Engine::contact_add(const std::string& card,
                                     const std::optional<std::string>& name) {
  uint64_t id = 0;
  Status outcome = call([&](Turn& turn) -> Status {
    Result<uint64_t> added = add_by_card(turn, card, name);
    if (!added) return added.error();
    id = *added;
    return {};
  });
  if (!outcome) return outcome.error();
  return id;
}

Status Engine::contact_accept(uint64_t contact, const std::optional<std::string>& name) {
  return call([&](Turn& turn) { return accept_contact(turn, contact, name); });
}

template <typename Read>
auto Engine::read(Read&& read_rows)
    -> Result<decltype(read_rows(std::declval<store::Connection&>()))> {
  {
    std::lock_guard lock(close_mutex_);
    if (closed_) return closed_error();
  }
  std::lock_guard lock(read_mutex_);
  store::Snapshot snapshot(*reader_);
  auto rows = read_rows(*reader_);
  if (Status status = snapshot.end(); !status) return status.error();
  return rows;
}

Result<std::vector<store::ContactRow>> Engine::contacts(uint64_t after, uint32_t limit) {
  return read([&](store::Connection& db) { return store::contacts(db, after, limit); });
}

Result<std::vector<ConversationView>> Engine::conversations(uint64_t after, uint32_t limit) {
  return read([&](store::Connection& db) {
    std::vector<ConversationView> views;
    for (const store::ConversationRow& row : store::conversations(db, after, limit)) {
      const bool waits = row.waiting != WHERRY_REASON_NONE;
      views.push_back({row, waits ? store::outbox_unsent(db, row.contact) : 0});
    }
    return views;
  });
}

Result<uint64_t> Engine::conversation_with(uint64_t contact) {
  auto found = read([&](store::Connection& db) { return store::contacts(db, contact - 1, 1); });
  if (!found) return found.error();
  if (contact == 0 || found->empty() || found->front().id != contact) {
    return fail(WHERRY_E_NOT_FOUND, "there is no contact with this id");
  }
  return found->front().conversation;
}

Result<wherry_reveals> Engine::profile_permits() {
  wherry_reveals permits{};
  Status outcome = call([&](Turn& turn) -> Status {
    permits = turn.profile.permits;
    return {};
  });
  if (!outcome) return outcome.error();
  return permits;
}

Status Engine::set_profile_permits(const wherry_reveals& permits, int32_t tightening) {
  return call([permits, tightening](Turn& turn) {
    return engine::set_profile_permits(turn, permits, tightening);
  });
}

Status Engine::set_conversation_permits(uint64_t conversation, const wherry_reveals& permits,
                                        int32_t tightening) {
  return call([conversation, permits, tightening](Turn& turn) {
    return engine::set_conversation_permits(turn, conversation, permits, tightening);
  });
}

Result<Explanation> Engine::explain(uint64_t conversation) {
  Explanation made;
  Status outcome = call([&](Turn& turn) -> Status {
    Result<Explanation> found = engine::explain(turn, conversation);
    if (!found) return found.error();
    made = found.take();
    return {};
  });
  if (!outcome) return outcome.error();
  return made;
}

Status Engine::set_route(uint64_t conversation, const std::string& route) {
  return call(
      [conversation, route](Turn& turn) { return engine::set_route(turn, conversation, route); });
}

Result<RouteView> Engine::route(uint64_t conversation) {
  RouteView view;
  Status found = call([conversation, &view](Turn& turn) -> Status {
    Result<RouteView> standing = engine::route_of(turn, conversation);
    if (!standing) return standing.error();
    view = standing.take();
    return {};
  });
  if (!found) return found.error();
  return view;
}

Result<uint64_t> Engine::send(Outbound message) {
  uint64_t id = 0;
  Status outcome = call(
      [&](Turn& turn) -> Status {
        Result<uint64_t> added = add_message(turn, message);
        if (!added) return added.error();
        id = *added;
        return {};
      },
      message.body.size());
  if (!outcome) return outcome.error();
  return id;
}

Status Engine::submit(Outbound message) {
  const size_t size = message.body.size();
  const Visit visit(*this);
  if (!visit.admitted) return closed_error();
  {
    std::lock_guard lock(submit_mutex_);
    if (submitted_ - finished_ >= limits::kSubmitWaiting ||
        submitted_bytes_ + size > limits::kSubmitWaitingBytes) {
      return fail(WHERRY_E_AGAIN, "too many messages are under way: call wherry_sync");
    }
    ++submitted_;
    submitted_bytes_ += size;
  }
  core_->inputs().push(
      Command{[this, message = std::move(message)](Turn& turn) -> Status {
                {
                  // What failed before is repeated first, or the order would be lost.
                  std::lock_guard lock(submit_mutex_);
                  if (!submit_failure_) return submit_failure_;
                }
                Result<uint64_t> added = add_message(turn, message);
                if (added) return {};
                std::lock_guard lock(submit_mutex_);
                submit_failure_ = added.error();
                return submit_failure_;
              },
              [this, size](const Status& outcome) { finish_submit(outcome, size); }, size});
  return {};
}

void Engine::finish_submit(const Status& outcome, size_t size) {
  {
    std::lock_guard lock(submit_mutex_);
    ++finished_;
    submitted_bytes_ -= size;
    if (!outcome && submit_failure_) submit_failure_ = outcome;
  }
  submit_changed_.notify_all();
}

Status Engine::sync(int32_t timeout_ms) {
  std::unique_lock lock(submit_mutex_);
  const auto done = [this, until = submitted_] { return finished_ >= until; };
  if (timeout_ms < 0) {
    submit_changed_.wait(lock, done);
  } else if (!submit_changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), done)) {
    return fail(WHERRY_E_TIMEOUT, "not everything is durable yet");
  }
  Status outcome = submit_failure_;
  submit_failure_ = {};
  return outcome;
}

Result<std::vector<store::MessageRow>> Engine::history(uint64_t conversation, uint64_t from,
                                                       bool older, uint32_t limit) {
  auto known =
      read([&](store::Connection& db) { return store::conversations(db, conversation - 1, 1); });
  if (!known) return known.error();
  if (conversation == 0 || known->empty() || known->front().id != conversation) {
    return fail(WHERRY_E_NOT_FOUND, "there is no conversation with this id");
  }
  if (from != 0) {
    Result<store::MessageRow> start = message(from);
    if (!start) return start.error();
    if (start->conversation != conversation) {
      return fail(WHERRY_E_NOT_FOUND, "the message is not of this conversation");
    }
  }
  auto rows = read(
      [&](store::Connection& db) { return store::history(db, conversation, from, older, limit); });
  if (!rows) return rows;
  for (store::MessageRow& row : *rows) set_waiting_reason(row, known->front());
  return rows;
}

Result<store::MessageRow> Engine::message(uint64_t id) {
  auto row = read([&](store::Connection& db) {
    std::optional<store::MessageRow> found = store::message(db, id);
    if (!found) return found;
    const auto conversation = store::conversations(db, found->conversation - 1, 1);
    if (!conversation.empty()) set_waiting_reason(*found, conversation.front());
    return found;
  });
  if (!row) return row.error();
  if (!row->has_value()) return fail(WHERRY_E_NOT_FOUND, "there is no message with this id");
  return std::move(**row);
}

Status Engine::event_ack(uint64_t seq) {
  // One from before a restart counts too: the app may have noted it when it was killed.
  if (seq == 0 || seq > feed_->committed_seq()) {
    return fail(WHERRY_E_ARGUMENT, "there is no event with this seq");
  }
  const Visit visit(*this);
  if (!visit.admitted) return closed_error();
  {
    std::lock_guard lock(ack_mutex_);
    ack_wanted_ = std::max(ack_wanted_, seq);
    if (ack_queued_) return {};
    ack_queued_ = true;
  }
  push_ack();
  return {};
}

// One command at a time, for whatever was acknowledged until its turn comes.
void Engine::push_ack() {
  auto taken = std::make_shared<uint64_t>(0);
  core_->inputs().push(Command{[this, taken](Turn& turn) -> Status {
                                 {
                                   std::lock_guard lock(ack_mutex_);
                                   *taken = ack_wanted_;
                                 }
                                 store::events_acknowledge(turn.db, *taken);
                                 return {};
                               },
                               [this, taken](const Status& outcome) {
                                 {
                                   std::lock_guard lock(ack_mutex_);
                                   if (!outcome || ack_wanted_ == *taken) {
                                     ack_queued_ = false;
                                     return;
                                   }
                                 }
                                 push_ack();
                               }});
}

}  // namespace wherry::engine
