// What clients cost while nothing happens: with a full outbox, and with ten contacts.
#include <array>
#include <memory>

#include "meters.h"
#include "scenes.h"

namespace wherry::bench {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::size_t kContacts = 10;
constexpr std::size_t kFirstPart = 10;  // of the outbox, before memory is looked at first
constexpr std::chrono::seconds kSettle{5};
constexpr std::chrono::seconds kQuiet{10};

double memory_mib() {
  return static_cast<double>(anonymous_memory_bytes()) / kMiB;
}

void sleep(std::chrono::seconds time) {
  std::this_thread::sleep_for(time);
}

}  // namespace

void outbox(const Scene& scene) {
  auto pair = std::make_unique<Pair>(scene.folder, scene.relay, scene.durability);
  const std::uint64_t conversation = pair->to_bob;
  pair.reset();
  App alice = App::open(scene.folder + "/alice", scene.durability);
  alice.wait_online();
  const std::size_t part = scene.messages / kFirstPart;
  alice.submit(conversation, part);
  alice.sync();
  sleep(kSettle);
  const double memory_first = memory_mib();
  const Moment begin = SteadyClock::now();
  alice.submit(conversation, scene.messages - part);
  alice.sync();
  print_rate("outbox_rate", scene.messages - part, begin, SteadyClock::now());
  sleep(kSettle);
  print("outbox_memory_tenth", memory_first, "MiB");
  print("outbox_memory_whole", memory_mib(), "MiB");
  const double processor = processor_seconds();
  const std::uint64_t woken = wake_ups();
  sleep(kQuiet);
  const auto quiet_s = static_cast<double>(kQuiet.count());
  print("outbox_processor", (processor_seconds() - processor) / quiet_s * 100, "%");
  print("outbox_wake_ups", static_cast<double>(wake_ups() - woken) / quiet_s * 60, "1/min");
}

void prepare_idle(const Scene& scene) {
  App me = App::create(scene.folder + "/me", scene.durability);
  me.join(scene.relay);
  for (std::size_t i = 0; i < kContacts; ++i) {
    App other = App::create(scene.folder + "/friend" + std::to_string(i), scene.durability);
    other.join(scene.relay);
    const std::uint64_t to_me = other.add(me.card());
    other.send(to_me);
    me.send(me.accept());
    other.wait_received(1);
    other.wait_delivered(1);
    me.wait_delivered(i + 1);
  }
  me.go_offline();
}

void idle(const Scene& scene) {
  const double memory_before = memory_mib();
  App me = App::open(scene.folder + "/me", scene.durability);
  sleep(kSettle);
  print("idle_memory_offline", memory_mib() - memory_before, "MiB");
  std::uint64_t woken = wake_ups();
  sleep(std::chrono::seconds(scene.idle_s));
  print("idle_wake_ups_offline", static_cast<double>(wake_ups() - woken) / scene.idle_s * 60,
        "1/min");
  me.go_online();
  sleep(kSettle);
  print("idle_memory_online", memory_mib() - memory_before, "MiB");
  woken = wake_ups();
  sleep(std::chrono::seconds(scene.idle_s));
  print("idle_wake_ups_online", static_cast<double>(wake_ups() - woken) / scene.idle_s * 60,
        "1/min");
}

}  // namespace wherry::bench
