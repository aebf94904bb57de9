// How two people come to talk: by card, by request, both at once; and what stands in the way.
#include <gtest/gtest.h>

#include "engine/cards.h"
#include "tests/support/texts.h"
#include "tests/support/world.h"

namespace wherry::test {
namespace {

TEST(Meeting, TwoPeopleByCard) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  ASSERT_TRUE(world.add_by_card(ann, world.card(bob)));
  ASSERT_TRUE(world.send(ann, bob, "hello"));
  world.run_for(5'000);

  // A request: it came, and its author does not learn so before it is accepted.
  EXPECT_EQ(world.received(bob, ann), Texts{"hello"});
  EXPECT_EQ(world.outbox(ann, bob), 1u);
  EXPECT_EQ(world.ledger(ann).evidence.begin()->second, WHERRY_EVIDENCE_STORED);
  EXPECT_EQ(world.send(bob, ann, "no").error().status, WHERRY_E_STATE);

  ASSERT_TRUE(world.accept(bob, ann));
  world.run_for(1'000);
  EXPECT_EQ(world.outbox(ann, bob), 0u);
  EXPECT_EQ(world.ledger(ann).evidence.begin()->second, WHERRY_EVIDENCE_DELIVERED);

  ASSERT_TRUE(world.send(bob, ann, "hello ann"));
  ASSERT_TRUE(world.send(ann, bob, "how are you?"));
  world.run_for(1'000);
  EXPECT_EQ(world.received(ann, bob), Texts{"hello ann"});
  EXPECT_EQ(world.received(bob, ann), (Texts{"hello", "how are you?"}));
  EXPECT_EQ(world.history(ann, bob), world.history(bob, ann));
  EXPECT_EQ(world.violations(), Texts());
}

TEST(Meeting, BothAddEachOtherAtOnce) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    const int ann = world.add("ann");
    const int bob = world.add("bob");
    const std::string of_ann = world.card(ann);
    const std::string of_bob = world.card(bob);
    ASSERT_TRUE(world.add_by_card(ann, of_bob));
    ASSERT_TRUE(world.add_by_card(bob, of_ann));
    world.submit(ann, bob, "from ann");
    world.submit(bob, ann, "from bob");
    world.run_for(10'000);
    for (int i = 0; i < 20; ++i) {
      world.submit(ann, bob, "a" + std::to_string(i));
      world.submit(bob, ann, "b" + std::to_string(i));
      world.run_for(500);
    }
    EXPECT_EQ(world.outbox(ann, bob), 0u);
    EXPECT_EQ(world.outbox(bob, ann), 0u);
    EXPECT_EQ(world.received(bob, ann).size(), 21u);
    EXPECT_EQ(world.received(ann, bob).size(), 21u);
    EXPECT_EQ(world.history(ann, bob), world.history(bob, ann));
    EXPECT_EQ(world.violations(), Texts());
  }
}

TEST(Meeting, OnesOwnCardAndAnExpiredOneAreRefused) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  EXPECT_EQ(world.add_by_card(ann, world.card(ann)).error().status, WHERRY_E_CARD_OWN);
  const std::string brief = world.card(bob, 60);
  world.run_for(10 * 60'000);
  EXPECT_EQ(world.add_by_card(ann, brief).error().status, WHERRY_E_CARD_EXPIRED);
}

TEST(Meeting, ACardThatExpiresBeforeItWasUsed) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  const std::string brief = world.card(bob, 60);
  world.net().set_online("ann", false);
  ASSERT_TRUE(world.add_by_card(ann, brief));
  world.submit(ann, bob, "too late");
  world.run_for(10 * 60'000);
  world.net().set_online("ann", true);
  world.run_for(10 * 60'000);
  EXPECT_EQ(world.waiting_reason(ann, bob), WHERRY_REASON_EXPIRED);
}

TEST(Meeting, ACardThatTheNetworkDoesNotTakeIsGivenUp) {
  World world(1);
  const int ann = world.add("ann");
  std::optional<Result<std::string>> card;
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) {
    world.net().set_online("ann", false);  // the engine does not know so yet
    return engine::make_card(turn, turn.profile.transports.begin()->first, 86400,
                             [&](Result<std::string> text) { card = std::move(text); });
  }));
  EXPECT_FALSE(card);
  world.run_for(15'000);
  ASSERT_TRUE(card);
  EXPECT_EQ(card->error().status, WHERRY_E_STATE);
  EXPECT_TRUE(store::cards(world.database(ann)).empty());
  EXPECT_TRUE(store::inboxes(world.database(ann)).empty());
  world.net().set_online("ann", true);
  world.run_for(120'000);
  EXPECT_TRUE(identity::Card::parse(world.card(ann)));
}

TEST(Meeting, ACardThatNobodyWasGivenIsClosed) {
  World world(1);
  const int ann = world.add("ann");
  const auto cards = [&] {
    size_t count = 0;
    EXPECT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
      count = turn.profile.cards.size() + turn.profile.inboxes.size();
      EXPECT_EQ(store::cards(turn.db).size(), turn.profile.cards.size());
      return {};
    }));
    return count;
  };
  // The commit after the one that began the card fails: its caller is told so.
  bool answered = false;
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) {
    return engine::make_card(turn, turn.profile.transports.begin()->first, 3600,
                             [&](const Result<std::string>& text) {
                               EXPECT_FALSE(text);
                               answered = true;
                             });
  }));
  EXPECT_FALSE(world.run(ann, [](engine::Turn& turn) -> Status {
    turn.db.run_script("INSERT INTO no_such_table VALUES(1)");
    return {};
  }));
  world.run_for(2 * kHour);
  EXPECT_TRUE(answered);
  EXPECT_EQ(cards(), 0u);
  world.card(ann);
  world.run_for(2 * kHour);
  EXPECT_EQ(cards(), 2u);
}

