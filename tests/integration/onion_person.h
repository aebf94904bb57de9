// A person on a private Tor network: an app with a profile, and a tor of its own.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/tornet/tornet.h"
#include "wherry/wherry.hpp"

namespace wherry::test {

class OnionPerson {
 public:
  // On one transport, which is started. `settings` beside those of its tor.
  OnionPerson(const std::string& name, std::vector<const wherry_transport_plugin*> plugins,
              const std::string& on, Settings settings = {})
      : folder_(tor_net().client_folder(name)),
        path_(folder_ + "-profile"),
        plugins_(std::move(plugins)) {
    profile_.emplace(Profile::create(path_, key(), options()));
    settings.emplace_back("folder", folder_);
    settings.emplace_back("torrc", tor_net().torrc());
    transport = profile_->add_transport(on, settings);
    profile_->start_transport(transport);
  }
  Profile& operator*() { return *profile_; }
  Profile* operator->() { return &*profile_; }

  void leave() { profile_.reset(); }
  void come_back() { profile_.emplace(Profile::open(path_, key(), options())); }

  bool until(const std::function<bool()>& condition) {
    constexpr std::chrono::seconds kLimit(120);
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      take_turn();
    }
    return true;
  }
  // One event, if there is one soon.
  void take_turn() {
    const std::optional<Event> event = profile_->next_event(std::chrono::milliseconds(10));
    if (!event) return;
    if (event->kind() == WHERRY_EVENT_MESSAGE) texts.emplace_back(event->body().text());
    if (event->kind() == WHERRY_EVENT_EVIDENCE) ++evidence;
    if (event->seq() != 0) profile_->ack(event->seq());
  }
  bool is_online() { return profile_->transports()[0].state == WHERRY_TRANSPORT_STATE_ONLINE; }
  pid_t tor() const { return tor_of(folder_); }

  std::uint64_t transport = 0;
  std::vector<std::string> texts;
  int evidence = 0;  // events of it

 private:
  static Key key() {
    constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3};
    return Key::raw(kKey);
  }
  Options options() const {
    Options options;
    options.plugins = plugins_;
    options.durability = WHERRY_DURABILITY_NORMAL;
    return options;
  }

  const std::string folder_;
  const std::string path_;
  const std::vector<const wherry_transport_plugin*> plugins_;
  std::optional<Profile> profile_;
};

struct Friends {
  std::uint64_t to_bob = 0;  // Ann's conversation,
  std::uint64_t to_ann = 0;  // and Bob's
};

// They meet by a card of Bob's, and each has heard the other.
inline Friends meet(OnionPerson& ann, OnionPerson& bob) {
  EXPECT_TRUE(ann.until([&] { return ann.is_online(); }));
  EXPECT_TRUE(bob.until([&] { return bob.is_online(); }));
  const std::string card = bob->make_card(bob.transport);
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

}  // namespace wherry::test
