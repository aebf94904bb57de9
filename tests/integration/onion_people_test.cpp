// Two people who know each other by a card alone, over a private Tor network and nothing else.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/tornet/tornet.h"
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
    options.plugins = {wherry_transport_onion()};
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
      const std::optional<Event> event = profile_->next_event(20ms);
      if (!event) continue;
      if (event->kind() == WHERRY_EVENT_MESSAGE) texts.emplace_back(event->body().text());
      if (event->seq() != 0) profile_->ack(event->seq());
    }
    return true;
  }
  bool is_online() { return profile_->transports()[0].state == WHERRY_TRANSPORT_STATE_ONLINE; }

  std::uint64_t onion = 0;
  std::vector<std::string> texts;

 private:
  const std::string path_;
  std::optional<Profile> profile_;
};

TEST(OnionPeople, MeetByACardAndGoOnAfterTorWasKilled) {
  ASSERT_FALSE(tor_net().torrc().empty());
  Person ann("people-ann");
  Person bob("people-bob");
  ASSERT_TRUE(ann.until([&] { return ann.is_online(); }));
  ASSERT_TRUE(bob.until([&] { return bob.is_online(); }));

  const std::string card = bob->make_card(bob.onion);
  EXPECT_LE(card.size(), 360u);
  const std::uint64_t to_bob = ann->conversation_with(ann->add_contact(card));
  ann->send(to_bob, "hello");
  ASSERT_TRUE(bob.until([&] { return !bob->contacts().empty(); }));
  const std::uint64_t contact = bob->contacts()[0].contact;
  bob->accept_contact(contact);
  ASSERT_TRUE(bob.until([&] { return bob.texts.size() == 1; }));
  EXPECT_EQ(bob.texts[0], "hello");
  bob->send(bob->conversation_with(contact), "and to you");
  ASSERT_TRUE(ann.until([&] { return ann.texts.size() == 1; }));

  const pid_t tor = tor_of(tor_net().client_folder("people-bob"));
  ASSERT_GT(tor, 0);
  ASSERT_EQ(::kill(tor, SIGKILL), 0);
  ann->send(to_bob, "are you there?");
  ASSERT_TRUE(bob.until([&] { return bob.texts.size() == 2; }));
  EXPECT_EQ(bob.texts[1], "are you there?");
}

}  // namespace
}  // namespace wherry::test
