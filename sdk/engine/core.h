// The engine without threads: queued inputs in, turns that commit, outputs out. Whoever owns it
// calls turn() when woken and at the times that it asks for: ThreadExecutor in an app, a simulator
// in tests.
#ifndef WHERRY_ENGINE_CORE_H
#define WHERRY_ENGINE_CORE_H

#include <memory>
#include <optional>
#include <string>

#include "engine/feed.h"
#include "engine/inputs.h"
#include "engine/turn.h"
#include "plugin/instance.h"

namespace wherry::engine {

class Core {
 public:
  // `db` is the writing connection, its schema the newest. Everything outlives the core.
  static Result<std::unique_ptr<Core>> make(std::unique_ptr<store::Connection> db, Env env,
                                            Log& log, plugin::PluginSet plugins, Feed& feed);
  ~Core();

  Inputs& inputs() { return inputs_; }
  const plugin::PluginSet& plugins() const { return plugins_; }
  const Bytes32& identity() const { return identity_; }

  // Does what is queued and what is due; returns the steady time of the next turn. The first one
  // starts the transports that were running when the profile was closed.
  int64_t turn();

  // Stops and frees every instance, which have limits::kCloseTransports_ms. After the last turn.
  void shut_down();
  // Answers every command and wait that is still queued. After shut_down().
  void answer_all(const Error& error);

 private:
  Core(std::unique_ptr<store::Connection> db, Env env, Log& log, plugin::PluginSet plugins,
       Feed& feed);

  void step(Turn& turn, const std::vector<Input>& inputs, bool stalled);
  void wake_due(Turn& turn);
  void pump_due(Turn& turn);
  void release(Turn& turn, std::vector<Input>& inputs) noexcept;
  void release_sends(Turn& turn);
  void fail_turn(Turn& turn, std::vector<Input> inputs, const Error& error);
  Status get_ready();
  Status load_again();
  void refuse(std::vector<Input> inputs, const Error& error);
  void add_networks();
  int64_t next_turn(int64_t now);
  int64_t next_while_stalled() const;

  std::unique_ptr<store::Connection> db_;
  Env env_;
  Log& log_;
  plugin::PluginSet plugins_;
  Feed& feed_;
  Inputs inputs_;
  Bytes32 identity_{};
  std::unique_ptr<Profile> profile_;  // null after a failed commit, until it is loaded anew
  Runtime runtime_;
  std::vector<std::pair<size_t, Status>> outcomes_;  // of the turn's commands, by input
  bool proven_ = false;                              // see get_ready()
  bool feeding_ = false;                             // the feed has begun
  int failures_ = 0;                                 // of the disk, one after the other
  int64_t stalled_until_ = INT64_MIN;                // steady ms
  int64_t networks_at_ = Executor::kNever;           // steady ms of the next look at them
  std::optional<int64_t> empty_log_at_;              // steady ms, from then on after a turn
};

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_CORE_H
