// What clients_bench measures, one scene a call. Each prints lines "name value unit".
#ifndef WHERRY_TESTS_BENCH_SCENES_H
#define WHERRY_TESTS_BENCH_SCENES_H

#include <cstddef>
#include <string>
#include <vector>

#include "app.h"

namespace wherry::bench {

struct Scene {
  std::string folder;  // there already
  std::string relay;
  wherry_durability durability = WHERRY_DURABILITY_FULL;
  std::size_t messages = 100'000;
  int idle_s = 60;
};

// Two clients through the relay: throughput, one blocking sender, latency on an idle system, and
// how the profile that received it all opens afterwards.
void talk(const Scene& scene);

// The same by a direct link, without the profile.
void talk_direct(const Scene& scene);

// How long it takes until a conversation's messages come by another network, and what the steps of
// that take alone: connecting a link, a message by either network, a commit.
void move(const Scene& scene);

// A contact is away: what its outbox costs in memory and processor.
void outbox(const Scene& scene);

// A profile with ten contacts, each of whom it has a session with. To be used by idle(), in another
// process, which then has the memory of that one client alone.
void prepare_idle(const Scene& scene);
void idle(const Scene& scene);

// ---- What several of them do --------------------------------------------------------------------

// Between two messages that are measured alone.
inline constexpr int kRest_ms = 10;
void rest();

// One message at a time, from the call of send until the other app was told.
struct Latency {
  std::vector<double> one_way;  // ms
  std::vector<double> durable;
  std::vector<double> commits;

  // By turns in both directions, so that each message also settles what the last one left.
  void talk(Pair& pair, std::size_t round_trips);
  // The disk's commits, paced alike.
  void commit(const Scene& scene, std::size_t count);
  void print(const std::string& prefix) const;
};
// All of it; names begin with `prefix`.
void measure_latency(Pair& pair, const Scene& scene, const std::string& prefix);

[[noreturn]] void give_up(const char* what);

}  // namespace wherry::bench

#endif  // WHERRY_TESTS_BENCH_SCENES_H
