// wherry.hpp over the loopback transport: ownership, errors by kind, pages as ranges, dispatch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "wherry/transports/loopback.h"
#include "wherry/wherry.hpp"

namespace {

using namespace std::chrono_literals;

const wherry::Key key = wherry::Key::passphrase("correct horse");

wherry::Options with_loopback() {
  wherry::Options options;
  options.plugins = {wherry_transport_loopback()};
  options.durability = WHERRY_DURABILITY_NORMAL;
  return options;
}

// A directory of its own for each test.
class HppTest : public testing::Test {
 protected:
  HppTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wherry-hpp-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    root_ = pattern;
  }
  ~HppTest() override { std::filesystem::remove_all(root_); }

  std::string path(const std::string& name) const { return (root_ / name).string(); }

  wherry::Profile create(const std::string& name) {
    return wherry::Profile::create(path(name), key, with_loopback());
  }

  // The directory's name, in the letters that a hub's name may have.
  std::string hub() const {
    std::string name = root_.filename().string();
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return name;
  }

  // A profile whose transport is online; the hub belongs to this test.
  wherry::Profile online(const std::string& name) {
    wherry::Profile profile = create(name);
    const auto transport = profile.add_transport("loopback", {{"hub", hub()}});
    profile.start_transport(transport);
    until(profile, [&] { return profile.transports()[0].state == WHERRY_TRANSPORT_STATE_ONLINE; });
    return profile;
  }

  // Dispatches until something is so; fails the test after 20 seconds.
  static void until(wherry::Profile& profile, const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it did not happen in time";
      profile.dispatch(20ms);
    }
  }

 private:
  std::filesystem::path root_;
};

TEST_F(HppTest, errors_come_as_exceptions_of_their_kind) {
  try {
    wherry::Profile::open(path("none"), key);
    FAIL() << "a profile that is not there was opened";
  } catch (const wherry::EnvironmentError& error) {
    EXPECT_EQ(error.status(), WHERRY_E_NO_PROFILE);
    EXPECT_STRNE(error.what(), "");
  }
  wherry::Profile profile = create("alice");
  EXPECT_THROW(profile.add_contact("wherry:nonsense"), wherry::PeerError);
  EXPECT_THROW(profile.conversation_with(12345), wherry::CallerError);
  EXPECT_THROW(create("alice"), wherry::Error);
}

TEST_F(HppTest, a_wrong_passphrase_is_refused_and_the_right_one_opens) {
  const wherry::Identity identity = create("alice").identity();
  EXPECT_THROW(wherry::Profile::open(path("alice"), wherry::Key::passphrase("wrong")),
               wherry::EnvironmentError);
  EXPECT_EQ(wherry::Profile::open(path("alice"), key).identity(), identity);
}

TEST_F(HppTest, a_raw_key_of_the_wrong_size_is_the_callers_bug) {
  const std::vector<std::uint8_t> bytes(WHERRY_KEY_SIZE - 1, 7);
  EXPECT_THROW(wherry::Profile::create(path("alice"), wherry::Key::raw(bytes)),
               wherry::CallerError);
}

TEST_F(HppTest, a_profile_moves_and_closes_once) {
  wherry::Profile first = create("alice");
  const wherry::Identity identity = first.identity();
  wherry::Profile second = std::move(first);
  EXPECT_EQ(second.identity(), identity);
  EXPECT_EQ(first.handle().id, 0u);  // NOLINT(bugprone-use-after-move): that is what is tested
  second.close();
  second.close();
  EXPECT_THROW(static_cast<void>(second.identity()), wherry::CallerError);
  EXPECT_EQ(wherry::Profile::open(path("alice"), key).identity(), identity);
}

TEST_F(HppTest, nothing_within_the_time_is_no_error) {
  wherry::Profile profile = create("alice");
  EXPECT_FALSE(profile.next_event(0ms).has_value());
  EXPECT_EQ(profile.dispatch(0ms), 0u);
}

TEST_F(HppTest, a_plug_in_describes_itself) {
  const wherry::Profile profile = create("alice");
  EXPECT_NE(profile.describe_transport("loopback").find("\"loopback\""), std::string::npos);
  EXPECT_TRUE(profile.transports().empty());
  EXPECT_THROW(static_cast<void>(profile.describe_transport("no-such")), wherry::CallerError);
}

