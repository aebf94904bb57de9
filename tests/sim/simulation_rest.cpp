// Mending everything, coming to rest, and what must hold then.
#include "base/limits.h"
#include "tests/sim/simulation_day.h"

namespace wherry::sim {
namespace {

constexpr uint64_t kNeverStop = uint64_t{1} << 62;
constexpr int64_t kSlowestApp_ms = 61 * 60'000;
// Of what a network lost that said it had stored it: the longest wait of all (PROTOCOL §7.1).
constexpr int64_t kRestLimit_ms = limits::kRetryStoredMax_ms + kSlowestApp_ms;
constexpr int64_t kQuiet_ms = 25 * 3'600'000;
// Probes that are not answered are repeated every two hours at most, and so many an hour.
constexpr int64_t kMoveLimit_ms = 5 * 3'600'000;
// Each hour cards and prekeys are looked at.
constexpr uint64_t kQuietTurns = 60;

}  // namespace

void Simulation::mend() {
  tell("everything is mended");
  mended_ = true;
  for (test::FakeNet* net : nets_) net->set_faults({});
  for (int who = 0; who < plan_.people; ++who) {
    for (test::FakeNet* net : nets_) net->set_online(name_of(who), true);
    nets_.back()->set_tor(name_of(who), {});
    world_.delay_app(who, 0);
    world_.disk(who).set_space(std::nullopt);
    world_.disk(who).set_failures(0, 0);
    world_.disk(who).stop_after(kNeverStop);
    if (world_.disk(who).stopped()) world_.cut_power(who);
    world_.suspend(who, false);
    open(who);
    if (!world_.running(who)) continue;
    start(who, true);
    permit_profile(who, policy::everything());
    permit_everybody(who, policy::everything());
  }
}

void Simulation::rest() {
  const auto all_run = [this] {
    for (int who = 0; who < plan_.people; ++who) {
      if (!world_.running(who)) return false;
    }
    return true;
  };
  if (!all_run()) return;
  const bool settled = world_.until([this] { return this->settled(); }, kRestLimit_ms);
  if (!settled) {
    for (int one = 0; one < plan_.people; ++one) {
      for (int other = 0; other < plan_.people; ++other) {
        if (one != other && world_.outbox(one, other) != 0) tell_stuck(one, other);
      }
    }
    return;
  }
  world_.run_for(kSlowestApp_ms);
  tell("nothing is under way");
  look();
  world_.run_for(1'000);
  check_rest(world_, apps_, forgotten_, boasts_);
  if (plan_.moves) {
    world_.until([this] { return all_moved(world_); }, kMoveLimit_ms);
    check_moved(world_);
    somebody_leaves_the_relay();
  }
  everybody_forbids_push();
  // Whoever ran from an old disk learns so by the first answer, and is healed from then on: what
  // is said arrives at once, under fresh keys.
  everybody_speaks(2 * kDay_ms);
  for (int who = 0; who < plan_.people; ++who) world_.forgive_restored(who);
  everybody_speaks(10 * 60'000);
  stay_quiet();
}

bool Simulation::settled() const {
  if (!apps_.idle()) return false;
  for (int one = 0; one < plan_.people; ++one) {
    for (int other = 0; other < plan_.people; ++other) {
      if (one != other && world_.outbox(one, other) != 0) return false;
    }
  }
  return true;
}

void Simulation::tell_stuck(int one, int other) {
  world_.violation("delivery", name_of(one) + " has " + std::to_string(world_.outbox(one, other)) +
                                   " messages for " + name_of(other) +
                                   " that are not acknowledged after a day (waits for reason " +
                                   std::to_string(world_.waiting_reason(one, other)) + ")");
}

void Simulation::somebody_leaves_the_relay() {
  for (const char* route : {"fake-stored", "auto"}) {
    set_route(0, 1, route);
    set_route(1, 0, route);
    world_.run_for(1'000);
    world_.until([this] { return all_moved(world_); }, kMoveLimit_ms);
  }
  tell(name_of(0) + " leaves the relay");
  permit(0, 1, test::no_relay());
  apps_.say(0, 1, 1);
  apps_.say(1, 0, 1);
  world_.run_for(1'000);
  check_leaving(world_, 0, 1);
  if (!world_.until([this] { return settled(); }, kMoveLimit_ms)) {
    world_.violation("left", name_of(0) + " has left the relay, and is not found elsewhere");
  }
  world_.run_for(60'000);
  check_left(world_, 0, 1);
  permit(0, 1, policy::everything());
}

// What no path here reveals: so that it is told, and stops nothing.
void Simulation::everybody_forbids_push() {
  wherry_reveals set = policy::everything();
  set.facts[WHERRY_OBSERVER_PUSH] = 0;
  for (int who = 0; who < plan_.people; ++who) permit_everybody(who, set);
  world_.run_for(2 * kDay_ms);
  for (int one = 0; one < plan_.people; ++one) {
    for (int other = 0; other < plan_.people; ++other) {
      if (one != other) check_told(world_, one, other);
    }
  }
}

void Simulation::everybody_speaks(int64_t limit_ms) {
  for (int one = 0; one < plan_.people; ++one) {
    for (int other = 0; other < plan_.people; ++other) {
      if (one != other) apps_.say(one, other, 1);
    }
  }
  if (!world_.until([this] { return settled(); }, limit_ms)) {
    world_.violation("healed", "a message does not arrive although nothing is wrong any more");
  }
  world_.run_for(60'000);
}

void Simulation::stay_quiet() {
  const uint64_t envelopes = world_.envelopes();
  std::vector<uint64_t> turns;
  for (int who = 0; who < plan_.people; ++who) turns.push_back(world_.turns(who));
  world_.run_for(kQuiet_ms);
  if (world_.envelopes() != envelopes) {
    world_.violation("quiet", "envelopes are sent although nothing is left to do");
  }
  for (int who = 0; who < plan_.people; ++who) {
    const uint64_t taken = world_.turns(who) - turns[static_cast<size_t>(who)];
    if (taken > kQuietTurns) {
      world_.violation("quiet",
                       name_of(who) + " took " + std::to_string(taken) + " turns in 25 idle hours");
    }
  }
}

}  // namespace wherry::sim
