// Resets, roll-backs and collisions as a liar makes them (PROTOCOL §4.5, §4.6).
#include "attack.h"
#include "base/limits.h"
#include "engine/greeting.h"

namespace wherry::test {
namespace {

class HostileReset : public Attack {
 protected:
  HostileReset() { meet(); }

  uint64_t incarnation() {
    uint64_t value = 0;
    at_ann([&](engine::Turn&, engine::Contact& c) { value = c.conversation.incarnation; });
    return value;
  }
  // A second envelope under a number that was used.
  void contradict() {
    mallory.listen();
    const session::Ratchet old = mallory.session().ratchet.clone();
    mallory.send(mallory.say("one"));
    world.run_for(100);
    const session::Ratchet next = mallory.session().ratchet.clone();
    mallory.session().ratchet = old.clone();
    mallory.send(mallory.say("another"));
    mallory.session().ratchet = next.clone();
    world.run_for(1'000);
    mallory.begin_stream();
  }
  // Ann has begun anew: Mallory takes it up.
  void expect_reset(int32_t events) {
    EXPECT_EQ(security_events(WHERRY_REASON_ROLLBACK_SUSPECTED), events);
    mallory.listen();
    EXPECT_EQ(mallory.session().ratchet.receive_chains, 1u);
    expect_heard("after " + std::to_string(events));
  }
};

TEST_F(HostileReset, ReceivedOfWhatWasNeverSentBeginsAnew) {
  const uint64_t before = incarnation();
  write("kept");
  mallory.send(mallory.say("lie"),
               {.head = [](session::Head& head) { head.received = 1'000'000; }});
  world.run_for(1'000);
  expect_reset(1);
  EXPECT_NE(incarnation(), before);
  EXPECT_EQ(from_mallory().front(), "hello");
  EXPECT_EQ(mallory.texts(), Texts{"kept"});
}

TEST_F(HostileReset, AnotherEnvelopeUnderAUsedNumberBeginsAnew) {
  contradict();
  EXPECT_EQ(from_mallory().back(), "one");
  expect_reset(1);
}

TEST_F(HostileReset, AKeyThatChangesWithinItsChainBeginsAnew) {
  expect_heard("one");
  mallory.send(mallory.say("two"));
  mallory.send(mallory.say("three"),
               {.head = [](session::Head& head) { ++head.ratchet_key.bytes[0]; }});
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "two");
  mallory.begin_stream();
  expect_reset(1);
}

TEST_F(HostileReset, AChainThatEndsBeforeWhatCameOfItBeginsAnew) {
  for (int i = 0; i < 3; ++i) expect_heard(std::to_string(i));
  for (int i = 0; i < 3; ++i) mallory.send(mallory.say("chain"));
  write("so that Mallory may turn");
  world.run_for(1'000);
  mallory.listen();
  mallory.send(mallory.say("short"),
               {.head = [](session::Head& head) { head.previous_length = 2; }});
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "chain");
  mallory.begin_stream();
  expect_reset(1);
}

TEST_F(HostileReset, ThreeAreMadeInADayHoweverOftenItIsLied) {
  const uint64_t sent = envelopes();
  for (int i = 0; i < 12; ++i) {
    contradict();
    expect_heard("still " + std::to_string(i));
    mallory.offer_reset();
    world.run_for(1'000);
  }
  EXPECT_EQ(security_events(WHERRY_REASON_ROLLBACK_SUSPECTED), limits::kResetsPerDay);
  EXPECT_LE(envelopes() - sent, 100u);
}

TEST_F(HostileReset, LiesInASessionThatWasGivenUpAreNoNews) {
  contradict();
  expect_reset(1);
  HostileSession newest = mallory.drop_session();
  const session::Ratchet old = mallory.session().ratchet.clone();
  for (int i = 0; i < 5; ++i) {
    mallory.send(mallory.say("old"));
    mallory.session().ratchet = old.clone();
    mallory.send(mallory.say("older"),
                 {.head = [](session::Head& head) { head.received = 1 << 20; }});
    world.run_for(1'000);
  }
  EXPECT_EQ(security_events(WHERRY_REASON_ROLLBACK_SUSPECTED), 1);
  talks = false;
}

TEST_F(HostileReset, AUsedBundleServesAnOldDiskForAMonth) {
  const message::ResetOffer used = *mallory.offer();
  const Result<identity::Bundle> bundle =
      identity::Bundle::parse(used.bundle, mallory.their_card().identity);
  const auto greeting = [&](const std::string& text) {
    mallory.begin_stream();
    return mallory.greeting(*bundle, Secret<32>(ByteView(used.fetch)),
                            message::encode(mallory.say(text)));
  };
  mallory.deliver(greeting("reset"));
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "reset");
  EXPECT_NE(mallory.offer()->fetch, used.fetch);  // a fresh one is offered
  const Bytes again = greeting("again");
  mallory.deliver(again);
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "again");
  std::vector<uint64_t> before = kept();
  mallory.deliver(again);
  world.run_for(1'000);
  EXPECT_EQ(kept(), before);

  world.run_for(limits::kPrekeyKeep_ms + limits::kHousekeeping_ms);
  EXPECT_EQ(number("SELECT count(*) FROM prekey WHERE used_ms<>0"), 0u);
  before = kept();
  mallory.deliver(greeting("too late"));
  mallory.drop_session();
  mallory.begin_stream();
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "again");
  EXPECT_EQ(kept(), before);
}

TEST_F(HostileReset, AResetBundleServesItsContactAlone) {
  const message::ResetOffer offer = *mallory.offer();
  const Result<identity::Bundle> bundle =
      identity::Bundle::parse(offer.bundle, mallory.their_card().identity);
  HostilePeer accomplice(world, "accomplice");
  const auto reset = [&] {
    accomplice.deliver_to(mallory.victim_endpoint(),
                          accomplice.greeting(*bundle, Secret<32>(ByteView(offer.fetch)),
                                              message::encode(accomplice.say("in disguise"))));
    world.run_for(1'000);
  };
  std::vector<uint64_t> before = kept();
  reset();
  EXPECT_EQ(kept(), before);
  // Nor when the accomplice is a contact too.
  accomplice.take_card(world.card(ann));
  accomplice.greet(accomplice.say("hello"));
  world.run_for(1'000);
  before = kept();
  reset();
  EXPECT_EQ(kept(), before);
  // It still serves Mallory.
  mallory.begin_stream();
  mallory.reset(mallory.say("mine"));
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "mine");
}

TEST_F(HostileReset, AnOfferThatDoesNotCheckIsNotKept) {
  Bytes known;
  at_ann([&](engine::Turn&, engine::Contact& contact) { known = contact.row.bundle; });
  ASSERT_FALSE(known.empty());
  HostilePeer other(world, "other");
  const identity::Device unlisted = identity::Device::make(mallory.random);
  const identity::DeviceList conflict =
      identity::DeviceList::make(mallory.identity, 1, {unlisted.public_part()});
  Bytes altered = mallory.bundle();
  altered.back() ^= 1;
  for (const Bytes& bundle :
       {other.bundle(), *identity::Bundle::make(unlisted, mallory.list, mallory.prekey), altered,
        *identity::Bundle::make(unlisted, conflict, mallory.prekey), Bytes{0xa0}, Bytes()}) {
    message::Payload payload = mallory.say("with an offer");
    payload.reset = message::ResetOffer{bundle, Bytes32{}};
    mallory.send(payload);
    world.run_for(500);
    EXPECT_EQ(from_mallory().back(), "with an offer");
  }
  at_ann([&](engine::Turn&, engine::Contact& contact) { EXPECT_EQ(contact.row.bundle, known); });
}

TEST_F(HostileReset, AnOfferThatHasExpiredIsNotUsed) {
  const identity::Prekey old = identity::Prekey::make(9, 1'700'000'000, mallory.random);
  message::Payload payload;
  payload.reset = message::ResetOffer{*identity::Bundle::make(mallory.device, mallory.list, old),
                                      to_array<32>(mallory.fetch.view())};
  mallory.send(payload);
  world.run_for(1'000);
  const size_t arrived = mallory.arrived();
  at_ann([](engine::Turn& turn, engine::Contact& contact) {
    engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
  });
  write("waits");
  world.run_for(kHour);
  // Nothing else leads to her: she has to begin.
  EXPECT_EQ(mallory.arrived(), arrived);
  EXPECT_EQ(waiting(), WHERRY_REASON_HANDSHAKE);
  mallory.begin_stream();
  mallory.reset(mallory.say("I begin"));
  world.run_for(1'000);
  EXPECT_EQ(from_mallory().back(), "I begin");
  EXPECT_EQ(mallory.texts(), Texts{"waits"});
}

TEST_F(HostileReset, ResetsAtWillLoseNothing) {
  Texts said{"hello"};
  for (int i = 0; i < 40; ++i) {
    write("a" + std::to_string(i));
    said.push_back("r" + std::to_string(i));
    mallory.begin_stream();
    mallory.reset(mallory.say(said.back()));
    world.run_for(500);
    mallory.listen();
    if (i % 10 == 9) world.run_for(kHour);
  }
  EXPECT_EQ(from_mallory(), said);
  EXPECT_EQ(mallory.texts(), numbered("a", 40));
  EXPECT_LE(number("SELECT count(*) FROM seen"), limits::kUsedPrekeysKept + 2);  // and by the card
  EXPECT_EQ(number("SELECT count(*) FROM prekey WHERE kind=2 AND used_ms=0"), 2u);  // and Bob's
  EXPECT_EQ(number("SELECT count(*) FROM prekey WHERE used_ms<>0"), limits::kUsedPrekeysKept);
}

// Both begin anew at once; Mallory's disk was put back, and what Ann begins with she can not open.
// Ann has to take up Mallory's at last, though its hash is higher.
TEST_F(HostileReset, AResetThatLostIsTakenUpWhenItsAuthorHasNothingElse) {
  const Bytes32 base = mallory.session().hash;
  const message::ResetOffer offer = *mallory.offer();
  mallory.prekey = identity::Prekey::make(8, 4'000'000'000, mallory.random);
  Bytes32 hash{};
  at_ann([](engine::Turn& turn, engine::Contact& contact) {
    engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
  });
  world.run_for(1'000);
  write("first");
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    engine::Session* session = engine::sending_session(turn.profile, contact);
    ASSERT_NE(session, nullptr);
    hash = session->hash;
    EXPECT_EQ(session->follows, base);
  });
  mallory.listen();
  const Result<identity::Bundle> theirs =
      identity::Bundle::parse(offer.bundle, mallory.their_card().identity);
  mallory.begin_stream();
  message::Payload payload = mallory.say("mine");
  payload.follows = base;
  Bytes greeting;
  for (;;) {
    greeting =
        mallory.greeting(*theirs, Secret<32>(ByteView(offer.fetch)), message::encode(payload));
    if (hash < mallory.session().hash) break;
    mallory.drop_session();
  }
  for (int i = 0; i < 120; ++i) {
    mallory.deliver(greeting);
    world.run_for(i < 20 ? 5'000 : 60'000);
  }
  EXPECT_EQ(from_mallory().back(), "mine");
  EXPECT_EQ(mallory.texts(), Texts{"first"});
}

class HostileCollision : public Attack {
 protected:
  // Both begin; Mallory has drawn until her hash was lower, or higher. At once, or she says that
  // she knew of Ann's.
  void collide(bool lower, bool knew = false) {
    mallory.publish_true();
    add_mallory();
    world.run_for(1'000);
    Bytes32 hash{};
    at_ann([&](engine::Turn& turn, engine::Contact& contact) {
      hash = engine::sending_session(turn.profile, contact)->hash;
    });
    mallory.take_card(world.card(ann));
    message::Payload payload = mallory.say("mine");
    payload.endpoints = mallory.endpoints();
    if (knew) payload.follows = hash;
    for (;;) {
      first = mallory.greeting(mallory.their_bundle(), mallory.their_card().fetch_secret,
                               message::encode(payload));
      if ((mallory.session().hash < hash) == lower) break;
      mallory.drop_session();
    }
    mallory.deliver(first);
    world.run_for(1'000);
    EXPECT_EQ(from_mallory(), Texts{"mine"});
  }
  Bytes first;
};

TEST_F(HostileCollision, TheLowerHashSends) {
  // Mallory can not open Ann's, so that what she hears is in her own.
  collide(true);
  mallory.prekey = identity::Prekey::make(8, 4'000'000'000, mallory.random);
  EXPECT_EQ(mallory.texts(), Texts{"first"});
  talks = true;
}

TEST_F(HostileCollision, TheHigherOneIsReceived) {
  collide(false);
  EXPECT_EQ(mallory.texts(), Texts{"first"});  // in Ann's session, which was unanswered
  mallory.send(mallory.acknowledge(2));
  world.run_for(1'000);
  EXPECT_EQ(unacknowledged(), 0u);
  talks = true;
}

TEST_F(HostileCollision, WhoKnewOfTheOtherDidNotBeginAtOnce) {
  collide(false, true);
  mallory.prekey = identity::Prekey::make(8, 4'000'000'000, mallory.random);
  EXPECT_EQ(mallory.texts(), Texts{"first"});  // in hers, whatever its hash
  talks = true;
}

TEST_F(HostileCollision, WhoNeverGotTheWinnerRepeatsForHalfAMinute) {
  collide(false);
  mallory.prekey = identity::Prekey::make(8, 4'000'000'000, mallory.random);
  for (int i = 0; i < 5; ++i) {
    mallory.deliver(first);
    world.run_for(5'000);
  }
  EXPECT_EQ(mallory.texts(), Texts());  // not before
  world.run_for(10'000);
  mallory.deliver(first);
  world.run_for(1'000);
  EXPECT_EQ(mallory.texts(), Texts{"first"});
  EXPECT_EQ(from_mallory(), Texts{"mine"});
  talks = true;
}

}  // namespace
}  // namespace wherry::test
