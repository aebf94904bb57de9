// Two people who lie to nobody: a network does not work, a process ends, a disk is put back, while
// an address is about to be hidden (PROTOCOL §7.2).
#include <gtest/gtest.h>

#include "base/limits.h"
#include "engine/greeting.h"
#include "tests/support/texts.h"
#include "tests/support/world.h"

namespace wherry::test {
namespace {

constexpr int64_t kMinute_ms = 60'000;
constexpr int64_t kHour_ms = 60 * kMinute_ms;

// Two people by links that show their addresses, who have links that hide them as well. Nobody
// lies: a network does not work, or a process ends, at the wrong moment.
class Hiding : public testing::Test {
 protected:
  Hiding() : direct(world.add_net(FakeKind::kDirect)), hidden(world.add_net(FakeKind::kHidden)) {
    ann = world.add("ann");
    bob = world.add("bob");
    world.connect(ann, bob);
    world.run_for(2'000);
    EXPECT_TRUE(world.set_route(bob, ann, "fake-direct"));
    EXPECT_TRUE(
        world.until([&] { return world.route(ann, bob).sending == "fake-direct"; }, kHour_ms));
    world.run_for(kMinute_ms);
  }
  int32_t state() { return world.route(ann, bob).sending_state; }
  // Of the newest set of Bob's that Ann knows.
  uint64_t generation() {
    uint64_t value = 0;
    const uint64_t id = world.contact(ann, bob);
    EXPECT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
      value = turn.profile.contact(id)->theirs->generation;
      return {};
    }));
    return value;
  }

  void reset(int who) {
    const uint64_t id = world.contact(who, who == ann ? bob : ann);
    ASSERT_TRUE(world.run(who, [&](engine::Turn& turn) -> Status {
      engine::Contact& contact = *turn.profile.contact(id);
      engine::reset_sessions(turn, contact, WHERRY_REASON_ROLLBACK_SUSPECTED);
      turn.pump(contact);
      return {};
    }));
  }
  std::string standing() {
    const engine::RouteView view = world.route(ann, bob);
    return "sends by " + view.sending + ", " + std::to_string(view.sending_state) + ", " +
           std::to_string(view.sending_reason) + ", waits for " +
           std::to_string(world.waiting_reason(ann, bob));
  }

  World world{1};
  FakeNet& direct;
  FakeNet& hidden;
  int ann = 0;
  int bob = 0;
};

// Bob reaches Ann, and is not reached by her, as behind a router. He hides his address: from the
// moment that she knows, the old path is used no more, not even to look whether he is there.
TEST_F(Hiding, AnOldPathThatDidNotWorkIsNotDialledInTheQuiet) {
  FakeFaults away;
  away.partition = true;
  direct.set_faults("ann", "bob", away);
  world.submit(ann, bob, "waits");
  world.run_for(kMinute_ms);
  EXPECT_TRUE(world.set_route(bob, ann, "fake-hidden"));
  ASSERT_TRUE(world.until([&] { return state() == WHERRY_ROUTE_STATE_QUIET; }, kHour_ms));
  world.suspend(bob, true);  // whoever dials now is Ann
  const uint64_t before = direct.counts().connects;
  uint64_t during = before;
  uint64_t sent = 0;
  world.on_sent_to = [&](int who, const std::string& endpoint, ByteView) {
    if (who == ann && endpoint.starts_with("fkd1:")) ++sent;
  };
  while (state() == WHERRY_ROUTE_STATE_QUIET) {
    during = direct.counts().connects;
    world.run_for(100);
  }
  EXPECT_EQ(sent, 0u);
  EXPECT_EQ(during - before, 0u);
  world.on_sent_to = nullptr;
  world.suspend(bob, false);
  EXPECT_TRUE(world.until([&] { return world.outbox(ann, bob) == 0; }, kHour_ms));
}

