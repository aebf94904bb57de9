// World: several people on one virtual network, each with the real engine over a real store, in
// virtual time. It runs on one thread, and everything that happens follows from its seed.
//
//   World world(seed);
//   const int ann = world.add("ann"), bob = world.add("bob");
//   world.connect(ann, bob);
//   world.send(ann, bob, "hello");
//   world.run_for(1000);
//   world.received(bob, ann)  // {"hello"}
//
// Every person's app is modelled too: it takes each event as soon as it can, keeps a ledger of
// what it was told that outlives crashes of the engine, and notes what contradicts a promise.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/commands.h"
#include "engine/moving.h"
#include "tests/support/fake_net.h"
#include "tests/support/fault_disk.h"
#include "tests/unit/seeded_random.h"

namespace wherry::test {

// A directory that goes when it goes.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What an app was told, and what it concluded.
struct Ledger {
  std::map<uint64_t, std::string> by_seq;  // every durable event: a replay must say the same
  std::vector<engine::Event> events;       // durable ones, replays left out, and others
  std::map<Bytes32, std::vector<std::string>> received;  // texts by author
  std::map<uint64_t, int32_t> evidence;                  // by message
  std::set<Id128> message_ids;
};

// Where profiles lie: in folders, as an app's do, or each on a FaultDisk of its own.
enum class Disks { kFiles, kFaulty };

// How two people came to know each other: one asked the other, or both did before either knew.
enum class Met { kOneAsked, kAtOnce };

class World {
 public:
  explicit World(uint64_t seed, FakeKind kind = FakeKind::kStored, Disks disks = Disks::kFiles);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  FakeNet& net() { return net_; }
  const FakeNet* net_of(std::string_view endpoint) const;
  // Another network, which everybody has who is added from now on. Each kind at most once.
  FakeNet& add_net(FakeKind kind);
  SeededRandom& random() { return random_; }
  int64_t now_ms() const { return clock_.now_ms(); }

  // A new person, whose transport is online.
  int add(const std::string& name);
  std::string card(int who, int64_t valid_s = 86400);
  Result<uint64_t> add_by_card(int who, const std::string& card);
  // `one` adds `other` by card and writes, and `other` accepts; or both add each other and write,
  // before either hears of it. Both know so.
  void connect(int one, int other, Met met = Met::kOneAsked);
  Status accept(int who, int other);
  // The id of `other` at `who`; 0: not a contact.
  uint64_t contact(int who, int other) const;
  uint64_t conversation(int who, int other) const;
  Result<uint64_t> send(int who, int other, const std::string& text,
                        std::optional<Id128> ref = std::nullopt);
  // Queues a message as wherry_submit does: without waiting for the commit.
  void submit(int who, int other, const std::string& text);
  // The same with a ref; `done` is told whether it is durable, unless the engine ends before.
  void submit_ref(int who, int other, const std::string& text, const Id128& ref,
                  std::function<void(bool durable)> done);
  Status start_transport(int who, bool started);
  Status set_transport(int who, const plugin::Settings& changes);

  Status set_route(int who, int other, const std::string& route);
  engine::RouteView route(int who, int other);

  // Runs a command in a turn, and time until it is answered.
  Status run(int who, std::function<Status(engine::Turn&)> command);
  // What a person's engine has committed, read-only.
  store::Connection& database(int who) const;

  // Does something later; the second, unless somebody's engine ends before.
  void at(int64_t time_ms, std::function<void()> action) {
    clock_.schedule(time_ms, std::move(action));
  }
  void after(int who, int64_t delay_ms, std::function<void()> action);
  void run_for(int64_t duration_ms) { clock_.run_until(clock_.now_ms() + duration_ms); }
  bool until(const std::function<bool()>& predicate, int64_t limit_ms) {
    return clock_.until(predicate, limit_ms);
  }

  // The engine ends without a word, as a killed process does; open() starts it again.
  void crash(int who);
  // The same, but the database is closed in good order.
  void close(int who) { end(person(who)); }
  // So does the machine (Disks::kFaulty). What the disk had not synced fares as it may.
  void cut_power(int who);
  // What happens when a disk that was to stop has stopped: the power is cut, if this is not set;
  // else this must end the engine.
  std::function<void(int who)> on_disk_stopped;
  FaultDisk& disk(int who) const;
  // Neither engine nor app gets any time, as on a telephone in a pocket.
  void suspend(int who, bool suspended);
  Status open(int who);
  void restart(int who);
  bool running(int who) const;
  // Keeps the profile's directory as it is now, and puts it back in place of what it became.
  void save_image(int who);
  void restore_image(int who);
  void put_image(int who);  // without opening
  // From now on who ran from an old image must be healed.
  void forgive_restored(int who);
  std::filesystem::path folder(int who) const;
  // A person's wall clock, beside the others'.
  void jump_clock(int who, int64_t by_ms);
  // Whether the app acknowledges events as it takes them (it does at first).
  void acknowledge_events(int who, bool acknowledge);
  // How long the app needs for a batch of events before it has written them down.
  void delay_app(int who, int64_t delay_ms);

