// Carriers that hold back, repeat and lie, disks that are put back, and contacts who let others
// work or wait for them (PROTOCOL §1, §4.5, §4.6, §6, §7).
#include <chrono>
#include <map>

#include "base/limits.h"
#include "carried.h"
#include "engine/sending.h"

namespace wherry::test {
namespace {

class HostileCarrier : public Carried {
 protected:
  void lose(bool all) { lose("ann", "bob", all); }
  void lose(const char* from, const char* to, bool all) {
    FakeFaults faults;
    faults.loss = all ? 1 : 0;  // and says that it has stored it
    world.net().set_faults(from, to, faults);
  }
  void submit_and_lose(const std::string& text) {
    lose(true);
    world.submit(ann, bob, text);
    world.run_for(5);
    lose(false);
  }
  // Bob has 40 messages of Ann's. What acknowledged them is lost; what he says next tells that
  // their envelopes have come, and so Ann's floor rises above them: none of them is news to him,
  // however often it is repeated.
  void lose_acknowledgement() {
    lose("bob", "ann", true);
    for (const std::string& text : numbered("m", 40)) {
      world.submit(ann, bob, text);
      world.run_for(20);
    }
    world.run_for(1'000);
    lose("bob", "ann", false);
    world.submit(bob, ann, "heard");
    world.run_for(100);
  }
  // The first message of a feed is lost. Bob has the others, says so, and forgets them. Gives all
  // that he should have in the end.
  Texts feed_and_forget() {
    submit_and_lose("m0");
    const Texts feed = numbered("m", 60);
    for (size_t i = 1; i < feed.size(); ++i) {
      world.submit(ann, bob, feed[i]);
      world.run_for(5);
    }
    world.run_for(500);
    at(ann, [](engine::Turn&, engine::Contact& contact) {
      EXPECT_GT(contact.outbox.beyond_gap_messages, 0u);
    });
    at(bob, [](engine::Turn& turn, engine::Contact& contact) {
      for (engine::IncomingStream& stream : contact.streams) {
        store::early_forget(
            turn.db, {contact.row.conversation, stream.device, stream.incarnation, 0, {}, false});
        stream.stream.beyond.clear();
        turn.changed(contact, stream);
      }
      contact.early_bytes = 0;
    });
    Texts expected{"hello"};
    expected.insert(expected.end(), feed.begin(), feed.end());
    return expected;
  }
};

// One envelope of a long feed is lost, though the carrier says that it is stored. What goes on
// meanwhile may be further ahead than its receiver stores.
TEST_F(HostileCarrier, OneEnvelopeLostOfALongFeedStallsNothing) {
  meet();
  submit_and_lose("m0");
  const Texts feed = numbered("m", static_cast<int>(limits::kReceiveAhead) + 500);
  for (size_t i = 1; i < feed.size(); ++i) {
    world.submit(ann, bob, feed[i]);
    if (i % 50 == 0) world.run_for(1);
  }
  EXPECT_TRUE(settle(10 * kMinute));
  Texts expected{"hello"};
  expected.insert(expected.end(), feed.begin(), feed.end());
  EXPECT_EQ(world.received(bob, ann).size(), expected.size());
  EXPECT_EQ(world.received(bob, ann), expected);
  EXPECT_EQ(world.violations(), Texts());
}

// The same, of messages so large that bytes are the limit.
TEST_F(HostileCarrier, OneEnvelopeLostOfAFeedOfLargeOnesStallsNothing) {
  meet();
  submit_and_lose("lost");
  constexpr size_t kSize = 32'768;
  const size_t count = limits::kAheadBytes / kSize + 100;
  for (size_t i = 0; i < count; ++i) world.submit(ann, bob, std::string(kSize, 'x'));
  size_t most = 0;
  EXPECT_TRUE(world.until(
      [&] {
        at(ann, [&](engine::Turn&, engine::Contact& contact) {
          most = std::max(most, contact.outbox.window_bytes + contact.outbox.beyond_gap_bytes);
        });
        return world.outbox(ann, bob) == 0;
      },
      10 * kMinute));
  EXPECT_LE(most, limits::kAheadBytes);
  EXPECT_GT(most + kSize, limits::kAheadBytes);
  EXPECT_EQ(world.received(bob, ann).size(), count + 2);
  EXPECT_EQ(world.violations(), Texts());
}

TEST_F(HostileCarrier, ALostAcknowledgementIsMissed) {
  meet();
  lose_acknowledgement();
  EXPECT_GT(world.outbox(ann, bob), 0u);
  EXPECT_TRUE(settle(5'000));
  EXPECT_EQ(world.received(bob, ann).size(), 41u);
  EXPECT_EQ(world.violations(), Texts());
}

// Whoever opens the profile again does not know since when it is missed.
TEST_F(HostileCarrier, ALostAcknowledgementIsMissedAfterARestart) {
  meet();
  lose_acknowledgement();
  world.restart(ann);
  EXPECT_TRUE(settle(5'000));
  EXPECT_EQ(world.received(bob, ann).size(), 41u);
  EXPECT_EQ(world.violations(), Texts());
}

// Bob had no room for what came before its turn, and forgot it, though he said that he has it.
TEST_F(HostileCarrier, WhatTheReceiverForgotIsSealedAnew) {
  meet();
  const Texts expected = feed_and_forget();
  EXPECT_TRUE(settle(kMinute));
  EXPECT_EQ(world.received(bob, ann), expected);
  EXPECT_EQ(world.violations(), Texts());
}

// Ann knows that he forgot it, and her app is closed before she may seal it anew. Nothing else is
// under way that would tell her again.
TEST_F(HostileCarrier, WhatTheReceiverForgotIsSealedAnewAfterARestart) {
  meet();
  const Texts expected = feed_and_forget();
  // A window was sealed anew just now, as after a move.
  at(ann, [](engine::Turn& turn, engine::Contact& contact) { contact.resealed_at = turn.now; });
  uint64_t forgotten = 0;
  ASSERT_TRUE(world.until(
      [&] {
        at(ann,
           [&](engine::Turn&, engine::Contact& contact) { forgotten = contact.outbox.forgotten; });
        return forgotten != 0;
      },
      5'000));
  world.restart(ann);
  EXPECT_TRUE(settle(kHour));
  EXPECT_EQ(world.received(bob, ann).size(), expected.size());
  EXPECT_EQ(world.received(bob, ann), expected);
  EXPECT_EQ(world.violations(), Texts());
}

// As long as they do not come, it is asked for ever more seldom, by an envelope.
TEST_F(HostileCarrier, AcknowledgementsThatNeverComeAreAskedForSeldom) {
  meet();
  lose_acknowledgement();
  lose("bob", "ann", true);
  const uint64_t sent = world.net().counts().sent;
  // Less than until all is repeated that the network says it has stored.
  world.run_for(50 * kMinute);
  EXPECT_LE(world.net().counts().sent - sent, 30u);
  lose("bob", "ann", false);
  EXPECT_TRUE(settle(2 * kHour));
}

// "This endpoint will never take it", said once by a relay that lies.
TEST_F(HostileCarrier, ARefusalForGoodIsDoubtedWhenTheyAreHeard) {
  meet();
  FakeFaults slow;
  slow.delay_ms_min = slow.delay_ms_max = 1'000;
  world.net().set_faults("ann", "bob", slow);
  world.submit(ann, bob, "one");
  world.run_for(10);
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
    engine::Network& network = *turn.runtime.networks.begin()->second;
    EXPECT_EQ(network.flights.size(), 1u);
    engine::on_sent(turn, network,
                    {network.id(), network.flights.begin()->first, WHERRY_OUTCOME_FAILED_PERMANENT,
                     WHERRY_REASON_NOT_FOUND});
    return {};
  }));
  world.net().set_faults("ann", "bob", {});
  world.submit(ann, bob, "two");
  for (int i = 0; i < 20; ++i) {
    world.submit(bob, ann, "b" + std::to_string(i));
    world.run_for(kHour);
  }
  EXPECT_EQ(world.received(bob, ann), (Texts{"hello", "one", "two"}));
  EXPECT_EQ(world.outbox(bob, ann), 0u);
}

// Everything that was ever carried, once more and backwards.
TEST_F(HostileCarrier, TheWholePastBackwards) {
  std::vector<std::pair<std::string, Bytes>> past;
  world.on_sent_to = [&](int who, const std::string& endpoint, ByteView envelope) {
    if (who < 2) past.emplace_back(endpoint, Bytes(envelope.begin(), envelope.end()));
  };
  meet();
  chat("m", 30);
  ASSERT_TRUE(settle(kMinute));
  world.on_sent_to = nullptr;
  const Texts at_bob = world.received(bob, ann);
  const Texts at_ann = world.received(ann, bob);
  HostilePeer carrier(world, "carrier");
  const uint64_t before = world.envelopes();
  for (int times = 0; times < 2; ++times) {
    for (auto one = past.rbegin(); one != past.rend(); ++one) {
      carrier.deliver_to(one->first, one->second);
      world.run_for(50);
    }
  }
  EXPECT_LE(world.envelopes() - before, 60u);
  chat("n", 5);
  EXPECT_TRUE(settle(kMinute));
  EXPECT_EQ(world.received(bob, ann).size(), at_bob.size() + 5);
  EXPECT_EQ(world.received(ann, bob).size(), at_ann.size() + 5);
  EXPECT_EQ(world.count_events(ann, WHERRY_EVENT_SECURITY), 0);
  EXPECT_EQ(world.count_events(bob, WHERRY_EVENT_SECURITY), 0);
  EXPECT_EQ(world.violations(), Texts());
}

// Whoever carries an envelope can copy its tag, and come first with another header or body.
TEST_F(HostileCarrier, AnAlteredCopyThatComesFirstTakesNothing) {
  meet();
  HostilePeer carrier(world, "carrier");
  Texts expected{"hello"};
  for (size_t place : {size_t{16}, size_t{24}, size_t{163}, size_t{164}, size_t{511}}) {
    std::string endpoint;
    Bytes envelope;
    world.on_sent_to = [&](int who, const std::string& to, ByteView bytes) {
      if (who != ann || !envelope.empty()) return;
      endpoint = to;
      envelope.assign(bytes.begin(), bytes.end());
    };
    lose(true);
    expected.push_back("at " + std::to_string(place));
    world.submit(ann, bob, expected.back());
    world.run_for(20);
    world.on_sent_to = nullptr;
    lose(false);
    ASSERT_EQ(envelope.size(), 512u);
    Bytes altered = envelope;
    altered[place] ^= 1;
    for (const Bytes& bytes : {altered, envelope, altered, envelope}) {
      carrier.deliver_to(endpoint, bytes);
      world.run_for(20);
    }
    EXPECT_EQ(world.received(bob, ann), expected);
    world.run_for(5'000);
    EXPECT_EQ(world.outbox(ann, bob), 0u);
  }
  EXPECT_EQ(world.count_events(bob, WHERRY_EVENT_SECURITY), 0);
  EXPECT_EQ(world.violations(), Texts());
}

// A relay that says of everything that it did not take it, and takes it.
TEST_F(HostileCarrier, ARelayThatDeniesEverythingIsAskedEverMoreSeldom) {
  meet();
  FakeFaults denies;
  denies.false_failure = 1;
  world.net().set_faults(denies);
  chat("m", 20);
  world.run_for(kMinute);
  EXPECT_EQ(world.outbox(ann, bob) + world.outbox(bob, ann), 0u);
  const uint64_t before = world.envelopes();
  world.run_for(6 * kHour);
  EXPECT_LE(world.envelopes() - before, 2u * 6 * 12);  // each at most every ten minutes, if at all
  world.net().set_faults({});
  chat("n", 3);
  EXPECT_TRUE(settle(kMinute));
  EXPECT_EQ(world.received(bob, ann).size(), 24u);
  EXPECT_EQ(world.received(ann, bob).size(), 23u);
  EXPECT_EQ(world.violations(), Texts());
}

// A relay that says every second that it has lost its store gets no window every second.
TEST_F(HostileCarrier, AStoreThatIsLostEverySecondCostsAWindowSeldom) {
  meet();
  world.suspend(bob, true);
  for (int i = 0; i < 40; ++i) world.submit(ann, bob, std::string(3'000, 'x') + std::to_string(i));
  world.run_for(5'000);
  const uint64_t before = world.envelopes();
  for (int i = 0; i < 30; ++i) {
    world.net().lose_store();
    world.run_for(1'000);
  }
  EXPECT_LE(world.envelopes() - before, 5u * 40);
  world.suspend(bob, false);
  EXPECT_TRUE(settle(10 * kMinute));
  EXPECT_EQ(world.received(bob, ann).size(), 41u);
}

class HostileDelivery : public Attack {
 protected:
  HostileDelivery() { meet(); }
};

// What lies below a gap is sent again: not a window a second, for half a kilobyte a second.
TEST_F(HostileDelivery, GapsThatNeverCloseCostAWindowSeldom) {
  constexpr int kMessages = 40;
  for (int i = 0; i < kMessages; ++i) write(std::string(3'000, 'x') + std::to_string(i));
  world.run_for(2'000);
  mallory.listen();
  const uint64_t before = envelopes();
  for (int i = 0; i < 30; ++i) {
    mallory.send(mallory.acknowledge(1, {{kMessages, kMessages}}));
    world.run_for(1'000);
  }
  // As for fresh copies: every ten seconds.
  EXPECT_LE(envelopes() - before, 4u * kMessages);
}

// Mallory has everything, and says so by her ratchet, and acknowledges nothing.
TEST_F(HostileDelivery, WhoNeverAcknowledgesIsSealedForSeldom) {
  for (int i = 0; i < 40; ++i) write(std::string(3'000, 'x') + std::to_string(i));
  world.run_for(2'000);
  const uint64_t before = envelopes();
  for (int i = 0; i < 60; ++i) {
    mallory.listen();
    mallory.send(mallory.say("more"));
    world.run_for(1'000);
  }
  // An acknowledgement for each of hers, and after 1, 10, 20 and 40 s one more.
  EXPECT_LE(envelopes() - before, 60u + 5);
}

// Numbers are bounded, and what they hold.
TEST_F(HostileDelivery, WhatIsEarlyIsBoundedInBytes) {
  for (int stream = 0; stream < 6; ++stream) {
    mallory.begin_stream();
    mallory.record("left out");
    for (int i = 0; i < 180; ++i) {
      mallory.send(mallory.say(std::string(limits::kBodySizeMax, 'e')));
      if (i % 20 == 0) world.run_for(100);
    }
  }
  world.run_for(1'000);
  EXPECT_EQ(from_mallory(), Texts{"hello"});
  EXPECT_LE(number("SELECT ifnull(sum(length(record)), 0) FROM early"), limits::kEarlyBytesMax);
  // What never became complete holds no place against what does.
  mallory.begin_stream();
  message::Payload first;
  first.records.push_back(mallory.record("first"));
  mallory.send(mallory.say("second"));
  world.run_for(1'000);
  mallory.send(first);
  world.run_for(1'000);
  EXPECT_EQ(from_mallory(), (Texts{"hello", "first", "second"}));
}

// A whole stream that can not be kept: each is told that it came, and what is lacking.
TEST_F(HostileDelivery, WhatIsNotKeptIsAnswered) {
  mallory.record("left out");
  for (uint64_t sent = 0; sent <= limits::kEarlyBytesMax; sent += limits::kBodySizeMax) {
    mallory.send(mallory.say(std::string(limits::kBodySizeMax, 'e')));
    world.run_for(10);
  }
  world.run_for(2'000);
  const size_t answers = mallory.heard().size();
  mallory.send(mallory.say(std::string(limits::kBodySizeMax, 'e')));
  world.run_for(2'000);
  EXPECT_GT(mallory.heard().size(), answers);
  mallory.begin_stream();
}

// What she says before its turn and finds no room for costs no more than what is kept.
TEST_F(HostileDelivery, WhatFindsNoRoomCostsNoMoreThanWhatIsKept) {
  using Clock = std::chrono::steady_clock;
  constexpr int kRecords = 600;
  constexpr int kTimes = 5;
  const auto early_ms = [&] {
    const auto began = Clock::now();
    for (int i = 0; i < kTimes; ++i) {
      message::Payload payload;
      for (int j = 0; j < kRecords / kTimes; ++j) payload.records.push_back(mallory.record(""));
      mallory.send(payload);
      world.run_for(300);
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
  };
  mallory.begin_stream();
  mallory.record("left out");
  const auto kept = early_ms();
  mallory.begin_stream();
  mallory.record("left out");
  uint64_t left = limits::kEarlyBytesMax;
  while (left > 0) {
    const size_t most = limits::kBodySizeMax;
    message::Payload payload;
    payload.records.push_back(mallory.record(std::string(left > most + 200 ? most : 200, 'e')));
    size_t size = message::encode(payload.records[0]).size();
    if (size > left) break;
    left -= size;
    mallory.send(payload);
    world.run_for(10);
  }
  world.run_for(2'000);
  const auto refused = early_ms();
  EXPECT_LE(refused, 5 * kept + 500);
  mallory.begin_stream();
}

// Mallory forgets and remembers: each time all may be sealed anew.
TEST_F(HostileDelivery, WhoForgetsAgainAndAgainIsSealedForSeldom) {
  constexpr int kMessages = 40;
  for (int i = 0; i < kMessages; ++i) write(std::string(3'000, 'x') + std::to_string(i));
  world.run_for(2'000);
  mallory.listen();
  const uint64_t before = envelopes();
  for (int i = 0; i < 30; ++i) {
    mallory.send(mallory.acknowledge(1, {{2, kMessages}}));
    world.run_for(500);
    mallory.send(mallory.acknowledge(2));
    world.run_for(500);
  }
  EXPECT_LE(envelopes() - before, 4u * kMessages);
}

// Bob is so far ahead that his headers have to be tried; Mallory uses up what is tried in a second.
TEST_F(HostileDelivery, TrialsForOneInboxTakeNothingFromAnother) {
  FakeFaults all;
  all.loss = 1;
  world.net().set_faults("bob", "ann", all);
  ASSERT_TRUE(world.run(bob, [&](engine::Turn& turn) -> Status {
    // Numbers pass without an envelope that comes: acknowledgements that were lost.
    engine::Contact& contact = *turn.profile.contacts.begin()->second;
    engine::Session& session = *engine::sending_session(turn.profile, contact);
    for (uint32_t i = 0; i < 2 * limits::kTagsAhead; ++i) {
      session.ratchet =
          session::seal(session.ratchet, session.ratchet.next_g(), {}, 0, *turn.env.random)
              ->next.clone();
    }
    turn.changed(session);
    return {};
  }));
  world.net().set_faults("bob", "ann", {});
  // She goes on for as long as it takes: Bob is not to need a new session.
  for (int second = 0; second < 20; ++second) {
    world.run_for(1'000 - world.now_ms() % 1'000);
    for (int i = 0; i < 2 * limits::kHeaderTrialsPerSecond; ++i) {
      mallory.deliver(mallory.random.bytes(512));
    }
    if (second == 2) {
      world.run_for(100);
      expect_bob_is_heard();
    }
  }
}

// One who takes nothing in holds up no one else.
TEST_F(HostileDelivery, AnswersThatAreNotTakenHoldNobodyUp) {
  FakeFaults slow;
  slow.delay_ms_min = slow.delay_ms_max = 9'000;
  world.net().set_faults("ann", "mallory", slow);
  for (int i = 0; i < 800; ++i) {
    message::Payload payload;
    payload.probe = mallory.random.array<16>();
    mallory.send(payload);
    world.run_for(5);
  }
  at_ann([](engine::Turn& turn, engine::Contact& contact) {
    size_t flights = 0;
    for (const auto& [id, flight] : turn.network(contact.paths.front().transport)->flights) {
      flights += flight.contact == contact.row.id ? 1 : 0;
    }
    EXPECT_LE(flights, limits::kInFlight / 4);
  });
  expect_bob_is_heard();
  EXPECT_EQ(world.outbox(bob, ann), 0u);  // Ann's acknowledgement has left
  world.net().set_faults("ann", "mallory", {});
  world.run_for(20'000);
}

// Half a kilobyte again is answered by one envelope, however many streams she began.
TEST_F(HostileDelivery, ADuplicateIsAnsweredOnceHoweverManyStreams) {
  for (size_t i = 0; i < limits::kStreamsPerContact; ++i) {
    mallory.begin_stream();
    mallory.send(mallory.say("s" + std::to_string(i)));
    world.run_for(20);
  }
  world.run_for(2'000);
  const Bytes again = mallory.seal(message::encode(mallory.say("again")));
  mallory.deliver(again);
  world.run_for(1'000);
  const uint64_t before = envelopes();
  for (int i = 0; i < 20; ++i) {
    mallory.deliver(again);
    world.run_for(1'000);
  }
  EXPECT_LE(envelopes() - before, 2u * 20);
}

}  // namespace
}  // namespace wherry::test
