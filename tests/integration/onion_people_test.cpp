// Two people who know each other by a card alone, over a private Tor network.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/relay_fixture.h"
#include "tests/integration/tornet/tornet.h"
#include "transports/centralized/centralized.h"
#include "transports/onion/onion.h"
#include "wherry/wherry.hpp"

namespace wherry::test {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3};
constexpr auto kLimit = 120s;

class Person {
 public:
  explicit Person(const std::string& name) : path_(tor_net().client_folder(name) + "-profile") {
    Options options;
    options.plugins = {wherry_transport_onion(), wherry_transport_centralized()};
    options.durability = WHERRY_DURABILITY_NORMAL;
    profile_.emplace(Profile::create(path_, Key::raw(kKey), options));
    onion = profile_->add_transport(
        "onion", {{"folder", tor_net().client_folder(name)}, {"torrc", tor_net().torrc()}});
    profile_->start_transport(onion);
  }
  Profile& operator*() { return *profile_; }
  Profile* operator->() { return &*profile_; }

  bool until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      take_turn();
    }
    return true;
  }
  // One event, if there is one soon.
  void take_turn() {
    const std::optional<Event> event = profile_->next_event(10ms);
    if (!event) return;
    if (event->kind() == WHERRY_EVENT_MESSAGE) texts.emplace_back(event->body().text());
    if (event->seq() != 0) profile_->ack(event->seq());
  }
  bool is_online() { return profile_->transports()[0].state == WHERRY_TRANSPORT_STATE_ONLINE; }

  std::uint64_t onion = 0;
  std::vector<std::string> texts;

 private:
  const std::string path_;
  std::optional<Profile> profile_;
};

struct Friends {
  std::uint64_t to_bob = 0;  // Ann's conversation,
  std::uint64_t to_ann = 0;  // and Bob's
};

// They meet by a card of Bob's, and each has heard the other.
Friends meet(Person& ann, Person& bob) {
  EXPECT_TRUE(ann.until([&] { return ann.is_online(); }));
  EXPECT_TRUE(bob.until([&] { return bob.is_online(); }));
  const std::string card = bob->make_card(bob.onion);
  EXPECT_LE(card.size(), 360u);
  Friends friends;
  friends.to_bob = ann->conversation_with(ann->add_contact(card));
  ann->send(friends.to_bob, "hello");
  EXPECT_TRUE(bob.until([&] { return !bob->contacts().empty(); }));
  const std::uint64_t contact = bob->contacts()[0].contact;
  bob->accept_contact(contact);
  EXPECT_TRUE(bob.until([&] { return bob.texts.size() == 1; }));
  friends.to_ann = bob->conversation_with(contact);
  bob->send(friends.to_ann, "and to you");
  EXPECT_TRUE(ann.until([&] { return ann.texts.size() == 1; }));
  return friends;
}

TEST(OnionPeople, MeetByACardAndGoOnAfterTorWasKilled) {
  ASSERT_FALSE(tor_net().torrc().empty());
  Person ann("people-ann");
  Person bob("people-bob");
  const Friends friends = meet(ann, bob);
  const pid_t tor = tor_of(tor_net().client_folder("people-bob"));
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
  Person ann("moving-ann");
  Person bob("moving-bob");
  const Friends friends = meet(ann, bob);
  for (Person* person : {&ann, &bob}) {
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
  const auto all = [](const Person& person) { return person.texts.size() == 1 + kMessages; };
  for (int i = 0; i < 6'000 && !(all(ann) && all(bob)); ++i) {
    ann.take_turn();
    bob.take_turn();
  }
  for (Person* person : {&ann, &bob}) {
    person->texts.erase(person->texts.begin());
    EXPECT_EQ(person->texts, expected);
  }
  EXPECT_EQ(std::string_view(ann->route(friends.to_bob)[0].sending), "centralized");
  EXPECT_EQ(std::string_view(bob->route(friends.to_ann)[0].sending), "centralized");
}

}  // namespace
}  // namespace wherry::test
