// The contract: what a transport says of itself, and the life of an instance.
#include <algorithm>
#include <cstring>
#include <regex>
#include <thread>

#include "tests/contract/contract.h"

namespace wherry::test {
namespace {

constexpr std::uint32_t kKnownAbilities =
    WHERRY_ABILITY_OFFLINE | WHERRY_ABILITY_PROXY | WHERRY_ABILITY_BUNDLES | WHERRY_ABILITY_NAMES |
    WHERRY_ABILITY_RECALL | WHERRY_ABILITY_DIAGNOSE | WHERRY_ABILITY_CHEAP_INBOXES;
constexpr std::uint32_t kKnownFacts = (WHERRY_FACT_PRESENCE << 1U) - 1U;
constexpr std::uint32_t kAllChanges = WHERRY_CHANGE_NETWORK | WHERRY_CHANGE_BACKGROUND |
                                      WHERRY_CHANGE_FOREGROUND | WHERRY_CHANGE_LOW_POWER;

bool one_line(const char* text) {
  return text != nullptr && *text != '\0' && std::strchr(text, '\n') == nullptr;
}

bool fits_type(const char* value, std::int32_t type) {
  switch (type) {
    case WHERRY_SETTING_INTEGER:
      return std::regex_match(value, std::regex("-?[0-9]{1,18}"));
    case WHERRY_SETTING_BOOLEAN:
      return std::strcmp(value, "true") == 0 || std::strcmp(value, "false") == 0;
    case WHERRY_SETTING_ADDRESS:  // empty for "none"
      return std::regex_match(value, std::regex("|unix:/.+|([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])"
                                                ":[0-9]{1,5}"));
    default:
      return true;
  }
}

TEST_P(TransportContract, DescribesItselfSanely) {
  EXPECT_EQ(plugin().abi, WHERRY_TRANSPORT_ABI);
  EXPECT_GE(plugin().size, sizeof(wherry_transport_plugin));
  const wherry_transport_description& about = description();
  EXPECT_GE(about.size, sizeof(wherry_transport_description));
  ASSERT_NE(about.name, nullptr);
  EXPECT_TRUE(std::regex_match(about.name, std::regex("[a-z][a-z0-9-]{0,31}"))) << about.name;
  EXPECT_TRUE(one_line(about.version));
  EXPECT_TRUE(one_line(about.help));
  EXPECT_GE(about.architecture, WHERRY_ARCHITECTURE_OTHER);
  EXPECT_LE(about.architecture, WHERRY_ARCHITECTURE_ONION);
  EXPECT_EQ(about.abilities & ~kKnownAbilities, 0U);
  EXPECT_GE(about.latency, WHERRY_LATENCY_MILLISECONDS);
  EXPECT_LE(about.latency, WHERRY_LATENCY_MINUTES);
  EXPECT_GE(about.envelope_size_max, 4096U);
  EXPECT_LE(about.envelope_size_max, WHERRY_ENVELOPE_SIZE_MAX);
  for (std::size_t i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
    EXPECT_EQ(about.reveals_worst.facts[i] & ~kKnownFacts, 0U) << "observer " << i;
    if (i > WHERRY_OBSERVER_PUSH) {
      EXPECT_EQ(about.reveals_worst.facts[i], 0U) << "observer " << i;
    }
  }
}

TEST_P(TransportContract, DescribesItsSettings) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < description().setting_count; ++i) {
    const wherry_setting_description& setting = description().settings[i];
    ASSERT_NE(setting.name, nullptr);
    EXPECT_TRUE(std::regex_match(setting.name, std::regex("[a-z][a-z0-9_]{0,31}")));
    EXPECT_EQ(std::count(names.begin(), names.end(), setting.name), 0) << setting.name;
    names.emplace_back(setting.name);
    EXPECT_TRUE(one_line(setting.help)) << setting.name;
    EXPECT_GE(setting.type, WHERRY_SETTING_TEXT);
    EXPECT_LE(setting.type, WHERRY_SETTING_ADDRESS);
    if (setting.default_value != nullptr) {
      EXPECT_TRUE(fits_type(setting.default_value, setting.type)) << setting.name;
    }
  }
}

