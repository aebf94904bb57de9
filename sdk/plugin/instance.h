// A transport plug-in's C tables as C++: the set of plug-ins an app gave, and one instance of one.
#ifndef WHERRY_PLUGIN_INSTANCE_H
#define WHERRY_PLUGIN_INSTANCE_H

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "wherry/transport.h"

namespace wherry::plugin {

// Names and values of settings.
using Settings = std::map<std::string, std::string>;

// The plug-ins by name. Tables are static storage of the app, of any version; here are copies as
// this version knows them, which do not move.
class PluginSet {
 public:
  // E_ARGUMENT: a table is null, of another ABI version, or describes itself wrongly; or two have
  // one name. E_SIZE: a table or description is smaller than the first version's.
  static Result<PluginSet> make(std::span<const wherry_transport_plugin* const> tables);

  // Lives as long as the set, also when that is moved.
  const wherry_transport_plugin* find(const std::string& name) const;

 private:
  std::map<std::string, wherry_transport_plugin> tables_;
};

// What a plug-in of a set says of itself, as this version knows it: a plug-in's own description may
// end before members that were added since.
wherry_transport_description describe(const wherry_transport_plugin& table);

// What being online with complete settings reveals.
wherry_reveals listening(const wherry_transport_plugin& table, const Settings& settings);

// Fills in defaults. E_SETTING: unknown, missing, or not of its type.
Result<Settings> complete(const wherry_transport_description& description, Settings given);

// What the plug-in says; from any thread, at any time. See the host functions of transport.h.
class HostEvents {
 public:
  virtual ~HostEvents() = default;
  virtual void on_state(int32_t state, int32_t percent, int32_t reason, std::string phase) = 0;
  virtual void on_inbox(uint64_t inbox, std::string endpoint, int32_t reason) = 0;
  virtual void on_peer(uint64_t peer, int32_t state, int32_t reason) = 0;
  virtual void on_writable() = 0;
  // False: no room now.
  virtual bool on_receive(uint64_t inbox, uint64_t receipt, ByteView envelope) = 0;
  virtual void on_sent(uint64_t send_id, int32_t outcome, int32_t reason) = 0;
  virtual void on_bundle(uint64_t request, std::optional<Bytes> bundle, int32_t reason) = 0;
  virtual void on_stopped() = 0;
  virtual std::optional<Bytes> state_get(const std::string& name) = 0;
  virtual Status state_set(const std::string& name, ByteView value) = 0;
  virtual void log(int32_t level, const std::string& text) = 0;
};

// Not thread-safe: one call at a time, as transport.h promises the plug-in.
class Instance {
 public:
  // `table`, of a PluginSet, and `events` outlive the instance. `settings` are complete.
  static Result<std::unique_ptr<Instance>> create(const wherry_transport_plugin& table,
                                                  HostEvents& events, const Settings& settings);
  // Joins the plug-in's threads.
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const wherry_transport_description& description() const { return description_; }
  bool can(uint32_t ability) const { return (description().abilities & ability) != 0; }

  // Each false when the plug-in refused.
  bool start();
  void stop();
  bool open_inbox(uint64_t inbox, const Secret<32>& secret, int32_t audience);
  void close_inbox(uint64_t inbox);
  // What the path reveals; empty: the endpoint is refused, or it reveals more than the plug-in
  // declared at worst.
  std::optional<wherry_reveals> add_peer(uint64_t peer, const std::string& endpoint);
  void remove_peer(uint64_t peer);
  void connect_peer(uint64_t peer);
  struct Sent {
    size_t accepted = 0;   // from the first on
    bool refused = false;  // one of them at least breaks a rule of this plug-in; none was accepted
  };
  Sent send(std::span<const wherry_outgoing> envelopes);
  void ack(std::span<const wherry_receipt> receipts);
  void resume_receive();
  void update(uint32_t changes);
  bool put_bundle(uint64_t request, const Bytes32& locator, const Secret<32>& owner,
                  ByteView bundle, uint32_t time_to_live_s);
  bool get_bundle(uint64_t request, const std::string& endpoint, const Bytes32& locator);

 private:
  explicit Instance(const wherry_transport_plugin& table);

  const wherry_transport_plugin& table_;
  const wherry_transport_description description_;
  std::unique_ptr<wherry_transport_host> host_;
  wherry_transport* transport_ = nullptr;
};

}  // namespace wherry::plugin

#endif  // WHERRY_PLUGIN_INSTANCE_H
