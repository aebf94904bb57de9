// Playing a plan: faults come and go, then everything is mended, comes to rest, and is looked at.
#include <exception>

#include "engine/commands.h"
#include "tests/sim/simulation_day.h"

namespace wherry::sim {
namespace {

constexpr int64_t kLookEvery_ms = 30 * 60'000;
constexpr int64_t kOpenAgain_ms = 30'000;

}  // namespace

Outcome Simulation::run() {
  world_.on_disk_stopped = [this](int who) { stop_in_mid_write(who); };
  world_.on_sent_to = [this](int who, const std::string& endpoint, ByteView envelope) {
    check_departure(world_, who, endpoint, envelope);
    if (!plan_.moves) return;
    check_proven(world_, who, endpoint);
    departures_.note(world_, who, endpoint);
  };
  if (plan_.moves) {
    world_.on_close = [this](int who, uint64_t) { departures_.check_close(world_, who); };
    nets_.push_back(&world_.add_net(test::FakeKind::kDirect));
    nets_.push_back(&world_.add_net(test::FakeKind::kHidden));
  }
  for (int i = 0; i < plan_.people; ++i) world_.add(name_of(i));
  const test::Met met = plan_.met_at_once ? test::Met::kAtOnce : test::Met::kOneAsked;
  for (int i = 0; i < plan_.people; ++i) {
    for (int j = 0; j < i; ++j) world_.connect(i, j, met);
  }
  begin_ms_ = world_.now_ms();
  for (const Action& action : plan_.actions) {
    world_.at(begin_ms_ + action.at_ms, [this, action] { act(action); });
  }
  for (int64_t at = kLookEvery_ms; at <= plan_.length_ms; at += kLookEvery_ms) {
    world_.at(begin_ms_ + at, [this] { look(); });
  }
  world_.run_for(plan_.length_ms);
  mend();
  rest();
  outcome_.envelopes = world_.envelopes();
  for (int i = 0; i < plan_.people; ++i) outcome_.turns += world_.turns(i);
  outcome_.violations = world_.violations();
  return std::move(outcome_);
}

void Simulation::tell(const std::string& what) {
  if (trace_) trace_(std::to_string(world_.now_ms() - begin_ms_) + " ms: " + what);
}

// Undoes a fault later, unless everything was mended before.
void Simulation::later(int64_t delay_ms, std::function<void()> undo) {
  world_.at(world_.now_ms() + delay_ms, [this, undo = std::move(undo)] {
    if (!mended_) undo();
  });
}

void Simulation::ended(int who, int64_t for_ms) {
  ++outcome_.crashes;
  later(for_ms, [this, who] { open(who); });
}

void Simulation::open(int who) {
  if (world_.running(who)) return;
  if (world_.disk(who).stopped()) world_.cut_power(who);
  const Status opened = world_.open(who);
  tell(name_of(who) + (opened ? " opens the app" : " can not open: " + opened.error().text));
  if (opened) {
    forgotten_.opened(world_, who);
    apps_.opened(who);
  } else if (opened.error().status == WHERRY_E_DISK && !mended_) {
    later(kOpenAgain_ms, [this, who] { open(who); });
  } else {
    world_.violation("open", name_of(who) + "'s profile does not open: " + opened.error().text);
  }
}

void Simulation::look() {
  for (int who = 0; who < plan_.people; ++who) {
    if (!world_.running(who)) continue;
    world_.push(
        who,
        [this, who](engine::Turn& turn) -> Status {
          check_state(world_, who, turn);
          return {};
        },
        [](const Status&) {});
  }
}

// In a turn of who's, on the conversation with other.
void Simulation::alter(int who, int other,
                       std::function<void(engine::Turn&, engine::Contact&)> change) {
  if (!world_.running(who)) return;
  const uint64_t id = world_.contact(who, other);
  world_.push(
      who,
      [id, change = std::move(change)](engine::Turn& turn) -> Status {
        if (engine::Contact* contact = turn.profile.contact(id)) change(turn, *contact);
        return {};
      },
      [](const Status&) {});
}

void Simulation::start(int who, bool started) {
  world_.push(
      who,
      [started](engine::Turn& turn) {
        return engine::run_transport(turn, turn.profile.transports.begin()->first, started);
      },
      [](const Status&) {});
}

std::string Outcome::invariant() const {
  if (violations.empty()) return "";
  return violations.front().substr(0, violations.front().find(':'));
}

Outcome simulate(const Plan& plan, const std::function<void(const std::string&)>& trace) {
  Simulation simulation(plan, trace);
  try {
    return simulation.run();
  } catch (const std::exception& stopped) {
    Outcome outcome;
    outcome.violations = simulation.violations();
    outcome.violations.push_back(std::string("world: ") + stopped.what());
    return outcome;
  }
}

}  // namespace wherry::sim
