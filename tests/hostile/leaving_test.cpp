// Who is left, and makes leaving fail or never end.
#include "engine/leaving.h"

#include "attack.h"
#include "engine/greeting.h"
#include "policy/reveals.h"
#include "tests/support/reveals.h"

namespace wherry::test {
namespace {

constexpr int64_t kMinute_ms = 60'000;

class HostileLeaving : public Attack {
 protected:
  void forbid_direct() {
    ASSERT_TRUE(world.run(ann, [](engine::Turn& turn) {
      return engine::set_profile_permits(turn,
                                         all_but(WHERRY_OBSERVER_OTHER_PERSON, WHERRY_FACT_MY_IP),
                                         WHERRY_TIGHTENING_ANNOUNCE);
    }));
    world.run_for(kMinute_ms);
  }
  bool direct_runs() {
    bool running = false;
    EXPECT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
      for (const auto& [id, network] : turn.runtime.networks) {
        if (turn.profile.transports.at(id).name == "fake-direct") running = network->running();
      }
      return {};
    }));
    return running;
  }
  // A request that waits.
  void knock() {
    mallory.take_card(world.card(ann));
    message::Payload first = mallory.say("hello");
    const std::string nobody = "fkd1:" + std::string(32, '1') + "/" + std::string(32, '1');
    first.endpoints =
        message::Endpoints{1, {{"fake-direct", nobody}, {"fake-stored", "unreadable"}}, {}, false};
    mallory.greet(first);
    ASSERT_TRUE(world.until([&] { return contact() != 0; }, kMinute_ms));
  }
};

TEST_F(HostileLeaving, WhoAsksForFreshCopiesKeepsNobodyThere) {
  meet();
  const std::string old = mallory.victim_endpoint();
  FakeFaults slow;
  slow.delay_ms_min = slow.delay_ms_max = 200;
  world.net().set_faults("ann", "mallory", slow);
  const size_t before = mallory.arrived();
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    EXPECT_TRUE(engine::set_conversation_permits(turn, contact.conversation.id, no_relay(),
                                                 WHERRY_TIGHTENING_ANNOUNCE));
  });
  message::Payload again;
  again.reseal = true;
  for (int i = 0; i < 600; ++i) {
    mallory.deliver_to(old, mallory.seal(message::encode(again)));
    world.run_for(100);
  }
  bool leaving = true;
  at_ann([&](engine::Turn&, engine::Contact& contact) {
    leaving = contact.conversation.leaving.has_value();
  });
  EXPECT_FALSE(leaving);
  EXPECT_LE(mallory.arrived() - before, 3u);
  talks = false;
}

TEST_F(HostileLeaving, AStrangerKeepsNoForbiddenNetworkOnline) {
  knock();
  forbid_direct();
  EXPECT_FALSE(direct_runs());
  world.restart(ann);
  world.run_for(kMinute_ms);
  EXPECT_FALSE(direct_runs());
}

TEST_F(HostileLeaving, AStrangerHearsNoLastWord) {
  knock();
  const uint64_t before = more->counts().sent;
  forbid_direct();
  forbid_direct();
  EXPECT_EQ(more->counts().sent, before);
}

// Whoever never answers a handshake keeps nobody on a network that they have forbidden.
TEST_F(HostileLeaving, WhoNeverAnswersKeepsNobodyThere) {
  meet();
  const std::string first = mallory.victim_endpoint();
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
    turn.pump(contact);
  });
  world.run_for(kMinute_ms);
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    EXPECT_TRUE(engine::set_conversation_permits(turn, contact.conversation.id, no_relay(),
                                                 WHERRY_TIGHTENING_ANNOUNCE));
  });
  world.run_for(72 * 60 * kMinute_ms);
  EXPECT_FALSE(world.net().read_at(first)) << "Ann still listens there, three days later";
  at_ann(
      [&](engine::Turn&, engine::Contact& contact) { EXPECT_FALSE(contact.conversation.leaving); });
  talks = false;
}

// Nor does somebody whose card was added, and who was never there.
TEST_F(HostileLeaving, WhoWasNeverThereKeepsNobodyOnANetworkThatIsForbidden) {
  mallory.publish_true();
  add_mallory();
  world.run_for(kMinute_ms);
  ASSERT_TRUE(world.run(ann, [](engine::Turn& turn) {
    return engine::set_profile_permits(turn, no_relay(), WHERRY_TIGHTENING_ANNOUNCE);
  }));
  const uint64_t of_bob = world.contact(ann, bob);
  world.run_for(72 * 60 * kMinute_ms);
  EXPECT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
    EXPECT_FALSE(turn.profile.contact(of_bob)->conversation.leaving);
    EXPECT_FALSE(turn.profile.contact(contact())->conversation.leaving);
    EXPECT_FALSE(turn.runtime.networks.begin()->second->running());
    return {};
  }));
  ASSERT_TRUE(world.run(ann, [](engine::Turn& turn) {
    return engine::set_profile_permits(turn, policy::everything(), WHERRY_TIGHTENING_NOW);
  }));
  world.run_for(kMinute_ms);
}

}  // namespace
}  // namespace wherry::test
