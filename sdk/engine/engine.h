// An open profile as the C boundary sees it: a Core with its thread, blocking calls onto its turns,
// reads on connections of their own, and the feed.
#ifndef WHERRY_ENGINE_ENGINE_H
#define WHERRY_ENGINE_ENGINE_H

#include <condition_variable>
#include <memory>
#include <mutex>

#include "crypto/system_random.h"
#include "engine/commands.h"
#include "engine/core.h"
#include "engine/explaining.h"
#include "engine/moving.h"
#include "engine/thread_executor.h"
#include "store/profile_files.h"

namespace wherry::engine {

struct Options {
  std::vector<const wherry_transport_plugin*> plugins;
  bool full_sync = true;
  LogLevel log_level = LogLevel::kInfo;
  Log::Sink log;
};

struct TransportView {
  store::TransportRow row;
  int32_t state = WHERRY_TRANSPORT_STATE_OFF;
  int32_t percent = 0;
  int32_t reason = WHERRY_REASON_NONE;
};

struct ConversationView {
  store::ConversationRow row;
  uint64_t waiting_count = 0;
};

// Thread-safe. The statuses of each call are those of its twin in wherry.h.
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> create(const std::string& path, const store::Key& key,
                                                Options options);
  static Result<std::unique_ptr<Engine>> open(const std::string& path, const store::Key& key,
                                              Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Commits what was accepted, stops the transports, wakes who waits. Idempotent.
  void close();

  const Bytes32& identity() const { return core_->identity(); }
  const plugin::PluginSet& plugins() const { return core_->plugins(); }

  Result<uint64_t> transport_add(const std::string& name, const plugin::Settings& settings);
  Status transport_set(uint64_t transport, const plugin::Settings& changes);
  Status transport_start(uint64_t transport);
  Status transport_stop(uint64_t transport);
  Status update(uint32_t changes);
  Result<std::vector<TransportView>> transports();

  Result<std::string> card_make(uint64_t transport, int64_t valid_s);
  Result<uint64_t> contact_add(const std::string& card, const std::optional<std::string>& name);
  Status contact_accept(uint64_t contact, const std::optional<std::string>& name);
  Result<std::vector<store::ContactRow>> contacts(uint64_t after, uint32_t limit);
  Result<std::vector<ConversationView>> conversations(uint64_t after, uint32_t limit);
  Result<uint64_t> conversation_with(uint64_t contact);

  Result<wherry_reveals> profile_permits();
  Status set_profile_permits(const wherry_reveals& permits, int32_t tightening);
  Status set_conversation_permits(uint64_t conversation, const wherry_reveals& permits,
                                  int32_t tightening);
  Result<Explanation> explain(uint64_t conversation);
  Status set_route(uint64_t conversation, const std::string& route);
  Result<RouteView> route(uint64_t conversation);

  Result<uint64_t> send(Outbound message);
  Status submit(Outbound message);
  Status sync(int32_t timeout_ms);

  Result<std::vector<store::MessageRow>> history(uint64_t conversation, uint64_t from, bool older,
                                                 uint32_t limit);
  Result<store::MessageRow> message(uint64_t id);

  Result<Event> next_event(int32_t timeout_ms) { return feed_->next(timeout_ms); }
  Status event_ack(uint64_t seq);
  int wait_handle() { return feed_->handle(); }

 private:
  // A call that puts something into the queue: close() waits for it to leave.
  class Visit {
   public:
    explicit Visit(Engine& engine);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    bool admitted = false;  // false: the profile is being closed

   private:
    Engine& engine_;
  };

  explicit Engine(Options options);
  static Result<std::unique_ptr<Engine>> start(std::unique_ptr<Engine> engine,
                                               std::unique_ptr<store::ProfileFiles> files,
                                               plugin::PluginSet plugins);
  // Runs a command in a turn and waits for its commit. In: weight, bytes that it brings along.
  Status call(std::function<Status(Turn&)> run, size_t weight = 0);
  void finish_submit(const Status& outcome, size_t size);
  void push_ack();

  // A read connection for one caller at a time.
  template <typename Read>
  auto read(Read&& read_rows) -> Result<decltype(read_rows(std::declval<store::Connection&>()))>;

  // In the order of their construction: each uses those before it.
  Log log_;
  SystemClock clock_;
  crypto::SystemRandom random_;
  ThreadExecutor executor_;
  std::unique_ptr<store::ProfileFiles> files_;
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Core> core_;

  std::mutex read_mutex_;
  std::unique_ptr<store::Connection> reader_;

  std::mutex submit_mutex_;
  std::condition_variable submit_changed_;
  // They finish in the order in which they were submitted.
  uint64_t submitted_ = 0;
  uint64_t finished_ = 0;
  size_t submitted_bytes_ = 0;  // not yet finished
  Status submit_failure_;

  std::mutex ack_mutex_;
  uint64_t ack_wanted_ = 0;  // the highest seq that the app has acknowledged
  bool ack_queued_ = false;

  // Calls under way, so that close() can wait for them to leave.
  std::mutex close_mutex_;
  std::condition_variable call_done_;
  bool closed_ = false;
  size_t calls_ = 0;
};

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_ENGINE_H
