// Two whole profiles behind routers: their conversation moves to a link that both have to open, and
// comes back to it when one of them was started again.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "routers.h"
#include "transports/loopback/loopback.h"
#include "transports/p2p/p2p.h"
#include "wherry/wherry.hpp"

namespace wherry::test {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3};
constexpr auto kLimit = 90s;  // of a few moments to meet, which are 20 s apart

// That are over, and keep their two ends from being used again: TIME-WAIT, by the kernel's table.
std::size_t lingering_connections() {
  constexpr int kStateWord = 3;
  const std::string kTimeWait = "06";
  std::size_t count = 0;
  for (const char* table : {"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"}) {
    std::ifstream lines(table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string word;
      for (int i = 0; i <= kStateWord; ++i) words >> word;
      if (word == kTimeWait) ++count;
    }
  }
  return count;
}

// An app in its home: all that it does is done there, for whoever calls takes a turn.
class Person {
 public:
  Person(std::string path, std::string name_space)
      : path_(std::move(path)), namespace_(std::move(name_space)) {
    const InNamespace there(namespace_);
    Options options = with_plugins();
    profile_.emplace(Profile::create(path_, Key::raw(kKey), options));
  }
  void open_again() {
    const InNamespace there(namespace_);
    profile_.reset();
    profile_.emplace(Profile::open(path_, Key::raw(kKey), with_plugins()));
  }
  template <class Function>
  auto at_home(Function&& function) {
    const InNamespace there(namespace_);
    return function(*profile_);
  }
  // Takes events until something is so.
  bool until(const std::function<bool(Profile&)>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    return at_home([&](Profile& profile) {
      while (!condition(profile)) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        const std::optional<Event> event = profile.next_event(20ms);
        if (!event) continue;
        if (event->kind() == WHERRY_EVENT_MESSAGE) {
          texts.emplace_back(event->body().text());
          last_transport = event->transport();
        }
        if (event->seq() != 0) profile.ack(event->seq());
      }
      return true;
    });
  }

  std::vector<std::string> texts;
  std::uint64_t last_transport = 0;

 private:
  static Options with_plugins() {
    Options options;
    options.plugins = {wherry_transport_loopback(), wherry_transport_p2p()};
    options.durability = WHERRY_DURABILITY_NORMAL;
    return options;
  }

  const std::string path_;
  const std::string namespace_;
  std::optional<Profile> profile_;
};

TEST(BehindRouters, WhoHasNothingToSayIsReachedAsWell) {
  Routers routers;
  if (!routers.make(Routers::Unasked::kDropped)) GTEST_SKIP() << Routers::kNeeds;
  std::string folder = (std::filesystem::temp_directory_path() / "wherry-routers-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string hub = "routers-" + std::to_string(::getpid());
  Person alice(folder + "/alice", routers.home(1));
  Person bob(folder + "/bob", routers.home(2));

  // They know each other by another network.
  const auto join = [&](Person& person) {
    return person.at_home([&](Profile& profile) {
      const std::uint64_t loopback = profile.add_transport("loopback", {{"hub", hub}});
      profile.start_transport(loopback);
      return loopback;
    });
  };
  const std::uint64_t at_alice = join(alice);
  join(bob);
  const auto online = [](Profile& it) {
    return it.transports()[0].state == WHERRY_TRANSPORT_STATE_ONLINE;
  };
  ASSERT_TRUE(alice.until(online));
  ASSERT_TRUE(bob.until(online));
  const std::string card = alice.at_home([&](Profile& it) { return it.make_card(at_alice); });
  const std::uint64_t to_alice =
      bob.at_home([&](Profile& it) { return it.conversation_with(it.add_contact(card)); });
  bob.at_home([&](Profile& it) { return it.send(to_alice, "hello"); });
  ASSERT_TRUE(alice.until([](Profile& it) { return !it.contacts().empty(); }));
  const std::uint64_t contact = alice.at_home([](Profile& it) { return it.contacts()[0].contact; });
  alice.at_home([&](Profile& it) { it.accept_contact(contact); });
  const std::uint64_t to_bob =
      alice.at_home([&](Profile& it) { return it.conversation_with(contact); });
  ASSERT_TRUE(alice.until([&](Profile&) { return alice.texts.size() == 1; }));

  // Both are behind routers, and their conversation moves to a link.
  std::uint64_t links_of_bob = 0;
  const auto join_links = [&](Person& person, int side) {
    return person.at_home([&](Profile& profile) {
      const std::uint64_t links =
          profile.add_transport("p2p", {{"listen", ""},
                                        {"meet", Routers::outside(side) + ":6000"},
                                        {"allow", Routers::kOutsides}});
      profile.start_transport(links);
      return links;
    });
  };
  join_links(alice, 1);
  links_of_bob = join_links(bob, 2);
  alice.at_home([&](Profile& it) { it.set_route(to_bob, "p2p"); });
  bob.at_home([&](Profile& it) { it.set_route(to_alice, "p2p"); });
  const auto goes_by_links = [](std::uint64_t conversation) {
    return [conversation](Profile& it) {
      const auto page = it.route(conversation);
      return std::string_view(page[0].sending) == "p2p" &&
             page[0].sending_state == WHERRY_ROUTE_STATE_SETTLED;
    };
  };
  ASSERT_TRUE(alice.until(goes_by_links(to_bob)));
  ASSERT_TRUE(bob.until(goes_by_links(to_alice)));

  // Bob's app starts again; what he owed he has said.
  const auto rest = [](Person& person, std::chrono::milliseconds duration) {
    const auto over = std::chrono::steady_clock::now() + duration;
    return person.until([over](Profile&) { return std::chrono::steady_clock::now() > over; });
  };
  ASSERT_TRUE(rest(alice, 3s));
  ASSERT_TRUE(rest(bob, 3s));
  bob.open_again();
  // Else he could not open the same links for a minute.
  ASSERT_TRUE(rest(bob, 500ms));
  EXPECT_EQ(bob.at_home([](Profile&) { return lingering_connections(); }), 0U);
  alice.at_home([&](Profile& it) { return it.send(to_bob, "are you there?"); });
  const std::size_t before = bob.texts.size();
  const auto arrived = [&](Profile&) { return bob.texts.size() > before; };
  ASSERT_TRUE(bob.until(arrived));
  EXPECT_EQ(bob.texts.back(), "are you there?");
  EXPECT_EQ(bob.last_transport, links_of_bob);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace wherry::test
