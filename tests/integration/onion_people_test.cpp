// Two people who know each other by a card alone, over a private Tor network.
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/onion_person.h"
#include "tests/integration/relay_fixture.h"
#include "transports/centralized/centralized.h"
#include "transports/onion/onion.h"

namespace wherry::test {
namespace {

// The onion network is the first; a relay may be added.
OnionPerson person(const std::string& name) {
  return {name, {wherry_transport_onion(), wherry_transport_centralized()}, "onion"};
}

TEST(OnionPeople, MeetByACardAndGoOnAfterTorWasKilled) {
  ASSERT_FALSE(tor_net().torrc().empty());
  OnionPerson ann = person("people-ann");
  OnionPerson bob = person("people-bob");
  const Friends friends = meet(ann, bob);
  const pid_t tor = bob.tor();
  ASSERT_GT(tor, 0);
  ASSERT_EQ(::kill(tor, SIGKILL), 0);
  ann->send(friends.to_bob, "are you there?");
  ASSERT_TRUE(bob.until([&] { return bob.texts.size() == 2; }));
  EXPECT_EQ(bob.texts[1], "are you there?");
}

// While both talk. The way back has a quiet time of minutes, and is the simulator's.
TEST(OnionPeople, MoveToARelayAndNothingIsLost) {
  constexpr int kMessages = 300;
  ASSERT_FALSE(tor_net().torrc().empty());
  const RelayInProcess relay;
  OnionPerson ann = person("moving-ann");
  OnionPerson bob = person("moving-bob");
  const Friends friends = meet(ann, bob);
  for (OnionPerson* person : {&ann, &bob}) {
    (*person)->start_transport(
        (*person)->add_transport("centralized", {{"relay", relay.address()}}));
  }
  std::vector<std::string> expected;
  for (int i = 0; i < kMessages; ++i) {
    expected.push_back(std::to_string(i));
    ann->send(friends.to_bob, expected.back());
    bob->send(friends.to_ann, expected.back());
    if (i == kMessages / 3) {
      ann->set_route(friends.to_bob, "centralized");
      bob->set_route(friends.to_ann, "centralized");
    }
    ann.take_turn();
    bob.take_turn();
  }
  const auto all = [](const OnionPerson& person) { return person.texts.size() == 1 + kMessages; };
  for (int i = 0; i < 6'000 && !(all(ann) && all(bob)); ++i) {
    ann.take_turn();
    bob.take_turn();
  }
  for (OnionPerson* person : {&ann, &bob}) {
    person->texts.erase(person->texts.begin());
    EXPECT_EQ(person->texts, expected);
  }
  EXPECT_EQ(std::string_view(ann->route(friends.to_bob)[0].sending), "centralized");
  EXPECT_EQ(std::string_view(bob->route(friends.to_ann)[0].sending), "centralized");
}

}  // namespace
}  // namespace wherry::test
