// Named limits, and people who do not keep to the protocol.
#include "base/limits.h"

#include "engine/greeting.h"
#include "identity/bundle.h"
#include "pair.h"
#include "store/events.h"

namespace wherry::test {
namespace {

// Changes the first contact's memory and database between two turns.
void alter(Pair& pair, int who,
           const std::function<void(engine::Turn&, engine::Contact&)>& change) {
  ASSERT_TRUE(pair.world.run(who, [&](engine::Turn& turn) -> Status {
    change(turn, *turn.profile.contacts.begin()->second);
    return {};
  }));
}

TEST(Limits, AThousandUnsettledEnvelopesBeginASessionAnew) {
  Pair pair(1);
  // Ann hears nothing, so that what she seals is never settled: acknowledgements of what Bob says.
  pair.world.on_envelope = [&](int who, Bytes& envelope) {
    if (who == pair.ann) envelope.assign(envelope.size(), 0);
  };
  uint64_t first = 0, later = 0;
  alter(pair, pair.ann, [&](engine::Turn& turn, engine::Contact& contact) {
    first = engine::sending_session(turn.profile, contact)->id;
  });
  for (int i = 0; i < 1100; ++i) {
    pair.world.submit(pair.bob, pair.ann, "b" + std::to_string(i));
    pair.world.run_for(300);
  }
  pair.world.on_envelope = nullptr;
  pair.world.submit(pair.ann, pair.bob, "a0");
  EXPECT_TRUE(pair.settle(10 * 24 * kHour));
  alter(pair, pair.ann, [&](engine::Turn& turn, engine::Contact& contact) {
    later = engine::sending_session(turn.profile, contact)->id;
  });
  pair.world.run_for(2'000);
  EXPECT_EQ(pair.world.received(pair.ann, pair.bob), numbered("b", 1100));
  EXPECT_EQ(pair.world.received(pair.bob, pair.ann), (Texts{"hello", "a0"}));
  EXPECT_EQ(pair.world.violations(), Texts());
  EXPECT_GT(later, first);
}

TEST(Limits, ManyContactsShareATransport) {
  World world(1);
  const int ann = world.add("ann");
  std::vector<int> others;
  for (int i = 0; i < 5; ++i) {
    others.push_back(world.add("p" + std::to_string(i)));
    world.connect(ann, others.back());
  }
  FakeFaults faults;
  faults.delay_ms_min = faults.delay_ms_max = 200;
  world.net().set_faults(faults);
  for (int i = 0; i < 250; ++i) {
    for (int other : others) world.submit(ann, other, std::string(4000, 'x') + std::to_string(i));
  }
  world.run_for(1);
  const auto settled = [&] {
    for (int other : others) {
      if (world.outbox(ann, other) != 0) return false;
    }
    return true;
  };
  EXPECT_TRUE(world.until(settled, 60'000));
  for (int other : others) EXPECT_EQ(world.received(other, ann).size(), 251u);
  EXPECT_EQ(world.violations(), Texts());
}

TEST(Limits, LargeAndSmallMessagesKeepTheirOrder) {
  Pair pair(1);
  Texts sent;
  const size_t sizes[] = {0, 1, 330, 331, 4000, 32768, 5, 16000, 32768, 32768, 2, 3, 4};
  for (size_t size : sizes) {
    sent.emplace_back(size, static_cast<char>('a' + sent.size()));
    pair.world.submit(pair.ann, pair.bob, sent.back());
  }
  pair.world.run_for(5'000);
  expect_all(pair, sent, {});
}

TEST(Limits, WhatIsLargerThanANetworkCarriesWaitsAndSaysSo) {
  World world(1);
  world.envelope_size_max = 16'384;
  const int ann = world.add("ann"), bob = world.add("bob");
  world.connect(ann, bob);
  world.run_for(2'000);
  world.submit(ann, bob, std::string(16'000, 'x'));
  world.submit(ann, bob, std::string(16'384, 'y'));
  world.submit(ann, bob, "behind it");
  world.run_for(10'000);
  EXPECT_EQ(world.received(bob, ann).size(), 2u);
  EXPECT_EQ(world.waiting_reason(ann, bob), WHERRY_REASON_TOO_LARGE);
  EXPECT_EQ(world.violations(), Texts());
}

TEST(Limits, OneEventSaysThatMessagesWaitAlsoAfterARestart) {
  Pair pair(1);
  pair.world.acknowledge_events(pair.ann, false);
  for (int i = 0; i < 3; ++i) {
    pair.world.net().set_online("ann", false);
    pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
    pair.world.run_for(1'000);
    pair.world.restart(pair.ann);
    pair.world.net().set_online("ann", true);
    pair.world.run_for(60'000);
  }
  int waiting = 0;
  for (const store::EventRow& row : store::events_after(pair.world.database(pair.ann), 0, 1000)) {
    if (row.type == WHERRY_EVENT_WAITING) ++waiting;
  }
  EXPECT_EQ(waiting, 1);
}

TEST(Limits, TheWindowIsBoundedInEnvelopes) {
  Pair pair(1);
  pair.world.crash(pair.bob);
  for (int i = 0; i < 300; ++i) pair.world.submit(pair.ann, pair.bob, std::string(5'000, 'x'));
  pair.world.run_for(10'000);
  alter(pair, pair.ann, [](engine::Turn&, engine::Contact& contact) {
    EXPECT_EQ(contact.outbox.copies.size(), limits::kWindowEnvelopes);
    EXPECT_EQ(contact.outbox.waiting, 300 - limits::kWindowEnvelopes);
  });
  ASSERT_TRUE(pair.world.open(pair.bob));
  EXPECT_TRUE(pair.settle(60'000));
}

TEST(Limits, TheWindowIsBoundedInBytes) {
  Pair pair(1);
  pair.world.crash(pair.bob);
  for (int i = 0; i < 200; ++i) pair.world.submit(pair.ann, pair.bob, std::string(32768, 'x'));
  pair.world.run_for(10'000);
  alter(pair, pair.ann, [](engine::Turn&, engine::Contact& contact) {
    EXPECT_EQ(contact.outbox.window_messages, limits::kWindowBytes / 32768);
    EXPECT_LE(contact.outbox.window_bytes, limits::kWindowBytes);
    EXPECT_EQ(contact.outbox.waiting, 200 - limits::kWindowBytes / 32768);
  });
  pair.world.restart(pair.ann);
  pair.world.run_for(1'000);
  alter(pair, pair.ann, [](engine::Turn&, engine::Contact& contact) {
    EXPECT_EQ(contact.outbox.window_messages, limits::kWindowBytes / 32768);
    EXPECT_EQ(contact.outbox.window_bytes, limits::kWindowBytes);
    EXPECT_EQ(contact.outbox.waiting, 200 - limits::kWindowBytes / 32768);
  });
  ASSERT_TRUE(pair.world.open(pair.bob));
  EXPECT_TRUE(pair.settle(60'000));
  alter(pair, pair.ann, [](engine::Turn&, engine::Contact& contact) {
    EXPECT_EQ(contact.outbox.window_messages, 0u);
    EXPECT_EQ(contact.outbox.window_bytes, 0u);
    EXPECT_EQ(contact.outbox.waiting, 0u);
    EXPECT_TRUE(contact.outbox.copies.empty());
  });
}

TEST(Limits, AContactsNewEndpoints) {
  Pair pair(1);
  // Bob's inbox for Ann is another one from now on.
  alter(pair, pair.bob, [&](engine::Turn& turn, engine::Contact& contact) {
    for (auto& [id, inbox] : turn.profile.inboxes) {
      if (inbox.kind != store::InboxKind::kContact) continue;
      turn.network(inbox.transport)->instance->close_inbox(id);
      store::inbox_delete(turn.db, id);
      turn.profile.remove_inbox(id);
      break;
    }
    turn.pump(contact);
  });
  pair.world.run_for(2'000);
  alter(pair, pair.ann, [&](engine::Turn&, engine::Contact& contact) {
    ASSERT_TRUE(contact.theirs);
    EXPECT_EQ(contact.theirs->generation, 2u);
    EXPECT_EQ(contact.paths.size(), 1u);
  });
  for (int i = 0; i < 5; ++i) pair.world.submit(pair.ann, pair.bob, "a" + std::to_string(i));
  EXPECT_TRUE(pair.settle(60'000));
  expect_all(pair, numbered("a", 5), {});
}

TEST(Limits, AForgedBundleIsToldAndWaits) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  const std::string text = world.card(bob);
  const Result<identity::Card> card = identity::Card::parse(text);
  ASSERT_TRUE(card);
  // Somebody else's bundle, under this card's secret.
  SeededRandom random(9);
  const identity::Identity other = identity::Identity::make(random);
  const identity::Device device = identity::Device::make(random);
  const auto list = identity::DeviceList::make(other, 1, {device.public_part()});
  const auto bundle =
      identity::Bundle::make(device, list, identity::Prekey::make(1, 4'000'000'000, random));
  ASSERT_TRUE(bundle);
  ASSERT_TRUE(world.start_transport(bob, false));
  world.net().lose_store();  // with the true one
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
    engine::Network* network = turn.runtime.networks.begin()->second.get();
    network->put_bundle(77, identity::bundle_locator(card->fetch_secret), Secret<32>(),
                        identity::seal_bundle(card->fetch_secret, *bundle, random), 86400);
    return {};
  }));
  ASSERT_TRUE(world.add_by_card(ann, text));
  world.submit(ann, bob, "hello");
  world.run_for(60'000);
  EXPECT_EQ(world.waiting_reason(ann, bob), WHERRY_REASON_FORGED);
  EXPECT_EQ(world.count_events(ann, WHERRY_EVENT_SECURITY, WHERRY_REASON_FORGED), 1);
}

TEST(Limits, AnOlderListOfDevicesIsRefused) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  ASSERT_TRUE(world.add_by_card(ann, world.card(bob)));
  Bytes newer;
  ASSERT_TRUE(world.run(bob, [&](engine::Turn& turn) -> Status {
    const engine::Profile& profile = turn.profile;
    newer = identity::DeviceList::make(profile.identity, 2, {profile.device.public_part()}).bytes();
    return {};
  }));
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
    turn.profile.contacts.begin()->second->row.devices = newer;
    return {};
  }));
  world.submit(ann, bob, "hello");
  world.run_for(60'000);
  EXPECT_EQ(world.waiting_reason(ann, bob), WHERRY_REASON_FORGED);
  EXPECT_EQ(world.received(bob, ann), Texts());
}

TEST(Limits, AStrangerSaysNothingMoreBeforeTheyAreAccepted) {
  World world(1);
  const int ann = world.add("ann");
  const int bob = world.add("bob");
  ASSERT_TRUE(world.add_by_card(ann, world.card(bob)));
  world.submit(ann, bob, "one");
  world.run_for(5'000);
  // Ann's program takes itself to be answered.
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
    for (auto& [id, session] : turn.profile.sessions) {
      session->stage = store::SessionStage::kWorking;
    }
    return {};
  }));
  for (int i = 0; i < 20; ++i) world.submit(ann, bob, "more" + std::to_string(i));
  world.run_for(5'000);
  EXPECT_EQ(world.received(bob, ann), Texts{"one"});
  ASSERT_TRUE(world.accept(bob, ann));
  EXPECT_TRUE(world.until([&] { return world.outbox(ann, bob) == 0; }, 30 * 24 * kHour));
  world.run_for(2'000);
  EXPECT_EQ(world.received(bob, ann).size(), 21u);
}

}  // namespace
}  // namespace wherry::test