// Her process ended and begins again, without the old network: it showed her address until then.
// Bob ran from an old disk, or Ann did: she begins a session anew, in the quiet. Nothing goes by
// the old path, and nothing is proven of the new one.
TEST_F(Hiding, ASessionThatIsBegunAnewInTheQuietStrandsNobody) {
  EXPECT_TRUE(world.set_route(bob, ann, "fake-hidden"));
  ASSERT_TRUE(world.until([&] { return state() == WHERRY_ROUTE_STATE_QUIET; }, kHour_ms));
  reset(ann);
  world.submit(ann, bob, "from ann");
  world.submit(bob, ann, "from bob");
  world.run_for(48 * kHour_ms);
  EXPECT_EQ(world.outbox(ann, bob), 0u) << standing();
  EXPECT_EQ(world.outbox(bob, ann), 0u);
}

// Bob listens on both, and it is Ann who wants to hide from now on.
TEST_F(Hiding, IsQuietWhenItIsOnesOwnRouteThatChanges) {
  EXPECT_TRUE(world.set_route(ann, bob, "fake-direct"));
  EXPECT_TRUE(world.set_route(bob, ann, "fake-direct,fake-hidden"));
  world.run_for(10 * kMinute_ms);
  world.submit(ann, bob, "by direct links");
  world.run_for(1'000);
  int64_t last_shown = 0;
  int64_t first_hidden = 0;
  world.on_sent_to = [&](int who, const std::string& endpoint, ByteView) {
    if (who != ann) return;
    if (!endpoint.starts_with("fkh1:")) last_shown = world.now_ms();
    if (endpoint.starts_with("fkh1:") && first_hidden == 0) first_hidden = world.now_ms();
  };
  world.submit(ann, bob, "the last by direct links");
  world.run_for(100);
  EXPECT_TRUE(world.set_route(ann, bob, "fake-hidden"));
  world.submit(ann, bob, "hidden");
  ASSERT_TRUE(
      world.until([&] { return world.route(ann, bob).sending == "fake-hidden"; }, kHour_ms));
  world.run_for(10 * kMinute_ms);
  EXPECT_GE(first_hidden - last_shown, limits::kQuietMin_ms);
  world.on_sent_to = nullptr;
  EXPECT_EQ(world.outbox(ann, bob), 0u);
}

class HidingAfterAll : public Hiding, public testing::WithParamInterface<bool> {};
TEST_P(HidingAfterAll, IsQuietWhenTheOldNetworkDoesNotRunAnyMore) {
  const bool restarts = GetParam();
  EXPECT_TRUE(world.set_route(ann, bob, "fake-direct,fake-hidden"));
  ASSERT_TRUE(
      world.until([&] { return world.route(bob, ann).sending == "fake-direct"; }, kHour_ms));
  world.run_for(10 * kMinute_ms);
  ASSERT_EQ(world.route(ann, bob).sending, "fake-direct");
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
    for (const auto& [id, row] : turn.profile.transports) {
      if (row.name == "fake-direct") return engine::run_transport(turn, id, false);
    }
    return {};
  }));
  if (restarts) world.restart(ann);
  int64_t known = 0;
  int64_t first_hidden = 0;
  world.on_sent_to = [&](int who, const std::string& endpoint, ByteView) {
    if (who == ann && endpoint.starts_with("fkh1:") && first_hidden == 0) {
      first_hidden = world.now_ms();
    }
  };
  const uint64_t before = generation();
  EXPECT_TRUE(world.set_route(bob, ann, "fake-hidden"));
  ASSERT_TRUE(world.until([&] { return generation() > before && (known = world.now_ms()) != 0; },
                          kHour_ms));
  ASSERT_TRUE(world.until([&] { return first_hidden != 0; }, kHour_ms));
  EXPECT_GE(first_hidden - known, limits::kQuietMin_ms);
  world.on_sent_to = nullptr;
}

INSTANTIATE_TEST_SUITE_P(AndWhenItsProcessEnded, HidingAfterAll, testing::Bool());

}  // namespace
}  // namespace wherry::test
