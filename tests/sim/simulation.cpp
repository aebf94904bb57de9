// Playing a plan: faults come and go, then everything is mended, comes to rest, and is looked at.
#include "tests/sim/simulation.h"

#include <algorithm>
#include <exception>

#include "engine/permits.h"
#include "policy/reveals.h"
#include "tests/sim/apps.h"
#include "tests/sim/invariants.h"

namespace wherry::sim {
namespace {

using test::FakeFaults;
using test::World;

constexpr int64_t kLookEvery_ms = 30 * 60'000;
constexpr int64_t kOpenAgain_ms = 30'000;
constexpr uint64_t kNeverStop = uint64_t{1} << 62;
constexpr int64_t kRestLimit_ms = 60 * kDay_ms;
constexpr int64_t kQuiet_ms = 25 * 3'600'000;
constexpr int64_t kPermitsActWithin_ms = 3'000;
// Each hour cards and prekeys are looked at.
constexpr uint64_t kQuietTurns = 60;

FakeFaults link_faults(int64_t amount) {
  const auto digit = [&](int64_t place) { return static_cast<double>(amount / place % 10); };
  FakeFaults faults;
  faults.loss = digit(1) / 15;
  faults.lying = digit(10) / 9;
  faults.duplicate = digit(100) / 20;
  faults.reorder = digit(1'000) / 15;
  faults.false_failure = digit(10'000) / 40;
  faults.delay_ms_max = 1 + static_cast<int64_t>(digit(100'000) * digit(100'000) * 300);
  return faults;
}

class Simulation {
 public:
  Simulation(const Plan& plan, const std::function<void(const std::string&)>& trace)
      : plan_(plan),
        trace_(trace),
        world_(plan.seed, test::FakeKind::kStored, test::Disks::kFaulty),
        apps_(world_) {}

  Outcome run() {
    world_.on_disk_stopped = [this](int who) { stop_in_mid_write(who); };
    world_.on_sent_to = [this](int who, const std::string& endpoint) {
      check_departure(world_, who, endpoint);
    };
    for (int i = 0; i < plan_.people; ++i) world_.add(name_of(i));
    for (int i = 0; i < plan_.people; ++i) {
      for (int j = 0; j < i; ++j) world_.connect(i, j);
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

  std::vector<std::string> violations() const { return world_.violations(); }

 private:
  void tell(const std::string& what) {
    if (trace_) trace_(std::to_string(world_.now_ms() - begin_ms_) + " ms: " + what);
  }

  // Undoes a fault later, unless everything was mended before.
  void later(int64_t delay_ms, std::function<void()> undo) {
    world_.at(world_.now_ms() + delay_ms, [this, undo = std::move(undo)] {
      if (!mended_) undo();
    });
  }

  void ended(int who, int64_t for_ms) {
    ++outcome_.crashes;
    later(for_ms, [this, who] { open(who); });
  }

  // The process is killed there, or the power fails; or the one, and soon after it the other, which
  // then takes what the next process had read.
  void stop_in_mid_write(int who) {
    test::SeededRandom& random = world_.random();
    const bool kill = random.chance(50);
    tell(name_of(who) + (kill ? " is killed in mid-write" : " loses power in mid-write"));
    if (kill) {
      world_.crash(who);
    } else {
      world_.cut_power(who);
    }
    ended(who, 5'000);
    if (!kill || random.chance(50)) return;
    later(5'000 + static_cast<int64_t>(random.below(3'000)), [this, who] {
      if (!world_.running(who)) return;
      tell(name_of(who) + " loses power");
      world_.cut_power(who);
      ended(who, 5'000);
    });
  }

  void open(int who) {
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

  void look() {
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

  void act(const Action& action);
  void act_on_disk(const Action& action);
  void act_on_network(const Action& action);
  void act_on_person(const Action& action);

  // Whether `who` was told of the inbox that `other` has for them.
  bool knows_inbox(int who, int other) {
    if (!world_.running(who) || !world_.running(other)) return false;
    store::Connection& db = world_.database(who);
    const uint64_t contact = world_.contact(who, other);
    const auto rows = store::contacts(db, contact - 1, 1);
    const auto told = rows.empty() ? Result<message::Endpoints>(message::Endpoints())
                                   : message::Endpoints::from_bytes(rows.front().endpoints);
    if (!told || told->list.empty()) return false;
    return std::ranges::any_of(store::inboxes(world_.database(other)),
                               [&](const store::InboxRow& inbox) {
                                 return inbox.kind == store::InboxKind::kContact &&
                                        inbox.owner == world_.contact(other, who) &&
                                        inbox.endpoint == told->list.front().text;
                               });
  }

  // In a turn of who's, on the conversation with other.
  void alter(int who, int other, std::function<void(engine::Turn&, engine::Contact&)> change) {
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

  void forbid(const Action& action) {
    const int who = action.who;
    const int other = action.other;
    wherry_reveals set = policy::everything();
    if (action.amount == 0) {
      set.facts[WHERRY_OBSERVER_HOME_OPERATOR] &= ~uint32_t{WHERRY_FACT_MY_IP};
    } else {
      set.facts[WHERRY_OBSERVER_FAR_OPERATOR] &= ~uint32_t{WHERRY_FACT_OTHER_IP};
    }
    permit(who, other, set);
    later(kPermitsActWithin_ms, [this, who] {
      if (world_.running(who)) check_listening(world_, who);
    });
    later(action.for_ms, [this, who, other] { permit(who, other, policy::everything()); });
  }

  void permit(int who, int other, const wherry_reveals& set) {
    alter(who, other, [set](engine::Turn& turn, engine::Contact& contact) {
      (void)engine::set_conversation_permits(turn, contact.row.conversation, set);
    });
  }

  void permit_everybody(int who, const wherry_reveals& set) {
    for (int other = 0; other < plan_.people; ++other) {
      if (other != who) permit(who, other, set);
    }
  }

  void mend() {
    tell("everything is mended");
    mended_ = true;
    world_.net().set_faults(FakeFaults());
    for (int who = 0; who < plan_.people; ++who) {
      world_.net().set_online(name_of(who), true);
      world_.delay_app(who, 0);
      world_.disk(who).set_space(std::nullopt);
      world_.disk(who).set_failures(0, 0);
      world_.disk(who).stop_after(kNeverStop);
      if (world_.disk(who).stopped()) world_.cut_power(who);
      world_.suspend(who, false);
      open(who);
      if (!world_.running(who)) continue;
      start(who, true);
      permit_everybody(who, policy::everything());
    }
  }

  void start(int who, bool started) {
    world_.push(
        who,
        [started](engine::Turn& turn) {
          return engine::run_transport(turn, turn.profile.transports.begin()->first, started);
        },
        [](const Status&) {});
  }

  bool settled() const {
    if (!apps_.idle()) return false;
    for (int one = 0; one < plan_.people; ++one) {
      for (int other = 0; other < plan_.people; ++other) {
        if (one != other && world_.outbox(one, other) != 0) return false;
      }
    }
    return true;
  }

  void rest() {
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
    world_.run_for(10 * 60'000);
    tell("nothing is under way");
    look();
    world_.run_for(1'000);
    check_rest(world_, apps_, forgotten_, boasts_);
    everybody_forbids_push();
    // Whoever ran from an old disk learns so by the first answer, and is healed from then on: what
    // is said arrives at once, under fresh keys.
    everybody_speaks(2 * kDay_ms);
    for (int who = 0; who < plan_.people; ++who) world_.forgive_restored(who);
    everybody_speaks(10 * 60'000);
    stay_quiet();
  }

  void tell_stuck(int one, int other) {
    world_.violation("delivery", name_of(one) + " has " +
                                     std::to_string(world_.outbox(one, other)) + " messages for " +
                                     name_of(other) +
                                     " that are not acknowledged after 60 days (waits for reason " +
                                     std::to_string(world_.waiting_reason(one, other)) + ")");
  }

  // What no path here reveals: so that it is told, and stops nothing.
  void everybody_forbids_push() {
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

  void everybody_speaks(int64_t limit_ms) {
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

  void stay_quiet() {
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
        world_.violation(
            "quiet", name_of(who) + " took " + std::to_string(taken) + " turns in 25 idle hours");
      }
    }
  }

  const Plan& plan_;
  const std::function<void(const std::string&)>& trace_;
  World world_;
  Apps apps_;
  Forgotten forgotten_;
  Boasts boasts_;
  Outcome outcome_;
  int64_t begin_ms_ = 0;
  bool mended_ = false;
};

void Simulation::act(const Action& action) {
  tell(describe(action).substr(std::to_string(action.at_ms).size() + 5));
  if (is_fault(action.kind)) ++outcome_.faults;
  switch (action.kind) {
    case Kind::kSay:
      outcome_.messages += static_cast<uint64_t>(action.amount);
      apps_.say(action.who, action.other, action.amount);
      break;
    case Kind::kCutPower:
    case Kind::kStopDisk:
    case Kind::kFillDisk:
    case Kind::kFailDisk:
    case Kind::kRestore:
      act_on_disk(action);
      break;
    case Kind::kSpoilLink:
    case Kind::kPartition:
    case Kind::kOffline:
    case Kind::kLoseRelay:
    case Kind::kStopTransport:
    case Kind::kMoveInbox:
      act_on_network(action);
      break;
    default:
      act_on_person(action);
  }
}

void Simulation::act_on_disk(const Action& action) {
  const int who = action.who;
  switch (action.kind) {
    case Kind::kCutPower:
      if (!world_.running(who)) break;
      world_.cut_power(who);
      ended(who, std::min<int64_t>(action.for_ms, 3'600'000));
      break;
    case Kind::kStopDisk:
      if (world_.running(who)) {
        world_.disk(who).stop_after(static_cast<uint64_t>(action.amount));
      }
      break;
    case Kind::kFillDisk:
      world_.disk(who).set_space(static_cast<uint64_t>(action.amount));
      later(action.for_ms, [this, who] { world_.disk(who).set_space(std::nullopt); });
      break;
    case Kind::kFailDisk: {
      const double share = static_cast<double>(action.amount) / 1'000;
      world_.disk(who).set_failures(share, share);
      later(action.for_ms, [this, who] { world_.disk(who).set_failures(0, 0); });
      break;
    }
    default:  // kRestore
      world_.save_image(who);
      later(action.for_ms, [this, who] {
        tell(name_of(who) + " gets the old disk back");
        forgotten_.note(world_, who);
        world_.put_image(who);
        ended(who, 1'000);
      });
  }
}

void Simulation::act_on_network(const Action& action) {
  const std::string who = name_of(action.who);
  const std::string other = name_of(action.other);
  switch (action.kind) {
    case Kind::kSpoilLink:
      world_.net().set_faults(who, other, link_faults(action.amount));
      later(action.for_ms, [this, who, other] { world_.net().set_faults(who, other, {}); });
      break;
    case Kind::kPartition:
      world_.net().set_partition(who, other, true);
      later(action.for_ms, [this, who, other] { world_.net().set_partition(who, other, false); });
      break;
    case Kind::kOffline:
      world_.net().set_online(who, false);
      later(action.for_ms, [this, who] { world_.net().set_online(who, true); });
      break;
    case Kind::kLoseRelay:
      world_.net().lose_store();
      break;
    case Kind::kStopTransport:
      if (!world_.running(action.who)) break;
      start(action.who, false);
      later(action.for_ms, [this, action] {
        if (world_.running(action.who)) start(action.who, true);
      });
      break;
    default:  // kMoveInbox
      // Whoever does not know where the other is now must not be lost by the other: the old inbox
      // is closed at once here, not when its successor is known.
      if (!knows_inbox(action.who, action.other)) break;
      alter(action.who, action.other, [](engine::Turn& turn, engine::Contact& contact) {
        const store::InboxRow* inbox = turn.profile.inbox_of(
            store::InboxKind::kContact, contact.row.id, turn.profile.transports.begin()->first);
        engine::Network* network = turn.runtime.networks.begin()->second.get();
        if (inbox == nullptr || !network->running()) return;
        const uint64_t id = inbox->id;
        store::inbox_delete(turn.db, id);
        turn.profile.remove_inbox(id);
        turn.calls.push_back([network, id] {
          if (network->running()) network->instance->close_inbox(id);
        });
        turn.pump(contact);
      });
  }
}

void Simulation::act_on_person(const Action& action) {
  const int who = action.who;
  switch (action.kind) {
    case Kind::kKill:
    case Kind::kClose:
      if (!world_.running(who)) break;
      if (action.kind == Kind::kKill) {
        world_.crash(who);
      } else {
        world_.close(who);
      }
      ended(who,
            action.kind == Kind::kKill ? std::min<int64_t>(action.for_ms, 60'000) : action.for_ms);
      break;
    case Kind::kJumpClock:
      world_.jump_clock(who, action.amount);
      break;
    case Kind::kSuspend:
      world_.suspend(who, true);
      later(action.for_ms, [this, who] { world_.suspend(who, false); });
      break;
    case Kind::kDelayApp:
      world_.delay_app(who, action.amount);
      later(action.for_ms, [this, who] { world_.delay_app(who, 0); });
      break;
    case Kind::kForbid:
      forbid(action);
      break;
    default:  // kBoastClock
      boasts_.insert({who, action.other});
      alter(who, action.other, [](engine::Turn& turn, engine::Contact& contact) {
        contact.conversation.clock += 1'000'000;
        turn.changed_conversation(contact);
      });
  }
}

}  // namespace

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
