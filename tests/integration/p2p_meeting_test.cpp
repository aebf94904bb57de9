// Two nodes behind routers, neither of which can be dialled: they reach each other because both
// dial at once.
#include <gtest/gtest.h>

#include "routers.h"
#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/p2p/p2p.h"

namespace wherry::test {
namespace {

constexpr std::uint64_t kInbox = 1;
constexpr std::uint64_t kPeer = 2;
constexpr std::int64_t kFewMoments = 110'000;

class P2pMeeting : public ::testing::TestWithParam<Routers::Unasked> {
 protected:
  struct Person {
    Person(Pump& pump, int side)
        : host(*wherry_transport_p2p(), pump,
               {{"listen", ""},
                {"meet", Routers::outside(side) + ":6000"},
                {"allow", Routers::kOutsides}}) {}
    TransportHost host;
    std::size_t reports = 0;  // of links, seen so far
    bool met = false;         // by the last of them
  };

  void SetUp() override {
    if (!routers.make(GetParam())) GTEST_SKIP() << Routers::kNeeds;
    go_online(alice, 1);
    go_online(bob, 2);
    ASSERT_EQ(alice.host.add_peer(kPeer, *bob.host.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(bob.host.add_peer(kPeer, *alice.host.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  }
  void TearDown() override {
    EXPECT_EQ(alice.host.violations(), std::vector<std::string>());
    EXPECT_EQ(bob.host.violations(), std::vector<std::string>());
  }
  void go_online(Person& person, int side) {
    const InNamespace there(routers.home(side));
    ASSERT_TRUE(there.entered());
    ASSERT_EQ(person.host.create(), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(person.host.open_inbox(kInbox, Bytes(32, static_cast<std::uint8_t>(side))),
              WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(person.host.start_and_wait(20'000));
    ASSERT_TRUE(pump.until([&] { return person.host.endpoint(kInbox).has_value(); }, 20'000));
  }
  // As hosts do: each asks, and asks again when it was told that nobody is there.
  bool both_meet() {
    for (Person* person : {&alice, &bob}) {
      person->reports = person->host.peer_reports().size();
      person->met = false;
      EXPECT_EQ(person->host.connect_peer(kPeer), WHERRY_TRANSPORT_OK);
    }
    return pump.until(
        [&] {
          const bool alice_did = has_met(alice);
          return has_met(bob) && alice_did;
        },
        kFewMoments);
  }
  bool has_met(Person& person) {
    const std::vector<PeerReport> reports = person.host.peer_reports();
    if (reports.size() == person.reports) return person.met;
    person.reports = reports.size();
    person.met = reports.back().state == WHERRY_PEER_STATE_REACHABLE;
    if (!person.met) EXPECT_EQ(person.host.connect_peer(kPeer), WHERRY_TRANSPORT_OK);
    return person.met;
  }
  bool arrives(TransportHost& from, TransportHost& to) {
    const std::size_t before = to.received_count();
    return from.send_one(kPeer, Bytes(500, 3)) != 0 &&
           pump.until([&] { return to.received_count() == before + 1; }, 5'000);
  }

  RealPump pump;
  Routers routers;
  Person alice{pump, 1};
  Person bob{pump, 2};
};

TEST_P(P2pMeeting, BothReachEachOther) {
  ASSERT_TRUE(both_meet());
  EXPECT_TRUE(arrives(alice.host, bob.host));
  EXPECT_TRUE(arrives(bob.host, alice.host));
}

// The links of who was away are there again, in both directions, when he is asked for again.
TEST_P(P2pMeeting, TheyMeetAgainWhenOneWasAway) {
  ASSERT_TRUE(both_meet());
  ASSERT_TRUE(bob.host.stop_and_wait(5'000));
  ASSERT_TRUE(pump.until(
      [&] { return alice.host.peer_reports().back().state == WHERRY_PEER_STATE_UNREACHABLE; },
      30'000));
  {
    const InNamespace there(routers.home(2));
    ASSERT_TRUE(bob.host.start_and_wait(20'000));
  }
  ASSERT_TRUE(both_meet());
  EXPECT_TRUE(arrives(alice.host, bob.host));
  EXPECT_TRUE(arrives(bob.host, alice.host));
}

INSTANTIATE_TEST_SUITE_P(Routers, P2pMeeting,
                         ::testing::Values(Routers::Unasked::kRefused, Routers::Unasked::kDropped),
                         [](const auto& info) {
                           return info.param == Routers::Unasked::kRefused ? "Refuse" : "Drop";
                         });

}  // namespace
}  // namespace wherry::test
