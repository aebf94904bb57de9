// What goes wrong in a day.
#include <algorithm>

#include "engine/leaving.h"
#include "engine/moving.h"
#include "tests/sim/simulation_day.h"

namespace wherry::sim {
namespace {

using test::FakeFaults;

constexpr int64_t kPermitsActWithin_ms = 3'000;

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

// A start in up to four minutes, the rest as of a real tor at its worst.
test::TorFaults tor_faults(int64_t amount) {
  const auto digit = [&](int64_t place) { return amount / place % 10; };
  test::TorFaults faults;
  faults.bootstrap_ms = digit(1) * digit(1) * 3'000;
  faults.publish_ms = digit(10) * 1'500;
  faults.dial_ms = digit(100) * 1'000;
  faults.dial_failure = static_cast<double>(digit(1'000)) / 12;
  faults.memory_ms = digit(10'000) * 13'000;
  if (digit(100'000) < 3) faults.inboxes_max = static_cast<size_t>(digit(100'000));
  return faults;
}

}  // namespace

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
    case Kind::kSlowTor:
    case Kind::kKillTor:
    case Kind::kStallLink:
      act_on_tor(action);
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
  test::FakeNet* net = nets_[static_cast<size_t>(action.for_ms) % nets_.size()];
  switch (action.kind) {
    case Kind::kSpoilLink:
      net->set_faults(who, other, link_faults(action.amount));
      later(action.for_ms, [net, who, other] { net->set_faults(who, other, {}); });
      break;
    case Kind::kPartition:
      net->set_partition(who, other, true);
      later(action.for_ms, [net, who, other] { net->set_partition(who, other, false); });
      break;
    case Kind::kOffline:
      net->set_online(who, false);
      later(action.for_ms, [net, who] { net->set_online(who, true); });
      break;
    case Kind::kLoseRelay:
      net->lose_store();
      break;
    case Kind::kStopTransport:
      if (!world_.running(action.who)) break;
      start(action.who, false);
      later(action.for_ms, [this, action] {
        if (world_.running(action.who)) start(action.who, true);
      });
      break;
    default:  // kMoveInbox
      // Whoever does not know where the other is now, or may not tell them anything, must not be
      // lost by the other: the old inbox is closed at once here, not when its successor is known.
      if (!knows_inbox(action.who, action.other)) break;
      alter(action.who, action.other, [](engine::Turn& turn, engine::Contact& contact) {
        if (std::ranges::none_of(contact.paths, &engine::PathEntry::permitted)) return;
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

void Simulation::act_on_tor(const Action& action) {
  const std::string who = name_of(action.who);
  test::FakeNet* net = nets_.back();
  switch (action.kind) {
    case Kind::kSlowTor:
      net->set_tor(who, tor_faults(action.amount));
      later(action.for_ms, [net, who] { net->set_tor(who, {}); });
      break;
    case Kind::kKillTor:
      net->kill_tor(who);
      break;
    default:  // kStallLink
      net->stall_links(who, name_of(action.other));
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
    case Kind::kSetRoute:
      set_route(who, action.other, kRoutes.at(static_cast<size_t>(action.amount)));
      break;
    default:  // kBoastClock
      boasts_.insert({who, action.other});
      alter(who, action.other, [](engine::Turn& turn, engine::Contact& contact) {
        contact.conversation.clock += 1'000'000;
        turn.changed_conversation(contact);
      });
  }
}

// The process is killed there, or the power fails; or the one, and soon after it the other, which
// then takes what the next process had read.
void Simulation::stop_in_mid_write(int who) {
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
  // Often before the next process has synced anything of its own.
  const uint64_t soon_ms = random.chance(50) ? 30 : 3'000;
  later(5'000 + static_cast<int64_t>(random.below(soon_ms)), [this, who] {
    if (!world_.running(who)) return;
    tell(name_of(who) + " loses power");
    world_.cut_power(who);
    ended(who, 5'000);
  });
}

// Whether `who` was told of the inbox that `other` has for them.
bool Simulation::knows_inbox(int who, int other) {
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

void Simulation::forbid(const Action& action) {
  const int who = action.who;
  const int other = action.other;
  if (action.amount == 2) {
    permit_profile(who, test::no_relay());
    later(action.for_ms, [this, who] { permit_profile(who, policy::everything()); });
    return;
  }
  const bool theirs = action.amount == 1;
  permit(
      who, other,
      theirs ? test::all_but(WHERRY_OBSERVER_FAR_OPERATOR, WHERRY_FACT_OTHER_IP) : test::no_relay(),
      action.amount == 3 ? WHERRY_TIGHTENING_NOW : WHERRY_TIGHTENING_ANNOUNCE);
  later(kPermitsActWithin_ms, [this, who] {
    if (world_.running(who)) check_listening(world_, who);
  });
  later(action.for_ms, [this, who, other] { permit(who, other, policy::everything()); });
}

void Simulation::permit(int who, int other, const wherry_reveals& set, int32_t tightening) {
  alter(who, other, [set, tightening](engine::Turn& turn, engine::Contact& contact) {
    (void)engine::set_conversation_permits(turn, contact.row.conversation, set, tightening);
  });
}

void Simulation::permit_profile(int who, const wherry_reveals& set) {
  if (!world_.running(who)) return;
  world_.push(
      who,
      [set](engine::Turn& turn) {
        return engine::set_profile_permits(turn, set, WHERRY_TIGHTENING_ANNOUNCE);
      },
      [](const Status&) {});
}

void Simulation::set_route(int who, int other, const std::string& route) {
  alter(who, other, [route](engine::Turn& turn, engine::Contact& contact) {
    (void)engine::set_route(turn, contact.row.conversation, route);
  });
}

void Simulation::permit_everybody(int who, const wherry_reveals& set) {
  for (int other = 0; other < plan_.people; ++other) {
    if (other != who) permit(who, other, set);
  }
}

}  // namespace wherry::sim
