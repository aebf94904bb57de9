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

void Latency::talk(Pair& pair, std::size_t round_trips) {
  const auto measure = [&](App& from, std::uint64_t conversation, App& to) {
    const std::size_t before = to.received();
    rest();
    const Moment begin = SteadyClock::now();
    from.send(conversation);
    durable.push_back(milliseconds(begin, SteadyClock::now()));
    one_way.push_back(milliseconds(begin, to.wait_received(before + 1)));
  };
  for (std::size_t i = 0; i < round_trips; ++i) {
    measure(pair.alice, pair.to_bob, pair.bob);
    measure(pair.bob, pair.to_alice, pair.alice);
  }
}

void Latency::commit(const Scene& scene, std::size_t count) {
  const bool full = scene.durability == WHERRY_DURABILITY_FULL;
  const std::vector<double> some = single_commits_ms(scene.folder, full, count, kRest_ms);
  commits.insert(commits.end(), some.begin(), some.end());
}

void Latency::print(const std::string& prefix) const {
  print_spread(prefix + "one_way", one_way);
  print_spread(prefix + "send", durable);
  print_spread(prefix + "disk_commit", commits);
}

void measure_latency(Pair& pair, const Scene& scene, const std::string& prefix) {
  Latency latency;
  latency.talk(pair, kRoundTrips);
  latency.commit(scene, kRoundTrips);
  latency.print(prefix);
}

}  // namespace wherry::bench