TEST_P(TransportContract, DescribesItselfTheSameAtEveryCall) {
  const wherry_transport_description* first = plugin().describe();
  const wherry_transport_description before = *first;
  ASSERT_EQ(alice().create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(alice().start_and_wait(kLimitMs));
  EXPECT_EQ(plugin().describe(), first);
  EXPECT_EQ(std::memcmp(&before, first, sizeof(before)), 0);
}

TEST_P(TransportContract, HasTheFunctionsThatItDescribes) {
  const wherry_transport_plugin& table = plugin();
  EXPECT_NE(table.create, nullptr);
  EXPECT_NE(table.start, nullptr);
  EXPECT_NE(table.stop, nullptr);
  EXPECT_NE(table.destroy, nullptr);
  EXPECT_NE(table.update, nullptr);
  EXPECT_NE(table.open_inbox, nullptr);
  EXPECT_NE(table.close_inbox, nullptr);
  EXPECT_NE(table.add_peer, nullptr);
  EXPECT_NE(table.remove_peer, nullptr);
  EXPECT_NE(table.connect_peer, nullptr);
  EXPECT_NE(table.send, nullptr);
  EXPECT_NE(table.ack, nullptr);
  EXPECT_NE(table.resume_receive, nullptr);
  if (able(WHERRY_ABILITY_BUNDLES)) {
    EXPECT_NE(table.put_bundle, nullptr);
    EXPECT_NE(table.get_bundle, nullptr);
  }
  if (able(WHERRY_ABILITY_NAMES)) {
    EXPECT_NE(table.look_up, nullptr);
  }
  if (able(WHERRY_ABILITY_RECALL)) {
    EXPECT_NE(table.recall, nullptr);
  }
  if (able(WHERRY_ABILITY_DIAGNOSE)) {
    EXPECT_NE(table.diagnose, nullptr);
  }
}

TEST_P(TransportContract, IsDestroyedBeforeItWasStarted) {
  ASSERT_EQ(alice().create(), WHERRY_TRANSPORT_OK);
  EXPECT_EQ(alice().open_inbox(kInbox, secret(1)), WHERRY_TRANSPORT_OK);
  alice().destroy();
  quiet();
  EXPECT_EQ(alice().state(), WHERRY_TRANSPORT_STATE_OFF);
}

TEST_P(TransportContract, SaysItsStates) {
  ASSERT_EQ(alice().create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(alice().start_and_wait(kLimitMs));
  ASSERT_TRUE(alice().stop_and_wait(kStopLimitMs));
  const std::vector<StateReport> states = alice().states();
  ASSERT_GE(states.size(), 3U);
  EXPECT_EQ(states.front().state, WHERRY_TRANSPORT_STATE_STARTING);
  EXPECT_EQ(states.back().state, WHERRY_TRANSPORT_STATE_OFF);
}

TEST_P(TransportContract, StopsWithinTheLimitAndStartsAgain) {
  connect();
  for (std::uint32_t round = 0; round < 3; ++round) {
    ASSERT_TRUE(bob().stop_and_wait(kStopLimitMs));
    ASSERT_TRUE(bob().start_and_wait(kLimitMs));
    ASSERT_TRUE(alice().stop_and_wait(kStopLimitMs));
    ASSERT_TRUE(alice().start_and_wait(kLimitMs));
    exchange(round);  // inboxes and peers stayed known
  }
}

TEST_P(TransportContract, StopsWhileItStarts) {
  ASSERT_EQ(alice().create(), WHERRY_TRANSPORT_OK);
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(alice().start(), WHERRY_TRANSPORT_OK);
    ASSERT_TRUE(alice().stop_and_wait(kStopLimitMs));
  }
  EXPECT_EQ(alice().state(), WHERRY_TRANSPORT_STATE_OFF);
  EXPECT_EQ(alice().stopped_count(), 1U);  // since the last start
}

TEST_P(TransportContract, IsSilentAfterItStopped) {
  connect();
  ASSERT_TRUE(bob().stop_and_wait(kStopLimitMs));
  send_all(alice(), kPeer, {envelope(100, 1), envelope(100, 2)});
  quiet();  // TearDown fails if Bob's instance called meanwhile
  bob().destroy();
  quiet();
  EXPECT_EQ(bob().received_count(), 0U);
}

TEST_P(TransportContract, StopsAndIsDestroyedUnderLoad) {
  connect();
  const std::string back = open(alice(), kInbox, 2);
  ASSERT_EQ(bob().add_peer(kPeer, back), WHERRY_TRANSPORT_OK);
  for (std::uint32_t i = 0; i < 300; ++i) {
    alice().send_one(kPeer, envelope(2000, i));
    bob().send_one(kPeer, envelope(2000, i));
  }
  ASSERT_TRUE(bob().stop_and_wait(kStopLimitMs));
  bob().destroy();
  for (std::uint32_t i = 0; i < 50; ++i) alice().send_one(kPeer, envelope(2000, i));
  ASSERT_TRUE(alice().stop_and_wait(kStopLimitMs));
  alice().destroy();
}

TEST_P(TransportContract, TakesCallsFromAnyThread) {
  connect();
  const Bytes bytes = envelope(200, 1);
  std::vector<std::function<void()>> calls = {
      [&] { alice().send_one(kPeer, bytes); },
      [&] { alice().update(WHERRY_CHANGE_BACKGROUND); },
      [&] { alice().update(WHERRY_CHANGE_FOREGROUND); },
      [&] { EXPECT_EQ(alice().open_inbox(kInbox, secret(5)), WHERRY_TRANSPORT_OK); },
      [&] { alice().resume_receive(); },
      [&] { EXPECT_TRUE(arrives(bob(), {bytes})); },
      [&] { EXPECT_EQ(bob().ack(bob().received()), WHERRY_TRANSPORT_OK); },
      [&] { EXPECT_TRUE(alice().stop_and_wait(kStopLimitMs)); },
      [&] { alice().destroy(); },
  };
  for (const auto& call : calls) std::thread(call).join();
  EXPECT_TRUE(holds(bob(), bytes));
}

TEST_P(TransportContract, GoesOnAfterUpdates) {
  ASSERT_EQ(alice().create(), WHERRY_TRANSPORT_OK);
  alice().update(kAllChanges);  // before start there is nothing to update, and nothing breaks
  renew(0);
  connect();
  for (std::uint32_t bit = 1; bit <= kAllChanges; bit <<= 1U) {
    alice().update(bit);
    bob().update(bit);
    ASSERT_TRUE(alice().wait_online(kLimitMs));
    ASSERT_TRUE(bob().wait_online(kLimitMs));
    exchange(bit);
  }
}

TEST_P(TransportContract, RefusesUnknownIds) {
  connect();
  constexpr std::uint64_t kUnknown = 999;
  EXPECT_EQ(alice().close_inbox(kUnknown), WHERRY_TRANSPORT_E_ARGUMENT);
  EXPECT_EQ(alice().remove_peer(kUnknown), WHERRY_TRANSPORT_E_ARGUMENT);
  EXPECT_EQ(alice().connect_peer(kUnknown), WHERRY_TRANSPORT_E_ARGUMENT);
  EXPECT_EQ(alice().ack(kUnknown, 1), WHERRY_TRANSPORT_E_ARGUMENT);
  EXPECT_EQ(alice().open_inbox(0, secret(3)), WHERRY_TRANSPORT_E_ARGUMENT);
  EXPECT_EQ(alice().add_peer(0, bob().endpoint(kInbox).value_or("")), WHERRY_TRANSPORT_E_ARGUMENT);
  const Bytes bytes = envelope(10, 1);
  std::size_t accepted = 7;
  EXPECT_EQ(alice().send({{kUnknown, 0, 1, {bytes.data(), bytes.size()}}}, &accepted),
            WHERRY_TRANSPORT_E_ARGUMENT);
  EXPECT_EQ(accepted, 0U);
  if (able(WHERRY_ABILITY_RECALL)) {
    EXPECT_EQ(alice().recall(kUnknown, 1), WHERRY_TRANSPORT_E_ARGUMENT);
  }
  exchange(2);  // and is none the worse for it
}

}  // namespace
}  // namespace wherry::test