  Bytes32 identity(int who) const;
  const Ledger& ledger(int who) const;
  std::vector<std::string> received(int who, int from) const;
  // Texts of a conversation, oldest first, as its history has them.
  std::vector<std::string> history(int who, int other) const;
  int count_events(int who, int32_t type, int32_t reason = -1) const;
  int32_t waiting_reason(int who, int other) const;
  // How many messages are not acknowledged.
  uint64_t outbox(int who, int other) const;
  uint64_t turns(int who) const;
  uint64_t envelopes() const { return envelopes_; }  // that any engine gave to its transport
  bool restored(int who) const;                      // from an image, ever
  size_t people() const { return people_.size(); }

  // What contradicted a promise, "name: what". The names: replay, evidence, once, author, nonce,
  // message-key, linkable, commit, busy; and those of tests.
  const std::vector<std::string>& violations() const { return violations_; }
  void violation(const std::string& name, const std::string& what);
  // Every envelope that any engine gave to its transport, for a test to look at or to change.
  std::function<void(int who, Bytes&)> on_envelope;
  // And where it goes.
  std::function<void(int who, const std::string& endpoint, ByteView envelope)> on_sent_to;
  // An inbox is closed, of which the database knows nothing any more.
  std::function<void(int who, uint64_t inbox)> on_close;
  // Whether a transport refuses an envelope, and so the whole call that it is in.
  std::function<bool(ByteView)> refuses_envelope;
  // What a plug-in says that a path reveals, to be changed.
  std::function<void(wherry_reveals& reveals)> on_reveals;
  // The largest envelope that transports say they carry. To be set before anybody is added.
  uint32_t envelope_size_max = WHERRY_ENVELOPE_SIZE_MAX;

  // Pushes a command, without running time. `done` is not called if the engine ends before.
  void push(int who, std::function<Status(engine::Turn&)> command,
            std::function<void(const Status&)> done);

  // For the plug-in of this world.
  void see_call(const char* what);
  void see_close(uint64_t inbox);
  void see_peer(const wherry_transport* transport, uint64_t peer, const char* endpoint);
  void see_envelope(const wherry_transport* transport, uint64_t peer, Bytes& envelope);

 private:
  struct Person;
  struct Seen {
    Bytes32 hash;
    std::string endpoint;
  };
  static constexpr size_t kAppBatch = 64;  // events that a slow app takes at once
  static const wherry_transport_plugin* watched_plugin(FakeKind kind);
  std::vector<const FakeNet*> nets() const;
  // The id of its transport, which is started.
  uint64_t join(int who, const FakeNet& net);
  void connect_at_once(int one, int other);
  static void set_current(World* world);

  Person& person(int who) const { return *people_[static_cast<size_t>(who)]; }
  std::pair<uint64_t, uint64_t> met(int who, int other) const;
  std::optional<store::ContactRow> contact_row(int who, const Bytes32& identity) const;
  void ask(Person& person, int64_t at);
  void take_turn(Person& person);
  void end(Person& person);
  int who_turns() const;
  void take_events(Person& person);
  void write_down(Person& person);
  void note(Person& person, const engine::Event& event);
  Status start(Person& person);
  std::filesystem::path folder(const Person& person) const;
  Result<std::unique_ptr<store::Connection>> connect(Person& person, bool read_only) const;

  TemporaryFolder folder_;
  FakeClock clock_;
  FakeNet net_;
  std::vector<std::unique_ptr<FakeNet>> more_nets_;
  SeededRandom random_;
  const uint64_t seed_;
  const Disks disks_;
  std::vector<std::unique_ptr<Person>> people_;
  std::map<Bytes, Seen> nonces_;
  std::map<Bytes, Bytes32> tags_;  // and the hash of the envelope that had it
  std::map<std::pair<const wherry_transport*, uint64_t>, std::string> endpoints_;
  uint64_t envelopes_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace wherry::test
