// Drawing a plan.
#include "tests/sim/plan.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "tests/unit/seeded_random.h"

namespace wherry::sim {
namespace {

using test::SeededRandom;

constexpr int64_t kMinute_ms = 60'000;
constexpr int64_t kHour_ms = 60 * kMinute_ms;
constexpr uint64_t kTorSeeds = 1'000'000'007;
constexpr int64_t kHiddenRoute = 3;  // of kRoutes

// How often each kind is drawn, beside the others.
struct Weight {
  Kind kind;
  unsigned weight;
};
constexpr std::array kFaults = {
    Weight{Kind::kKill, 10},     Weight{Kind::kCutPower, 8},      Weight{Kind::kStopDisk, 12},
    Weight{Kind::kFillDisk, 5},  Weight{Kind::kFailDisk, 5},      Weight{Kind::kSpoilLink, 20},
    Weight{Kind::kPartition, 6}, Weight{Kind::kOffline, 8},       Weight{Kind::kLoseRelay, 4},
    Weight{Kind::kJumpClock, 6}, Weight{Kind::kSuspend, 6},       Weight{Kind::kDelayApp, 8},
    Weight{Kind::kClose, 6},     Weight{Kind::kStopTransport, 4}, Weight{Kind::kMoveInbox, 4},
    Weight{Kind::kBoastClock, 2}};

Kind draw_fault(SeededRandom& random) {
  unsigned sum = 0;
  for (const Weight& weight : kFaults) sum += weight.weight;
  auto drawn = static_cast<unsigned>(random.below(sum));
  for (const Weight& weight : kFaults) {
    if (drawn < weight.weight) return weight.kind;
    drawn -= weight.weight;
  }
  return Kind::kKill;
}

int64_t between(SeededRandom& random, int64_t least, int64_t most) {
  return least + static_cast<int64_t>(random.below(static_cast<uint64_t>(most - least + 1)));
}

// Mostly short, sometimes hours.
int64_t duration(SeededRandom& random, int64_t least_ms, int64_t most_ms) {
  int64_t limit = least_ms;
  while (limit < most_ms && random.chance(70)) limit *= 3;
  return between(random, least_ms, std::min(std::max(limit, least_ms + 1), most_ms));
}

class Drawing {
 public:
  explicit Drawing(uint64_t seed) : random_(seed) {
    plan_.seed = seed;
    plan_.people = 3 + static_cast<int>(random_.below(2));
  }

