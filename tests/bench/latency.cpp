// One message at a time on an idle system.
#include "meters.h"
#include "scenes.h"

namespace wherry::bench {
namespace {

constexpr std::size_t kRoundTrips = 250;

}  // namespace

void rest() {
  // Long enough for a relay to have done with the message before.
  std::this_thread::sleep_for(std::chrono::milliseconds(kRest_ms));
}

// By turns in both directions, so that each message also settles what the last one left. The disk's
// commits are paced alike.
void measure_latency(Pair& pair, const Scene& scene, const std::string& prefix) {
  std::vector<double> one_way;
  std::vector<double> durable;
  const auto measure = [&](App& from, std::uint64_t conversation, App& to) {
    const std::size_t before = to.received();
    rest();
    const Moment begin = SteadyClock::now();
    from.send(conversation);
    durable.push_back(milliseconds(begin, SteadyClock::now()));
    one_way.push_back(milliseconds(begin, to.wait_received(before + 1)));
  };
  for (std::size_t i = 0; i < kRoundTrips; ++i) {
    measure(pair.alice, pair.to_bob, pair.bob);
    measure(pair.bob, pair.to_alice, pair.alice);
  }
  print_spread(prefix + "one_way", one_way);
  print_spread(prefix + "send", durable);
  const bool full = scene.durability == WHERRY_DURABILITY_FULL;
  print_spread(prefix + "disk_commit",
               single_commits_ms(scene.folder, full, kRoundTrips, kRest_ms));
}

}  // namespace wherry::bench
