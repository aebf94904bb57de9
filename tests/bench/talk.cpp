// Two clients through a relay, or by direct links.
#include <vector>

#include "meters.h"
#include "scenes.h"

namespace wherry::bench {
namespace {

constexpr std::size_t kBlockingSends = 1000;
constexpr std::size_t kCommits = 1000;
constexpr int kOpenings = 5;
constexpr std::uint32_t kPageItems = 50;
constexpr std::size_t kPages = 200;

void measure_throughput(Pair& pair, std::size_t messages) {
  const std::size_t received = pair.bob.received();
  const std::size_t delivered = pair.alice.delivered();
  const double processor = processor_seconds();
  const Moment begin = SteadyClock::now();
  pair.alice.submit(pair.to_bob, messages);
  pair.alice.sync();
  const Moment durable = SteadyClock::now();
  const Moment told = pair.bob.wait_received(received + messages);
  const Moment confirmed = pair.alice.wait_delivered(delivered + messages);
  print_rate("durable_rate", messages, begin, durable);
  print_rate("told_rate", messages, begin, told);
  print_rate("confirmed_rate", messages, begin, confirmed);
  print("clients_processor",
        (processor_seconds() - processor) / static_cast<double>(messages) * 1e6, "us/msg");
}

double blocking_rate(Pair& pair) {
  const Moment begin = SteadyClock::now();
  for (std::size_t i = 0; i < kBlockingSends; ++i) pair.alice.send(pair.to_bob);
  return static_cast<double>(kBlockingSends) / seconds(begin, SteadyClock::now());
}

// One sender alone with its disk, then with a relay and a receiver that use the same disk. The
// disk's own commits are taken before and after.
void measure_blocking(Pair& pair, const Scene& scene) {
  const bool full = scene.durability == WHERRY_DURABILITY_FULL;
  const std::size_t delivered = pair.alice.delivered();
  std::vector<double> commits = single_commits_ms(scene.folder, full, kCommits, 0);
  pair.alice.go_offline();
  print("blocking_alone_rate", blocking_rate(pair), "msgs/s");
  pair.alice.go_online();
  pair.alice.wait_delivered(delivered + kBlockingSends);
  const std::vector<double> after = single_commits_ms(scene.folder, full, kCommits, 0);
  commits.insert(commits.end(), after.begin(), after.end());
  print("disk_commit_rate", rate_of(commits), "commits/s");
  print("blocking_online_rate", blocking_rate(pair), "msgs/s");
  pair.alice.wait_delivered(delivered + 2 * kBlockingSends);
}

std::vector<double> page_times_ms(const App& app, std::uint64_t conversation) {
  wherry_error error = WHERRY_ERROR_INIT;
  std::vector<double> out;
  std::uint64_t from = 0;
  while (out.size() < kPages) {
    wherry_page* page = nullptr;
    const Moment begin = SteadyClock::now();
    const std::int32_t status = wherry_history(app.profile(), &page, conversation, from,
                                               WHERRY_DIRECTION_OLDER, kPageItems, &error);
    out.push_back(milliseconds(begin, SteadyClock::now()));
    const wherry_message* oldest = status == WHERRY_OK ? wherry_page_message(page, 0) : nullptr;
    from = oldest != nullptr ? oldest->message : 0;
    wherry_page_free(page);
    if (from == 0) break;
  }
  return out;
}

void measure_profile(const Scene& scene, std::uint64_t conversation) {
  std::vector<double> openings;
  std::vector<double> pages;
  for (int i = 0; i < kOpenings; ++i) {
    const Moment begin = SteadyClock::now();
    const App bob = App::open(scene.folder + "/bob", scene.durability);
    openings.push_back(milliseconds(begin, SteadyClock::now()));
    const std::vector<double> times = page_times_ms(bob, conversation);
    pages.insert(pages.end(), times.begin(), times.end());
  }
  print("profile_open", spread_of(openings).median, "ms");
  print("profile_open_slowest", spread_of(openings).highest, "ms");
  print_spread("page", pages);
}

}  // namespace

void talk(const Scene& scene) {
  std::uint64_t conversation = 0;
  {
    Pair pair(scene.folder, scene.relay, scene.durability);
    conversation = pair.to_alice;
    measure_throughput(pair, scene.messages);
    measure_blocking(pair, scene);
    measure_latency(pair, scene, "");
  }
  measure_profile(scene, conversation);
}

void talk_direct(const Scene& scene) {
  Pair pair(scene.folder, scene.relay, scene.durability);
  pair.go_direct();
  const std::size_t received = pair.bob.received();
  const std::size_t by_links = pair.bob.received_by_links();
  measure_throughput(pair, scene.messages);
  measure_latency(pair, scene, "");
  if (pair.bob.received_by_links() - by_links != pair.bob.received() - received) {
    give_up("not every message came by the direct link");
  }
}

}  // namespace wherry::bench
