// A host for tests: drives one transport plug-in through transport.h, records all it says, and
// notes every rule of transport.h that the plug-in breaks.
//
// Thread safety: the host functions (what the plug-in calls) may run on any thread. The other
// methods are for one test thread at a time, as a host's calls are; the getters take a lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "include/wherry/transport.h"
#include "tests/support/pump.h"

namespace wherry::test {

using Bytes = std::vector<std::uint8_t>;
using Settings = std::vector<std::pair<std::string, std::string>>;

// The durable key-value state of one instance: give the same one to the next host, and the instance
// finds again what it stored, as after a restart of the app.
struct HostMemory {
  std::mutex mutex;
  std::map<std::string, Bytes> values;
};

struct StateReport {
  std::int32_t state = 0;
  std::int32_t percent = 0;
  std::int32_t reason = 0;
  std::string phase;
};

struct InboxReport {
  std::uint64_t inbox = 0;
  std::optional<std::string> endpoint;
  std::int32_t reason = 0;
};

struct PeerReport {
  std::uint64_t peer = 0;
  std::int32_t state = 0;
  std::int32_t reason = 0;
};

struct Received {
  std::uint64_t inbox = 0;
  std::uint64_t receipt = 0;
  Bytes envelope;
};

struct SentReport {
  std::uint64_t send_id = 0;
  std::int32_t outcome = 0;
  std::int32_t reason = 0;
};

struct BundleReport {
  std::uint64_t request = 0;
  std::optional<Bytes> bundle;
  std::int32_t reason = 0;
};

class TransportHost {
 public:
  // In: memory, or nullptr for one of its own. `plugin`, `pump` and `memory` outlive the host.
  TransportHost(const wherry_transport_plugin& plugin, Pump& pump, Settings settings,
                HostMemory* memory = nullptr);
  TransportHost(const TransportHost&) = delete;
  TransportHost& operator=(const TransportHost&) = delete;
  ~TransportHost();  // stops and destroys what still runs

  // The plug-in's functions. Each gives the plug-in's answer.
  std::int32_t create();
  std::int32_t start();
  void stop();
  void destroy();
  void update(std::uint32_t flags);
  std::int32_t open_inbox(std::uint64_t inbox, const Bytes& secret,
                          std::int32_t audience = WHERRY_AUDIENCE_CONTACT);
  std::int32_t close_inbox(std::uint64_t inbox);
  std::int32_t add_peer(std::uint64_t peer, const std::string& endpoint,
                        wherry_reveals* reveals = nullptr);
  std::int32_t remove_peer(std::uint64_t peer);
  std::int32_t connect_peer(std::uint64_t peer);
  std::int32_t send(const std::vector<wherry_outgoing>& envelopes, std::size_t* accepted);
  std::int32_t ack(std::uint64_t inbox, std::uint64_t receipt);
  std::int32_t ack(const std::vector<Received>& received);
  void resume_receive();
  std::int32_t put_bundle(std::uint64_t request, const Bytes& locator, const Bytes& owner,
                          const Bytes& bundle, std::uint32_t time_to_live_s);
  std::int32_t get_bundle(std::uint64_t request, const std::string& endpoint, const Bytes& locator);

  std::int32_t recall(std::uint64_t peer, std::uint64_t send_id);

  // Sends one envelope under a new send id, and gives that id, or 0 if it was not accepted.
  std::uint64_t send_one(std::uint64_t peer, const Bytes& envelope);

  // Starts and waits until it is online, asking for a connection again whenever it is DEGRADED, as
  // a host must. Stops and waits for on_stopped. Both give false when the limit is over.
  bool start_and_wait(std::int64_t limit_ms);
  bool wait_online(std::int64_t limit_ms);
  bool stop_and_wait(std::int64_t limit_ms);

  // How many envelopes on_receive may still take before it answers BUSY. Default: no bound.
  void set_room(std::optional<std::size_t> envelopes);

  // What the plug-in said, oldest first.
  std::vector<StateReport> states() const;
  std::int32_t state() const;  // the latest, or OFF
  std::vector<InboxReport> inbox_reports() const;
  std::optional<std::string> endpoint(std::uint64_t inbox) const;  // the latest
  std::vector<PeerReport> peer_reports() const;
  std::vector<Received> received() const;
  std::vector<Received> received_since(std::size_t from) const;  // without the first `from`
  std::size_t received_count() const;
  std::size_t offered_count() const;  // offers, also of what was not taken
  std::vector<SentReport> sent(std::uint64_t send_id) const;
  std::optional<SentReport> last_sent(std::uint64_t send_id) const;
  std::size_t writable_count() const;
  std::optional<BundleReport> bundle(std::uint64_t request) const;
  std::size_t stopped_count() const;
  // At this level and the more urgent ones.
  std::vector<std::string> log_lines(std::int32_t level = WHERRY_LOG_DEBUG) const;
  bool exists() const { return transport_ != nullptr; }
  bool running() const;  // started and not yet told to stop

  // Every broken rule, in words; empty for a correct plug-in.
  std::vector<std::string> violations() const;

 private:
  friend struct HostCalls;  // the table's functions, in the .cpp
  enum class Life { kNone, kCreated, kRunning, kStopping, kStopped, kDestroyed };

  template <typename Function>
  auto call(Function&& function);
  void violation(const std::string& text);    // mutex_ is held
  void check_may_call(const char* function);  // mutex_ is held
  void record_sent(const wherry_sent& sent);  // mutex_ is held
  Settings settings_with_defaults() const;

  const wherry_transport_plugin& plugin_;
  Pump& pump_;
  const Settings settings_;
  HostMemory own_memory_;
  HostMemory& memory_;
  wherry_transport* transport_ = nullptr;

  mutable std::mutex mutex_;  // guards everything below
  Life life_ = Life::kNone;
  bool in_plugin_ = false;         // a plug-in function runs now,
  std::thread::id plugin_thread_;  // on this thread
  std::uint64_t last_send_id_ = 0;
  std::optional<std::size_t> room_;
  std::set<std::uint64_t> inboxes_;  // open ones
  std::set<std::uint64_t> peers_;
  std::set<std::uint64_t> receipts_;  // since start
  std::set<std::uint64_t> send_ids_;  // accepted or being offered
  std::map<std::uint64_t, std::vector<SentReport>> sent_;
  std::vector<StateReport> states_;
  std::vector<InboxReport> inbox_reports_;
  std::vector<PeerReport> peer_reports_;
  std::vector<Received> received_;
  std::size_t offered_count_ = 0;
  std::size_t writable_count_ = 0;
  std::map<std::uint64_t, BundleReport> bundles_;
  std::set<std::uint64_t> requests_;
  std::size_t stopped_count_ = 0;
  std::vector<std::pair<std::int32_t, std::string>> log_lines_;
  std::vector<std::string> violations_;
};

}  // namespace wherry::test
