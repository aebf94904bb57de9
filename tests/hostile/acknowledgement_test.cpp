// Acknowledgements and requests to seal anew that break a rule (PROTOCOL §5.2, §6, §7).
#include "attack.h"
#include "base/limits.h"
#include "codec/cbor.h"
#include "engine/greeting.h"

namespace wherry::test {
namespace {

class HostileAcknowledgement : public Attack {
 protected:
  HostileAcknowledgement() { meet(); }

  void write_all(const Texts& texts) {
    for (const std::string& text : texts) write(text);
    world.run_for(1'000);
    mallory.listen();
  }
  void send_ack(const message::Ack& ack) {
    message::Payload payload;
    payload.acks.push_back(ack);
    mallory.send(payload);
    world.run_for(100);
  }
  size_t asked_to_reseal() {
    size_t count = 0;
    for (const message::Payload& payload : mallory.heard()) count += payload.reseal ? 1 : 0;
    return count;
  }
};

TEST_F(HostileAcknowledgement, OfWhatWasNeverSentIsIgnored) {
  write_all({"a", "b"});
  for (uint64_t next : {uint64_t{4}, uint64_t{100}, uint64_t{INT64_MAX}}) {
    mallory.send(mallory.acknowledge(next));
  }
  mallory.send(mallory.acknowledge(1, {{3, 3}}));
  mallory.send(mallory.acknowledge(1, {{INT64_MAX - 1, INT64_MAX}}));
  world.run_for(500);
  EXPECT_EQ(unacknowledged(), 2u);
  mallory.send(mallory.acknowledge(3));
  world.run_for(500);
  EXPECT_EQ(unacknowledged(), 0u);
}

TEST_F(HostileAcknowledgement, OfAnotherStreamIsIgnored) {
  write_all({"a"});
  const uint64_t incarnation = mallory.victim_incarnation();
  send_ack({incarnation + 1, 2, {}, {}, {}});
  send_ack({incarnation, 2, {}, Id128{1}, {}});
  send_ack({incarnation, 2, {}, {}, Id128{1}});
  EXPECT_EQ(unacknowledged(), 1u);
  send_ack({incarnation, 2, {}, {}, {}});
  EXPECT_EQ(unacknowledged(), 0u);
}

TEST_F(HostileAcknowledgement, ThatIsMalformedTakesItsPayloadWithIt) {
  write_all({"a", "b", "c"});
  const auto with = [&](uint64_t next, std::initializer_list<uint64_t> ranges) {
    codec::CborWriter out;
    out.map(1).key(2).array(1).array(3).uint(mallory.victim_incarnation()).uint(next);
    out.array(ranges.size());
    for (uint64_t number : ranges) out.uint(number);
    mallory.send(out.view());
    world.run_for(100);
  };
  with(0, {});
  with(1, {2});
  with(1, {3, 2});
  with(1, {1, 2});
  with(4, {2, 3});
  with(UINT64_MAX, {});
  EXPECT_EQ(unacknowledged(), 3u);
  codec::CborWriter many;
  many.map(1).key(2).array(65);
  for (int i = 0; i < 65; ++i) many.array(3).uint(mallory.victim_incarnation()).uint(4).array(0);
  mallory.send(many.view());
  world.run_for(100);
  EXPECT_EQ(unacknowledged(), 3u);
  with(4, {});
  EXPECT_EQ(unacknowledged(), 0u);
}

// Whoever lies of their own storing loses what they did not store, and nothing later.
TEST_F(HostileAcknowledgement, ALieOfWhatIsStoredCostsTheLiar) {
  write_all({"a"});
  mallory.send(mallory.acknowledge(2));
  world.run_for(100);
  mallory.send(mallory.acknowledge(1));  // and takes it back
  write_all({"b"});
  EXPECT_EQ(mallory.texts(), (Texts{"a", "b"}));
  EXPECT_EQ(unacknowledged(), 1u);
}

TEST_F(HostileAcknowledgement, BeyondAGapFreesNoPlaceInTheOrder) {
  write_all(numbered("a", 50));
  mallory.send(mallory.acknowledge(1, {{3, 50}}));
  world.run_for(500);
  EXPECT_EQ(unacknowledged(), 50u);
  at_ann([](engine::Turn&, engine::Contact& contact) {
    EXPECT_EQ(contact.outbox.window_messages, 2u);
  });
  mallory.send(mallory.acknowledge(1));
  mallory.send(mallory.acknowledge(51));
  world.run_for(500);
  EXPECT_EQ(unacknowledged(), 0u);
  at_ann([](engine::Turn&, engine::Contact& contact) {
    EXPECT_EQ(contact.outbox.window_messages, 0u);
  });
}

// Numbered, but not sealed: the window is full.
TEST_F(HostileAcknowledgement, OfWhatWaitsTakesNothingOfItAway) {
  write_all(numbered("a", limits::kWindowMessages + 40));
  EXPECT_EQ(mallory.texts().size(), limits::kWindowMessages);
  mallory.send(mallory.acknowledge(limits::kWindowMessages + 41));
  world.run_for(2'000);
  EXPECT_EQ(mallory.texts(), numbered("a", limits::kWindowMessages + 40));
}

TEST_F(HostileAcknowledgement, WithoutOneTheWindowIsTheMost) {
  write_all(numbered("a", limits::kWindowMessages + 100));
  const size_t arrived = mallory.arrived();
  world.run_for(kHour / 2);
  EXPECT_EQ(mallory.texts().size(), limits::kWindowMessages);
  EXPECT_EQ(mallory.arrived(), arrived);
  EXPECT_EQ(number("SELECT count(*) FROM outbox WHERE sealed<>0"), limits::kWindowMessages);
}

TEST_F(HostileAcknowledgement, ResealIsObeyedEveryTenSeconds) {
  write_all(numbered("a", 20));
  const uint64_t before = envelopes();
  message::Payload reseal;
  reseal.reseal = true;
  for (int i = 0; i < 300; ++i) {
    mallory.send(reseal);
    world.run_for(100);
  }
  // Thirty seconds: three or four times what waits, which shares envelopes.
  EXPECT_LE(envelopes() - before, 4u * 4);
  EXPECT_EQ(mallory.texts(), numbered("a", 20));
  mallory.send(mallory.acknowledge(21));
  world.run_for(500);
  EXPECT_EQ(unacknowledged(), 0u);
}

TEST_F(HostileAcknowledgement, AResealStormThatSettlesNothingEndsAtTheLimits) {
  write_all(numbered("a", 60));
  message::Payload reseal;
  reseal.reseal = true;
  const auto never = [](session::Head& head) { head.received = 0; };
  for (int i = 0; i < 500; ++i) {
    mallory.send(reseal, {.head = never});
    world.run_for(10'000);
  }
  mallory.listen();
  EXPECT_EQ(security_events(WHERRY_REASON_ROLLBACK_SUSPECTED), 0);
  at_ann([](engine::Turn& turn, engine::Contact& contact) {
    for (uint64_t id : contact.sessions) {
      EXPECT_LE(turn.profile.session(id)->ratchet.unsettled(), limits::kUnsettledMax);
    }
  });
  mallory.begin_stream();
  EXPECT_EQ(mallory.texts(), numbered("a", 60));
}

TEST_F(HostileAcknowledgement, AFreshCopyIsAskedForOnceAMinute) {
  for (int i = 0; i < 600; ++i) {
    mallory.deliver(mallory.random.bytes(512));
    world.run_for(500);
    if (i % 60 == 0) expect_heard("between");  // so that it was mended
  }
  EXPECT_GE(asked_to_reseal(), 4u);
  EXPECT_LE(asked_to_reseal(), 6u);
}

TEST_F(HostileAcknowledgement, WhatStaysShutBeginsAnewThriceADay) {
  for (int i = 0; i < 60; ++i) {
    mallory.deliver(mallory.random.bytes(512));
    world.run_for(20'000);
    if (i % 6 != 5) continue;
    mallory.listen();
    mallory.send(mallory.acknowledge(1));  // an answer to what was begun
    world.run_for(100);
  }
  size_t resets = 0;
  at_ann([&](engine::Turn&, engine::Contact& contact) {
    resets = delivery::ResetBudget::from_bytes(contact.row.resets).used;
  });
  EXPECT_LE(resets, static_cast<size_t>(limits::kResetsPerDay));
  EXPECT_EQ(security_events(WHERRY_REASON_ROLLBACK_SUSPECTED), 0);
}

TEST_F(HostileAcknowledgement, ResealTakesNoUnansweredHandshakeAway) {
  // Ann begins anew; what she begins with is lost, though her network says that it is stored.
  world.on_envelope = [&](int who, Bytes& envelope) {
    if (who == ann) envelope.assign(envelope.size(), 0);
  };
  write("a");
  at_ann([](engine::Turn& turn, engine::Contact& contact) {
    engine::reset_sessions(turn, contact, WHERRY_REASON_NONE);
  });
  world.run_for(1'000);
  world.on_envelope = nullptr;
  message::Payload reseal;
  reseal.reseal = true;
  mallory.send(reseal);  // in the session that Ann gave up
  world.run_for(2 * kHour);
  EXPECT_EQ(mallory.texts(), Texts{"a"});
}

// By `received` an envelope is settled, not a message.
TEST_F(HostileAcknowledgement, ReceivedInAHeaderAcknowledgesNoMessage) {
  write_all({"a"});
  mallory.send(mallory.say("all of it"), {.head = [&](session::Head& head) {
                 head.received = mallory.session().ratchet.received;
               }});
  world.run_for(500);
  EXPECT_EQ(unacknowledged(), 1u);
}

}  // namespace
}  // namespace wherry::test
