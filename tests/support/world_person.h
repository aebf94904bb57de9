// One person of a World: machine, engine, app. For world*.cpp alone.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "engine/core.h"
#include "store/profile_files.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fault_disk.h"
#include "tests/support/world.h"

namespace wherry::test {

inline constexpr int64_t kWallStart_ms = 1'800'000'000'000;

struct PersonClock : Clock {
  FakeClock* clock = nullptr;
  int64_t wall_offset_ms = 0;
  int64_t wall_ms() override { return kWallStart_ms + clock->now_ms() + wall_offset_ms; }
  int64_t steady_ms() override { return clock->now_ms() + 1'000'000; }
};

struct PersonExecutor : Executor {
  std::function<void()> on_wake;
  void start(Turn) override {}
  void wake() override { on_wake(); }
  void stop() override {}
};

struct World::Person {
  Person(std::string called, Log::Sink sink)
      : name(std::move(called)), log(LogLevel::kDebug, std::move(sink)) {}

  std::string name;
  int index = 0;
  PersonClock clock;
  PersonExecutor executor;
  Log log;
  std::unique_ptr<FaultDisk> disk;  // Disks::kFaulty
  bool unsynced = false;  // what the process before left in the log has not been synced since
  std::unique_ptr<store::ProfileFiles> files;  // Disks::kFiles
  std::optional<DiskImage> image;
  std::unique_ptr<engine::Feed> feed;
  std::unique_ptr<engine::Core> core;
  std::unique_ptr<store::Connection> reader;
  Bytes32 identity{};
  uint64_t transport = 0;  // the first network's
  uint64_t life = 0;
  int64_t asked_at = Executor::kNever;
  int64_t turn_ms = -1;
  int turns_this_ms = 0;
  int64_t turn_minute = -1;
  int turns_this_minute = 0;
  uint64_t turns = 0;
  bool in_turn = false;
  bool suspended = false;
  bool restored = false;
  bool reuses_keys = false;                          // since then, and not yet known to be healed
  std::map<int, std::pair<uint64_t, uint64_t>> met;  // contact and conversation, by index

  // The app. What it has taken and not yet written down goes with the process.
  bool acknowledge = true;
  int64_t app_delay_ms = 0;
  std::vector<engine::Event> taken;
  Ledger ledger;
};

}  // namespace wherry::test