TEST(Meeting, AClockThatJumpsWhileACardIsMade) {
  World world(1);
  const int ann = world.add("ann");
  std::optional<Result<std::string>> card;
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) {
    world.net().set_online("ann", false);
    return engine::make_card(turn, turn.profile.transports.begin()->first, 86400,
                             [&](Result<std::string> text) { card = std::move(text); });
  }));
  world.jump_clock(ann, 400LL * 86'400'000);
  world.run_for(15'000);
  ASSERT_TRUE(card);
  EXPECT_FALSE(card->ok());
  EXPECT_TRUE(store::cards(world.database(ann)).empty());
}

TEST(Meeting, ACardWhoseOwnerIsAway) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  const std::string card = world.card(bob);
  world.crash(bob);
  ASSERT_TRUE(world.add_by_card(ann, card));
  world.submit(ann, bob, "for later");
  world.run_for(3 * kHour);
  ASSERT_TRUE(world.open(bob));
  world.run_for(10'000);
  EXPECT_EQ(world.received(bob, ann), Texts{"for later"});
}

TEST(Meeting, ABundleThatIsNotThereIsAskedForAgain) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  const std::string card = world.card(bob);
  ASSERT_TRUE(world.start_transport(bob, false));
  world.net().lose_store();
  ASSERT_TRUE(world.add_by_card(ann, card));
  world.submit(ann, bob, "hello");
  world.run_for(60'000);
  EXPECT_EQ(world.waiting_reason(ann, bob), WHERRY_REASON_NOT_FOUND);

  ASSERT_TRUE(world.start_transport(bob, true));  // it publishes its cards again
  world.run_for(900'000);
  EXPECT_EQ(world.received(bob, ann), Texts{"hello"});
}

TEST(Meeting, AFirstEnvelopeThatSomebodyElseRepeats) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  const int eve = world.add("eve");  // has the card too, and what Ann sent
  const std::string card = world.card(bob);
  Bytes first;
  world.on_envelope = [&](int who, Bytes& envelope) {
    if (who == ann && first.empty()) first = envelope;
    if (who == eve) envelope = first;
  };
  ASSERT_TRUE(world.add_by_card(ann, card));
  world.submit(ann, bob, "hello");
  world.run_for(1'000);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(world.add_by_card(eve, card));
    world.submit(eve, bob, "never seen");
    world.run_for(40'000);
    ASSERT_TRUE(world.accept(bob, ann));
    world.run_for(40'000);
    ASSERT_TRUE(world.add_by_card(eve, card));  // begins anew, with the same bytes again
  }
  world.crash(eve);  // before she sends what is her own
  world.on_envelope = nullptr;
  ASSERT_TRUE(world.send(ann, bob, "still here"));
  ASSERT_TRUE(world.send(bob, ann, "me too"));
  world.run_for(5'000);
  EXPECT_EQ(world.received(bob, ann), (Texts{"hello", "still here"}));
  EXPECT_EQ(world.received(ann, bob), Texts{"me too"});
  EXPECT_EQ(world.contact(bob, eve), 0u);
  EXPECT_EQ(world.violations(), Texts());
}

TEST(Meeting, ABundleThatHasExpired) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  const std::string card = world.card(bob, 365 * 86400);
  world.jump_clock(ann, int64_t{31} * 86400 * 1000);
  ASSERT_TRUE(world.add_by_card(ann, card));
  world.submit(ann, bob, "hello");
  world.run_for(60'000);
  EXPECT_EQ(world.waiting_reason(ann, bob), WHERRY_REASON_EXPIRED);
  world.jump_clock(ann, int64_t{-31} * 86400 * 1000);
  world.run_for(600'000);
  EXPECT_EQ(world.received(bob, ann), Texts{"hello"});
}

TEST(Meeting, AHundredRequestsWaitAndNoMore) {
  World world(1);
  const int bob = world.add("bob");
  const std::string card = world.card(bob);
  for (int i = 0; i < 102; ++i) {
    const int stranger = world.add("s" + std::to_string(i));
    ASSERT_TRUE(world.add_by_card(stranger, card));
    world.submit(stranger, bob, "hi");
    world.run_for(1'000);
    world.crash(stranger);
  }
  EXPECT_EQ(store::contacts(world.database(bob), 0, 1000).size(), 100u);
}

}  // namespace
}  // namespace wherry::test
