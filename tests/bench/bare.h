// Two bare instances of a transport, as the contract suite drives them: no engine, no disk. Many
// envelopes at once, then one at a time.
#ifndef WHERRY_TESTS_BENCH_BARE_H
#define WHERRY_TESTS_BENCH_BARE_H

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "include/wherry/transport.h"
#include "meters.h"

namespace wherry::bench {

// The least host: acknowledges at once, counts, remembers when things happened.
class Bare {
 public:
  // Creates, starts, and waits until it is online. A failure ends the program.
  Bare(const wherry_transport_plugin& plugin, std::vector<wherry_setting> settings);
  Bare(const Bare&) = delete;
  ~Bare();

  // The endpoint of a new inbox.
  std::string open_inbox(std::uint64_t inbox);
  void add_peer(std::uint64_t peer, const std::string& endpoint);
  void remove_peer(std::uint64_t peer);
  // Connects a peer and waits until it is reachable: how long that took.
  double connect_ms(std::uint64_t peer);
  // Likewise a new one who is somewhere on the local network, from when the endpoint is known.
  double find_ms(std::uint64_t peer, const std::string& endpoint);

 private:
  friend struct HostCalls;
  friend struct Talk;
  struct Counts {
    bool online = false;
    bool stopped = false;
    bool writable = false;
    std::size_t nearby = 0;
    std::size_t connected = 0;
    std::size_t handed = 0;
    std::size_t stored = 0;
    std::size_t failed = 0;
    std::size_t received = 0;
    Moment connected_at;
    Moment confirmed_at;
    Moment received_at;

    // A relay says that it stored an envelope. A link says that the other end took it, and mostly,
    // later, that it is durable there.
    std::size_t confirmed() const { return std::max(handed, stored); }
  };

  template <class Predicate>
  void wait(Predicate predicate);
  // Acknowledges what came; on a thread of the host's own, as an engine does after its commit.
  void acknowledge();

  const wherry_transport_plugin& plugin_;
  wherry_transport* transport_ = nullptr;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  Counts counts_;
  std::vector<std::string> endpoints_;
  std::vector<wherry_receipt> receipts_;
};

// What direct links on loopback are set up with.
std::vector<wherry_setting> loopback_links();

struct Load {
  std::size_t envelopes = 200'000;
  std::size_t size = 256;
  std::uint64_t inboxes = 4;
};

// Opens the inboxes at bob and makes them peers of alice, by the same numbers from 1.
void meet(Bare& alice, Bare& bob, const Load& load);
// How long a peer of alice takes to become reachable, each time anew.
std::vector<double> connect_times_ms(Bare& alice, const std::string& endpoint, std::size_t times);
struct Throughput {
  double confirmed = 0;  // envelopes a second, all of them
  double delivered = 0;
  std::size_t failed = 0;
};
Throughput throughput_of(Bare& alice, Bare& bob, const Load& load);
// Prints confirmed_rate, delivered_rate, failed; one_way and confirmed (see print_spread()).
void measure_throughput(Bare& alice, Bare& bob, const Load& load);
void measure_latency(Bare& alice, Bare& bob, const Load& load);

}  // namespace wherry::bench

#endif  // WHERRY_TESTS_BENCH_BARE_H
