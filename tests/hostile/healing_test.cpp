// What has to heal between two people by itself, whoever puts a disk back or carries between them
// (PROTOCOL §1, §4.5, §4.6).
#include <map>
#include <set>

#include "base/limits.h"
#include "carried.h"

namespace wherry::test {
namespace {

constexpr int64_t kDay = 24 * kHour;

class HostileHealing : public Carried {
 protected:
  void expect_last(const std::string& of_ann, const std::string& of_bob) {
    const Texts to_bob = world.received(bob, ann);
    const Texts to_ann = world.received(ann, bob);
    EXPECT_EQ(to_bob.empty() ? "" : to_bob.back(), of_ann);
    EXPECT_EQ(to_ann.empty() ? "" : to_ann.back(), of_bob);
  }
  // Both send in one session, where what they seal is settled.
  void expect_one_session() {
    std::map<int, Bytes32> hashes;
    for (int who : {ann, bob}) {
      at(who, [&](engine::Turn& turn, engine::Contact& contact) {
        const engine::Session& session = *engine::sending_session(turn.profile, contact);
        hashes[who] = session.hash;
        EXPECT_LE(session.ratchet.unsettled(), 5u) << who;
      });
    }
    EXPECT_EQ(hashes[ann], hashes[bob]);
  }
};

// Bob's disk is put back to before the last reset of each: neither has what the other would begin
// with.
TEST_F(HostileHealing, AnImageFromBeforeTheLastResetsHeals) {
  meet();
  chat("old-", 3);
  world.save_image(bob);
  reset(ann);
  chat("between-", 2);
  reset(bob);
  chat("lost-", 2);
  world.run_for(5'000);
  world.restore_image(bob);
  world.run_for(1'000);
  chat("new-", 5);
  EXPECT_TRUE(settle(kDay));
  expect_last("new-a4", "new-b4");
  chat("more-", 3);
  world.run_for(5'000);
  expect_one_session();
}

// So many resets that the prekey which Bob's image knows is not kept any more.
TEST_F(HostileHealing, AnOlderImageHealsByANewCard) {
  meet();
  chat("old-", 3);
  world.save_image(bob);
  reset(ann);
  for (size_t i = 0; i <= limits::kUsedPrekeysKept; ++i) {
    reset(bob);
    world.run_for(kDay / limits::kResetsPerDay);
  }
  world.restore_image(bob);
  world.run_for(1'000);
  chat("new-", 5);
  EXPECT_FALSE(settle(kDay));
  ASSERT_TRUE(world.add_by_card(ann, world.card(bob)));
  EXPECT_TRUE(settle(kHour));
  expect_last("new-a4", "new-b4");
  chat("more-", 3);
  world.run_for(5'000);
  expect_one_session();
}

class HostileCarrierOfHandshakes : public HostileHealing {
 protected:
  // Both met at once; the carrier kept what the loser began with.
  HostileCarrierOfHandshakes() {
    std::map<int, std::pair<std::string, Bytes>> first;
    world.on_sent_to = [&](int who, const std::string& endpoint, ByteView envelope) {
      first.try_emplace(who, endpoint, Bytes(envelope.begin(), envelope.end()));
    };
    meet(Met::kAtOnce);
    world.on_sent_to = nullptr;
    bool mine = false;
    at(ann, [&](engine::Turn& turn, engine::Contact& contact) {
      mine = engine::sending_session(turn.profile, contact)->mine;
    });
    winner = mine ? ann : bob;
    lost = first[mine ? bob : ann];
  }
  void repeat() { carrier.deliver_to(lost.first, lost.second); }

  HostilePeer carrier{world, "carrier"};
  int winner = 0;
  std::pair<std::string, Bytes> lost;
};

// A handshake that lost a collision, repeated by whoever carried it while both are silent, is no
// reason to send in it for long: its author does not.
TEST_F(HostileCarrierOfHandshakes, AHandshakeThatLostIsNotTakenUpForACarrier) {
  for (int i = 0; i < 5; ++i) {
    world.run_for(40'000);
    repeat();
  }
  chat("more-", 10);
  EXPECT_TRUE(settle(kMinute));
  expect_one_session();
  EXPECT_EQ(world.violations(), Texts());
}

// Nor can it be made to begin a stream with every other repeat.
TEST_F(HostileCarrierOfHandshakes, ItMovesThemSeldom) {
  std::set<uint64_t> incarnations;
  world.run_for(limits::kCollisionOver_ms);
  for (int i = 0; i < 100; ++i) {
    repeat();
    world.run_for(1'000);
    at(winner, [&](engine::Turn&, engine::Contact& contact) {
      incarnations.insert(contact.conversation.incarnation);
    });
  }
  EXPECT_LE(incarnations.size(), static_cast<size_t>(limits::kHandshakesPerHour) + 1);
  chat("more-", 3);
  EXPECT_TRUE(settle(kMinute));
  expect_one_session();
  EXPECT_EQ(world.violations(), Texts());
}

}  // namespace
}  // namespace wherry::test
