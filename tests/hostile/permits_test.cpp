// What a contact or a relay does so that more is revealed than is permitted.
#include "attack.h"
#include "base/limits.h"
#include "engine/greeting.h"
#include "engine/leaving.h"
#include "tests/support/reveals.h"

namespace wherry::test {
namespace {

constexpr int64_t kMinute_ms = 60'000;

class HostilePermits : public Attack {
 protected:
  void permit(const wherry_reveals& set) {
    at_ann([&](engine::Turn& turn, engine::Contact& contact) {
      EXPECT_TRUE(engine::set_conversation_permits(turn, contact.conversation.id, set,
                                                   WHERRY_TIGHTENING_NOW));
    });
  }
  message::Endpoints told(uint64_t generation, const std::string& transport,
                          std::optional<std::vector<uint32_t>> permits) {
    return {generation, {{transport, mallory.own_endpoint()}}, std::move(permits), false};
  }
  std::string transport() { return mallory.card().transport; }
};

// Their endpoints are their own affair: where Ann listens for them is hers.
TEST_F(HostilePermits, AContactWhoMovedKeepsNoForbiddenInboxOpen) {
  meet();
  message::Payload moved = mallory.say("I moved");
  moved.endpoints = told(10, "tor", std::nullopt);
  mallory.send(moved);
  world.run_for(1'000);
  permit(no_relay());
  world.run_for(10'000);
  mallory.send(mallory.say("still read"));
  world.run_for(10'000);
  EXPECT_EQ(from_mallory(), (Texts{"hello", "I moved"}));
  permit(policy::everything());
  talks = false;
}

// A call that has returned has acted, however many others wait for their turn.
TEST_F(HostilePermits, ActAtOnceWhoeverWaits) {
  meet();
  engine::Network* network = nullptr;
  bool answered = false;
  bool running = true;
  world.push(
      ann,
      [&, id = contact()](engine::Turn& turn) -> Status {
        network = turn.runtime.networks.begin()->second.get();
        engine::Contact& contact = *turn.profile.contact(id);
        // So many contacts are looked at in one turn.
        for (uint64_t i = 0; i < limits::kPumpContacts; ++i) turn.runtime.pump.push_back(1'000 + i);
        return engine::set_conversation_permits(turn, contact.conversation.id, no_relay(),
                                                WHERRY_TIGHTENING_NOW);
      },
      [&](const Status& outcome) {
        answered = outcome.ok();
        running = network->running();
      });
  world.run_for(100);
  EXPECT_TRUE(answered);
  EXPECT_FALSE(running);
  permit(policy::everything());
  world.run_for(10'000);
}

// Mallory ran from an old disk, begins anew and forbids; the relay had kept what she said before.
TEST_F(HostilePermits, WhatWasSaidBeforeAResetTakesNothingBack) {
  meet();
  message::Payload old;
  old.endpoints = told(9, transport(), std::nullopt);
  const Bytes late = mallory.seal(message::encode(old));
  mallory.begin_stream();
  message::Payload anew = mallory.say("anew");
  anew.endpoints = told(2, transport(), std::vector<uint32_t>{});
  mallory.reset(anew);
  world.run_for(1'000);
  at_ann([&](engine::Turn&, engine::Contact& c) { ASSERT_TRUE(c.theirs && c.theirs->permits); });
  mallory.deliver(late);
  world.run_for(1'000);
  at_ann([&](engine::Turn&, engine::Contact& c) {
    EXPECT_TRUE(c.theirs->permits);
    EXPECT_EQ(c.theirs->generation, 2u);
  });
  talks = false;  // nothing may go to her
}

// A card says nothing of permits that were told since.
TEST_F(HostilePermits, ANewCardForgetsNoPermits) {
  mallory.publish_true();
  meet();
  message::Payload forbids;
  forbids.endpoints = told(10, transport(), std::vector<uint32_t>{});
  const Bytes told_later = mallory.seal(message::encode(forbids));
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
    turn.pump(contact);
  });
  world.run_for(1'000);  // Ann's handshake is under way
  mallory.deliver(told_later);
  world.run_for(1'000);
  at_ann([&](engine::Turn&, engine::Contact& c) { ASSERT_TRUE(c.theirs && c.theirs->permits); });
  const size_t arrived = mallory.arrived();
  ASSERT_TRUE(world.add_by_card(ann, mallory.card_text()));
  write("x");
  world.run_for(60'000);
  EXPECT_EQ(mallory.arrived(), arrived);
  talks = false;
}

// Whoever answers for the relay gives a forged bundle and an expired one in turn, and hangs up.
TEST_F(HostilePermits, ABundleThatIsForgedAgainAndAgainIsToldOnce) {
  const identity::Prekey old = identity::Prekey::make(7, 1'700'000'000, mallory.random);
  const Secret<32> other(mallory.random.bytes(32));
  const auto forged = identity::seal_bundle(other, mallory.bundle(), mallory.random);
  const auto expired = identity::seal_bundle(
      mallory.fetch, *identity::Bundle::make(mallory.device, mallory.list, old), mallory.random);
  mallory.publish(forged);
  add_mallory();
  world.run_for(2'000);
  for (int i = 0; i < 60; ++i) {
    mallory.publish(i % 2 == 0 ? expired : forged);
    world.net().set_online("ann", false);
    world.run_for(500);
    world.net().set_online("ann", true);
    world.run_for(1'500);
  }
  EXPECT_EQ(security_events(WHERRY_REASON_FORGED), 1);
  mallory.publish_true();
  world.run_for(20 * kMinute_ms);
}

// Whatever bits they leave out that mean nothing yet, or as many as a list can have.
TEST_F(HostilePermits, FactsThatNobodyKnowsForbidNothing) {
  meet();
  message::Payload payload;
  payload.endpoints = told(10, transport(), std::vector<uint32_t>(limits::kPermitsMax, 0xffff));
  mallory.send(payload);
  world.run_for(1'000);
  write("goes on");
  world.run_for(2'000);
  EXPECT_EQ(mallory.texts().back(), "goes on");
  payload.endpoints = told(11, transport(), std::vector<uint32_t>(limits::kPermitsMax + 1, 0));
  mallory.send(payload);
  world.run_for(1'000);
  write("and on");
  world.run_for(2'000);
  EXPECT_EQ(mallory.texts().back(), "and on");
}

// A plug-in that tells more of a path, started anew, than it declared: the path is refused.
TEST_F(HostilePermits, APathThatRevealsMoreThanWasDeclaredIsRefused) {
  meet();
  for (const uint32_t bit : {uint32_t{WHERRY_FACT_STABLE_ID}, uint32_t{1} << 31}) {
    world.on_reveals = [bit](wherry_reveals& reveals) {
      reveals.facts[WHERRY_OBSERVER_HOME_OPERATOR] |= bit;
    };
    world.restart(ann);
    world.run_for(kMinute_ms);
    const size_t arrived = mallory.arrived();
    mallory.send(mallory.say("which is heard"));
    write("which waits");
    world.run_for(kMinute_ms);
    EXPECT_EQ(mallory.arrived(), arrived);
    EXPECT_EQ(waiting(), WHERRY_REASON_ENDPOINT_REFUSED);
    world.on_reveals = nullptr;
    world.restart(ann);
    world.run_for(kMinute_ms);
    EXPECT_EQ(mallory.texts().back(), "which waits");
    mallory.listen();
    world.run_for(kMinute_ms);
  }
}

}  // namespace
}  // namespace wherry::test