  Plan draw() {
    for (int bursts = static_cast<int>(between(random_, 6, 9)); bursts > 0; --bursts) draw_burst();
    int said = 0;
    while (said < 200) said += say(between(random_, 0, kDay_ms), between(random_, 1, 12));
    if (random_.chance(5)) draw_flood();
    add({between(random_, 0, kDay_ms), Kind::kCutPower, anybody(), 0, 0, 5'000});
    add({between(random_, 0, kDay_ms), Kind::kKill, anybody(), 0, 0, 5'000});
    if (random_.chance(20)) {
      draw_restore();
    }
    if (!restores_ && random_.chance(40)) draw_forbidding();
    if (!restores_ && random_.chance(40)) draw_moves();
    plan_.met_at_once = random_.chance(30);
    if (plan_.moves) {
      random_ = SeededRandom(plan_.seed + kTorSeeds);  // the rest of a seed's plan stays as it was
      draw_tor();
    }
    return std::move(plan_);
  }

 private:
  int anybody() { return static_cast<int>(random_.below(static_cast<uint64_t>(plan_.people))); }
  int another(int than) {
    const int drawn = static_cast<int>(random_.below(static_cast<uint64_t>(plan_.people) - 1));
    return drawn < than ? drawn : drawn + 1;
  }
  // In the order of time; of the same time, in the order of drawing.
  void add(const Action& action) {
    const auto behind = std::ranges::upper_bound(plan_.actions, action.at_ms, {}, &Action::at_ms);
    plan_.actions.insert(behind, action);
  }

  int say(int64_t at_ms, int64_t amount) {
    const int who = anybody();
    add({at_ms, Kind::kSay, who, another(who), amount, 0});
    return static_cast<int>(amount);
  }

  // Faults that meet, with messages between them.
  void draw_burst() {
    const int64_t begin_ms = between(random_, 0, kDay_ms - kHour_ms);
    const int64_t within_ms = duration(random_, 2'000, kHour_ms);
    for (int64_t faults = between(random_, 3, 6); faults > 0; --faults) {
      draw_fault_at(begin_ms + between(random_, 0, within_ms));
    }
    for (int64_t talks = between(random_, 2, 5); talks > 0; --talks) {
      say(begin_ms + between(random_, 0, within_ms), between(random_, 1, 10));
    }
  }

  // More than a window for somebody who is not there.
  void draw_flood() {
    const int who = anybody();
    const int other = another(who);
    const int64_t at_ms = between(random_, 0, kDay_ms - 4 * kHour_ms);
    add({at_ms, Kind::kClose, other, 0, 0, 3 * kHour_ms});
    add({at_ms + 1'000, Kind::kSay, who, other, static_cast<int64_t>(limits::kWindowMessages) + 76,
         0});
  }

  // Whoever gets an old disk back knows no inboxes but those of that time, neither their own nor
  // the others': none is moved then. Only a new card would help. Nor do they know what they told
  // others that they permit.
  void draw_restore() {
    const int who = anybody();
    std::erase_if(plan_.actions,
                  [](const Action& action) { return action.kind == Kind::kMoveInbox; });
    restores_ = true;
    const int64_t at_ms = between(random_, 0, kDay_ms);
    const int64_t for_ms = duration(random_, kMinute_ms, 8 * kHour_ms);
    add({at_ms, Kind::kRestore, who, 0, 0, for_ms});
    // After the day everything is mended, and nothing breaks any more.
    const int64_t back_ms = at_ms + for_ms;
    if (back_ms < kDay_ms && random_.chance(50)) draw_gaps(another(who), who, back_ms);
  }

  // Much of what one says to the other does not arrive until then, what comes behind it does.
  void draw_gaps(int one, int other, int64_t until_ms) {
    constexpr int64_t kGaps_ms = 3'000;
    const int64_t begin_ms = until_ms - kGaps_ms;
    add({begin_ms, Kind::kSpoilLink, one, other, between(random_, 5, 9), kMinute_ms});
    for (int64_t talks = between(random_, 5, 20); talks > 0; --talks) {
      add({begin_ms + between(random_, 0, kGaps_ms), Kind::kSay, one, other, between(random_, 1, 5),
           0});
    }
  }

  // People who change their minds, with messages meanwhile.
  void draw_forbidding() {
    const int64_t begin_ms = between(random_, 0, kDay_ms - kHour_ms);
    for (int64_t times = between(random_, 1, 4); times > 0; --times) {
      const int who = anybody();
      add({begin_ms + between(random_, 0, kHour_ms), Kind::kForbid, who, another(who),
           between(random_, 0, 3), duration(random_, 500, 6 * kHour_ms)});
    }
    for (int64_t talks = between(random_, 2, 5); talks > 0; --talks) {
      say(begin_ms + between(random_, 0, kHour_ms), between(random_, 1, 10));
    }
  }

  // People who go to other networks, at once and against each other, with messages meanwhile.
  void draw_moves() {
    plan_.moves = true;
    for (int64_t bursts = between(random_, 2, 4); bursts > 0; --bursts) {
      const int64_t begin_ms = between(random_, 0, kDay_ms - kHour_ms);
      const int64_t within_ms = duration(random_, 500, kHour_ms);
      const int one = anybody();
      const int other = another(one);
      for (int64_t times = between(random_, 2, 6); times > 0; --times) {
        const bool mine = random_.chance(50);
        add({begin_ms + between(random_, 0, within_ms), Kind::kSetRoute, mine ? one : other,
             mine ? other : one, between(random_, 0, kRoutes.size() - 1), 0});
        // Sometimes more than one envelope holds.
        const int64_t much = random_.chance(25) ? 80 : 10;
        add({begin_ms + between(random_, 0, within_ms), Kind::kSay, one, other,
             between(random_, 1, much), 0});
        add({begin_ms + between(random_, 0, within_ms), Kind::kSay, other, one,
             between(random_, 1, much), 0});
      }
      draw_fault_at(begin_ms + between(random_, 0, within_ms));
      // The old network fails, or the new one, or both; this way, that way, or both.
      for (int64_t nets = between(random_, 0, 2); nets > 0; --nets) {
        Action fault{begin_ms, random_.chance(80) ? Kind::kSpoilLink : Kind::kPartition,
                     one,      other,
                     0,        duration(random_, 500, kHour_ms)};
        draw_amount(fault);
        add(fault);
        std::swap(fault.who, fault.other);
        if (random_.chance(50)) add(fault);
      }
    }
    std::erase_if(plan_.actions,
                  [](const Action& action) { return action.kind == Kind::kMoveInbox; });
  }

  // Two who go to the hidden network, or are there, while their tors do what tors do.
  void draw_tor() {
    for (int64_t bursts = between(random_, 1, 3); bursts > 0; --bursts) {
      const int64_t begin_ms = between(random_, 0, kDay_ms - 2 * kHour_ms);
      const int64_t within_ms = between(random_, 10 * kMinute_ms, kHour_ms);
      const int one = anybody();
      const int other = another(one);
      for (const auto& [who, peer] : {std::pair(one, other), std::pair(other, one)}) {
        Action slow{
            begin_ms, Kind::kSlowTor, who, peer, 0, duration(random_, kMinute_ms, kHour_ms)};
        draw_amount(slow);
        if (random_.chance(80)) add(slow);
        if (random_.chance(70)) add({begin_ms, Kind::kSetRoute, who, peer, kHiddenRoute, 0});
      }
      for (int64_t faults = between(random_, 3, 8); faults > 0; --faults) {
        draw_tor_fault_at(begin_ms + between(random_, 0, within_ms), one, other);
      }
      if (random_.chance(30)) {
        add({begin_ms + within_ms, Kind::kSetRoute, one, other,
             between(random_, 0, kRoutes.size() - 1), 0});
      }
    }
    std::erase_if(plan_.actions,
                  [](const Action& action) { return action.kind == Kind::kMoveInbox; });
  }

  // One that hits whoever hears or whoever speaks, as they go on talking.
  void draw_tor_fault_at(int64_t at_ms, int one, int other) {
    static constexpr std::array kTorFaults = {Kind::kKillTor, Kind::kStallLink, Kind::kClose,
                                              Kind::kKill, Kind::kOffline};
    if (random_.chance(50)) std::swap(one, other);
    const auto drawn = static_cast<size_t>(between(random_, 0, kTorFaults.size() - 1));
    add({at_ms, kTorFaults.at(drawn), one, other, 0, duration(random_, 1'000, 10 * kMinute_ms)});
    for (int64_t talks = between(random_, 1, 4); talks > 0; --talks) {
      std::swap(one, other);
      add({at_ms + duration(random_, 1, 5 * kMinute_ms), Kind::kSay, one, other,
           between(random_, 1, 5), 0});
    }
  }

  void draw_fault_at(int64_t at_ms) {
    Action action{
        at_ms, draw_fault(random_), anybody(), 0, 0, duration(random_, 500, 6 * kHour_ms)};
    action.other = another(action.who);
    draw_amount(action);
    add(action);
  }

  void draw_amount(Action& action) {
    switch (action.kind) {
      case Kind::kStopDisk:
        action.amount = between(random_, 1, 60);
        break;
      case Kind::kFillDisk:
        action.amount = between(random_, 0, 40'000);
        break;
      case Kind::kFailDisk:
        action.amount = between(random_, 1, 300);
        break;
      case Kind::kSpoilLink:
      case Kind::kSlowTor:
        action.amount = static_cast<int64_t>(random_.below(1'000'000));
        break;
      case Kind::kJumpClock:
        action.amount = between(random_, -3 * kDay_ms, 3 * kDay_ms);
        break;
      case Kind::kDelayApp:
        action.amount = duration(random_, 100, kHour_ms);
        break;
      default:
        break;
    }
  }

  SeededRandom random_;
  Plan plan_;
  bool restores_ = false;
};

constexpr std::array<const char*, kKinds> kNames = {"says",
                                                    "is killed",
                                                    "loses power",
                                                    "has a disk that stops",
                                                    "has a full disk",
                                                    "has a failing disk",
                                                    "has a bad link",
                                                    "is parted",
                                                    "is offline",
                                                    "relay forgets",
                                                    "has a clock that jumps",
                                                    "is suspended",
                                                    "gets an old disk back",
                                                    "has a slow app",
                                                    "closes the app",
                                                    "stops the transport",
                                                    "moves an inbox",
                                                    "boasts with a clock",
                                                    "forbids the relay",
                                                    "sets the route",
                                                    "has a slow tor",
                                                    "loses their tor",
                                                    "has a dead link"};

}  // namespace

Plan make_plan(uint64_t seed) {
  return Drawing(seed).draw();
}

std::string name_of(int person) {
  static constexpr std::array kPeople = {"ann", "bob", "cyd", "dan", "eve"};
  return kPeople.at(static_cast<size_t>(person));
}

std::string describe(const Action& action) {
  std::string text = std::to_string(action.at_ms) + " ms: " + name_of(action.who) + " " +
                     kNames.at(static_cast<size_t>(action.kind));
  if (action.kind == Kind::kSay) {
    return text + " " + std::to_string(action.amount) + " to " + name_of(action.other);
  }
  if (action.kind == Kind::kSetRoute) {
    return text + " " + kRoutes.at(static_cast<size_t>(action.amount)) + " with " +
           name_of(action.other);
  }
  text += " (" + name_of(action.other);
  if (action.amount != 0) text += ", " + std::to_string(action.amount);
  return text + ", for " + std::to_string(action.for_ms) + " ms)";
}

bool is_fault(Kind kind) {
  return kind != Kind::kSay;
}

}  // namespace wherry::sim
