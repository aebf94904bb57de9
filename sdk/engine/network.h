// A configured transport while the profile is open: its plug-in instance, what the instance said of
// itself, and the envelopes that it holds. Only turns use it, but for the HostEvents half, which is
// thread-safe and turns every report into an input.
#ifndef WHERRY_ENGINE_NETWORK_H
#define WHERRY_ENGINE_NETWORK_H

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/log.h"
#include "engine/inputs.h"
#include "plugin/instance.h"
#include "store/networks.h"

namespace wherry::engine {

// An envelope on its way into a plug-in.
struct Outgoing {
  uint64_t network = 0;
  uint64_t peer = 0;
  uint64_t send_id = 0;
  Bytes envelope;
};

// In place of a copy's id, of envelopes that are not kept: one that only acknowledges; and a probe
// or an answer alone, whose answers are told again if it did not leave.
inline constexpr uint64_t kNoCopy = 0;
inline constexpr uint64_t kProbeCopy = UINT64_MAX;

class Network : public plugin::HostEvents {
 public:
  // What an attempt was made for.
  struct Flight {
    uint64_t contact = 0;
    uint64_t peer = 0;
    uint64_t copy = kNoCopy;
  };

  Network(uint64_t id, const wherry_transport_plugin& table, Inputs& inputs, Log& log,
          std::map<std::string, Bytes> kept);

  uint64_t id() const { return id_; }
  bool online() const { return state == WHERRY_TRANSPORT_STATE_ONLINE && !stopping; }
  bool running() const { return instance != nullptr && !stopping; }

  // Whether the plug-in takes these settings. E_SETTING, E_MEMORY.
  Status try_settings(const plugin::Settings& settings);
  // What being online with these settings reveals.
  wherry_reveals listening_with(const plugin::Settings& settings) const;
  // Makes an instance, which is not online yet. E_SETTING, E_MEMORY.
  Status create(const plugin::Settings& settings);
  // Lets it go online.
  void start();
  bool created_only() const { return instance != nullptr && !started_; }
  // Asks it to stop; a StoppedReport follows.
  void stop();
  // After that report: frees it.
  void destroy();
  // Waits until the instance has stopped, for the time given; then frees it.
  void join(int64_t timeout_ms);

  // Queues for the plug-in; it gets as many as it takes, and the rest when it is writable.
  void send(Outgoing outgoing);
  void flush();
  // How many more envelopes may be under way.
  size_t room() const;
  // How many more for one contact, who may have a quarter of what the others leave: so that whoever
  // takes nothing in keeps nobody else waiting.
  size_t room_for(uint64_t contact) const;
  // Whether there is any for them; if there is none for anybody, everybody is looked at again when
  // there is. When there is more for one, on_sent() of theirs says so.
  bool has_room(uint64_t contact);
  // A turn gave the plug-in an envelope.
  void begin_flight(uint64_t send_id, const Flight& flight);
  // The plug-in said what became of it. None: it is not (any more) remembered.
  std::optional<Flight> end_flight(uint64_t send_id);
  // It left; more may become known of it, or not.
  void set_handed(uint64_t send_id, const Flight& flight);
  // Drops what is queued for a peer of a contact's that is to be removed, and the attempts there.
  void forget_peer(uint64_t peer, uint64_t contact);
  // Drops all that is queued.
  void forget_all();

  // As the plug-in's; a report follows in any case while it runs.
  void open_inbox(uint64_t inbox, const Secret<32>& secret, store::InboxKind kind);
  void put_bundle(uint64_t request, const Bytes32& locator, const Secret<32>& owner,
                  ByteView bundle, uint32_t time_to_live_s);
  void get_bundle(uint64_t request, const std::string& endpoint, const Bytes32& locator);

  // What the instance said; for turns.
  int32_t state = WHERRY_TRANSPORT_STATE_OFF;
  int32_t percent = 0;
  int32_t reason = WHERRY_REASON_NONE;
  std::string phase;

  // What being online with its settings reveals; at worst, while they are not known.
  wherry_reveals listening;
  // Those that the instance receives at.
  std::set<uint64_t> inboxes;
  // Those that it would not open. Others may know them by an earlier life, so an endpoint says
  // nothing about that.
  std::set<uint64_t> refused;

  std::unique_ptr<plugin::Instance> instance;
  bool stopping = false;
  bool crowded = false;                     // somebody waits for room
  int starts = 0;                           // failed since it was last online
  int64_t start_at = 0;                     // steady ms, if the profile wants it running
  int reconnects = 0;                       // since it last held for a while
  int64_t online_at = 0;                    // steady ms, while it is
  int64_t reconnect_at = Executor::kNever;  // steady ms
  int reopens = 0;                          // inboxes refused since it was last online
  int64_t reopen_at = Executor::kNever;     // steady ms
  std::map<uint64_t, Flight> flights;       // by send id: nothing is known of them yet
  std::map<uint64_t, Flight> handed;        // likewise; the newest that left
  std::unordered_map<uint64_t, uint64_t> contact_by_peer;  // contact ids

 private:
  std::unordered_map<uint64_t, size_t> flights_of_;  // how many, by contact

  Result<std::unique_ptr<plugin::Instance>> make(const plugin::Settings& settings);
  // Offers the first `count` of what is queued.
  plugin::Instance::Sent offer(size_t count);

  void on_state(int32_t state, int32_t percent, int32_t reason, std::string phase) override;
  void on_inbox(uint64_t inbox, std::string endpoint, int32_t reason) override;
  void on_peer(uint64_t peer, int32_t state, int32_t reason) override;
  void on_writable() override;
  bool on_receive(uint64_t inbox, uint64_t receipt, ByteView envelope) override;
  void on_sent(uint64_t send_id, int32_t outcome, int32_t reason) override;
  void on_bundle(uint64_t request, std::optional<Bytes> bundle, int32_t reason) override;
  void on_stopped() override;
  std::optional<Bytes> state_get(const std::string& name) override;
  Status state_set(const std::string& name, ByteView value) override;
  void log(int32_t level, const std::string& text) override;

  const uint64_t id_;
  const wherry_transport_plugin& table_;
  Inputs& inputs_;
  Log& log_;
  std::deque<Outgoing> queue_;
  bool started_ = false;

  std::mutex mutex_;
  std::condition_variable stopped_changed_;
  bool stopped_ = true;
  std::map<std::string, Bytes> kept_;
  std::optional<std::string> complaint_;  // while an instance is made: its last warning
};

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_NETWORK_H
