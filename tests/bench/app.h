// An app of one person, as the benchmarks need it: a profile opened through wherry.h, and a thread
// that reads every event at once, notes when, and acknowledges.
//
// A failed call ends the program with its error: a benchmark has no way to go on.
#ifndef WHERRY_TESTS_BENCH_APP_H
#define WHERRY_TESTS_BENCH_APP_H

#include <wherry/wherry.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "meters.h"

namespace wherry::bench {

inline constexpr std::size_t kMessageSize = 256;

// Thread-safe, except for the life of the object.
class App {
 public:
  // A new profile with a raw key, in a folder that is not there yet.
  static App create(const std::string& folder, wherry_durability durability);
  static App open(const std::string& folder, wherry_durability durability);
  App(App&& other) = delete;
  ~App();

  // The transport by which people meet: configures and starts it.
  void join(const char* plugin, const std::vector<wherry_option>& settings);
  void join(const std::string& relay);  // the centralized one
  void wait_online();
  void go_offline();
  void go_online();
  // Direct links on loopback, beside the relay.
  void join_links();
  // Gives the moment of the call.
  Moment set_route(std::uint64_t conversation, const char* route);

  std::string card();
  // The conversation with the person whose card this is.
  std::uint64_t add(const std::string& card);
  // Waits for a stranger's request and accepts it: the conversation.
  std::uint64_t accept();
  void wait_connected();

  // Blocks for one commit.
  void send(std::uint64_t conversation, std::size_t size = kMessageSize);
  // Waits for the disk only when too many are under way; sync() ends it.
  void submit(std::uint64_t conversation, std::size_t count, std::size_t size = kMessageSize);
  void sync();

  // What the app has been told of since it was made.
  std::size_t received() const;
  std::size_t delivered() const;
  std::size_t received_by_links() const;
  std::size_t sending_settled() const;  // how often what is sent came to where it is to go
  // Waits for so many, and gives the moment at which the last of them was told.
  Moment wait_received(std::size_t count);
  Moment wait_delivered(std::size_t count);
  Moment wait_sending_settled(std::size_t count);

  wherry_profile profile() const { return profile_; }
  std::uint64_t transport() const { return transport_; }

 private:
  App(wherry_profile profile, std::uint64_t transport);

  void start(std::uint64_t transport);
  void wait_online(std::uint64_t transport, bool online);
  void listen();
  void take(const wherry_event* event, Moment now);
  template <class Predicate>
  void wait(const char* what, Predicate predicate);

  wherry_profile profile_;
  std::uint64_t transport_;  // by which people meet
  std::uint64_t links_ = 0;

  mutable std::mutex mutex_;  // of what follows, but for the thread
  std::condition_variable changed_;
  std::set<std::uint64_t> online_;
  bool connected_ = false;
  std::uint64_t request_ = 0;
  std::uint64_t request_conversation_ = 0;
  std::size_t received_ = 0;
  std::size_t received_by_links_ = 0;
  std::size_t delivered_ = 0;
  std::size_t sending_settled_ = 0;
  Moment received_at_;
  Moment delivered_at_;
  Moment sending_settled_at_;
  std::thread listener_;
};

// Two apps that have each other as contacts, with a session that works both ways.
struct Pair {
  App alice;
  App bob;
  std::uint64_t to_bob = 0;
  std::uint64_t to_alice = 0;

  // Each joins the network by which they meet. `name` is "alice" or "bob".
  using Join = std::function<void(App& app, const std::string& name)>;
  Pair(const std::string& folder, const Join& join, wherry_durability durability);
  Pair(const std::string& folder, const std::string& relay, wherry_durability durability);
  // From now on both send by direct links.
  void go_direct();
};

// The durability that is named "full" or "normal".
wherry_durability durability_of(const std::string& name);

}  // namespace wherry::bench

#endif  // WHERRY_TESTS_BENCH_APP_H