TEST_F(HppTest, two_people_talk) {
  wherry::Profile alice = online("alice");
  wherry::Profile bob = online("bob");
  const std::string card = alice.make_card(alice.transports()[0].transport);
  const auto parsed = wherry::parse_card(card);
  ASSERT_EQ(parsed.size(), 1u);
  EXPECT_EQ(wherry::Bytes(parsed[0].identity, WHERRY_IDENTITY_SIZE).text(),
            wherry::Bytes(alice.identity()).text());

  std::vector<std::string> heard;
  alice.on_event([&](const wherry::Event& event) {
    if (event.kind() == WHERRY_EVENT_CONTACT && event.state() == WHERRY_CONTACT_STATE_REQUEST) {
      alice.accept_contact(event.contact(), "Bob");
    }
    if (event.kind() == WHERRY_EVENT_MESSAGE) heard.emplace_back(event.body().text());
  });
  std::int32_t evidence = WHERRY_EVIDENCE_QUEUED;
  bob.on_event([&](const wherry::Event& event) {
    if (event.kind() == WHERRY_EVENT_EVIDENCE) evidence = std::max(evidence, event.evidence());
  });

  const std::uint64_t conversation = bob.conversation_with(bob.add_contact(card, "Alice"));
  bob.send(conversation, "hello");
  bob.submit(conversation, wherry::Ref{1}, "again");
  bob.submit(conversation, wherry::Ref{1}, "again");
  bob.sync();
  until(alice, [&] { return heard.size() == 2; });
  EXPECT_EQ(heard, (std::vector<std::string>{"hello", "again"}));
  until(bob, [&] { return evidence == WHERRY_EVIDENCE_DELIVERED; });

  std::vector<std::string> said;
  for (const wherry_message& message : bob.history(conversation)) {
    said.emplace_back(wherry::body(message).text());
  }
  EXPECT_EQ(said, heard);
  const auto contacts = alice.contacts();
  ASSERT_EQ(contacts.size(), 1u);
  EXPECT_STREQ(contacts.begin()->name, "Bob");
  EXPECT_EQ(contacts.json().front(), '[');
  EXPECT_EQ(std::distance(contacts.begin(), contacts.end()), 1);
}

TEST_F(HppTest, permits_and_paths) {
  wherry::Profile alice = online("alice");
  wherry::Profile bob = online("bob");
  const std::uint64_t contact =
      bob.add_contact(alice.make_card(alice.transports()[0].transport), "Alice");
  const std::uint64_t conversation = bob.conversation_with(contact);
  const wherry_reveals anonymous = wherry::permits_preset(WHERRY_PERMITS_ANONYMOUS);
  EXPECT_THROW(static_cast<void>(wherry::permits_preset(0)), wherry::CallerError);
  bob.set_conversation_permits(conversation, anonymous);
  const auto info = bob.conversation_permits(conversation);
  ASSERT_EQ(info.size(), 1u);
  EXPECT_EQ(info[0].mine.facts[WHERRY_OBSERVER_NETWORK], anonymous.facts[WHERRY_OBSERVER_NETWORK]);
  const auto paths = bob.explain(conversation);
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_EQ(paths[0].allowed, 0);
  EXPECT_NE(paths[0].against_mine.facts[WHERRY_OBSERVER_HOME_OPERATOR], 0u);

  EXPECT_EQ(bob.permits().facts[0], UINT32_MAX);
  bob.set_permits(anonymous);
  EXPECT_EQ(bob.permits().facts[0], anonymous.facts[0]);
}

TEST_F(HppTest, an_event_whose_handler_threw_comes_again_after_reopening) {
  wherry::Profile bob = online("bob");
  std::string card;
  {
    wherry::Profile alice = online("alice");
    card = alice.make_card(alice.transports()[0].transport);
    bob.send(bob.conversation_with(bob.add_contact(card)), "hello");
    bool threw = false;
    alice.on_event([](const wherry::Event& event) {
      if (event.seq() != 0) throw std::runtime_error("not now");
    });
    until(bob, [&] {
      try {
        alice.dispatch(20ms);
      } catch (const std::runtime_error&) {
        threw = true;
      }
      return threw;
    });
  }
  wherry::Profile alice = wherry::Profile::open(path("alice"), key, with_loopback());
  std::uint64_t first = 0;
  alice.on_event([&](const wherry::Event& event) {
    if (first == 0) first = event.seq();
  });
  until(alice, [&] { return first != 0; });
  EXPECT_EQ(first, 1u);
}

}  // namespace
