// A day of a simulated world: for simulation*.cpp alone. simulation.cpp plays the plan,
// simulation_faults.cpp what goes wrong in it, simulation_rest.cpp what is seen when it is over.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/sim/apps.h"
#include "tests/sim/invariants.h"
#include "tests/sim/moving_checks.h"
#include "tests/sim/simulation.h"
#include "tests/support/reveals.h"

namespace wherry::sim {

class Simulation {
 public:
  Simulation(const Plan& plan, const std::function<void(const std::string&)>& trace)
      : plan_(plan),
        trace_(trace),
        world_(plan.seed, test::FakeKind::kStored, test::Disks::kFaulty),
        nets_{&world_.net()},
        apps_(world_) {}

  Outcome run();
  std::vector<std::string> violations() const { return world_.violations(); }

 private:
  void tell(const std::string& what);
  // Undoes a fault later, unless everything was mended before.
  void later(int64_t delay_ms, std::function<void()> undo);
  void ended(int who, int64_t for_ms);
  void open(int who);
  void look();
  // In a turn of who's, on the conversation with other.
  void alter(int who, int other, std::function<void(engine::Turn&, engine::Contact&)> change);
  void start(int who, bool started);

  // What goes wrong.
  void act(const Action& action);
  void act_on_disk(const Action& action);
  void act_on_network(const Action& action);
  void act_on_tor(const Action& action);  // of the hidden network, which is the last
  void act_on_person(const Action& action);
  // The process is killed there, or the power fails; or the one, and soon after it the other, which
  // then takes what the next process had read.
  void stop_in_mid_write(int who);
  // Whether `who` was told of the inbox that `other` has for them.
  bool knows_inbox(int who, int other);
  void forbid(const Action& action);
  void permit(int who, int other, const wherry_reveals& set,
              int32_t tightening = WHERRY_TIGHTENING_ANNOUNCE);
  void permit_profile(int who, const wherry_reveals& set);
  void set_route(int who, int other, const std::string& route);
  void permit_everybody(int who, const wherry_reveals& set);

  // What is seen when it is over.
  void mend();
  void rest();
  bool settled() const;
  void tell_stuck(int one, int other);
  // The relay that two of them use is forbidden by one of them, who has other networks.
  void somebody_leaves_the_relay();
  // What no path here reveals: so that it is told, and stops nothing.
  void everybody_forbids_push();
  void everybody_speaks(int64_t limit_ms);
  void stay_quiet();

  const Plan& plan_;
  const std::function<void(const std::string&)>& trace_;
  test::World world_;
  std::vector<test::FakeNet*> nets_;
  Apps apps_;
  Forgotten forgotten_;
  Departures departures_;
  Boasts boasts_;
  Outcome outcome_;
  int64_t begin_ms_ = 0;
  bool mended_ = false;
};

}  // namespace wherry::sim
