// A relay that is an onion service: two people who reach it over a private Tor network, and never
// at the same time.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/onion_person.h"
#include "tests/integration/relay_fixture.h"
#include "tests/integration/tornet/tornet.h"
#include "transports/centralized/centralized.h"
#include "transports/centralized/settings.h"
#include "transports/common/net.h"
#include "transports/common/relay_address.h"
#include "transports/common/tor/tor_process.h"
#include "wherry/wherry.hpp"

namespace wherry::test {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3};
constexpr auto kLimit = 120s;  // to be online

OnionPerson person(const std::string& name, const std::string& relay) {
  return {name, {wherry_transport_centralized()}, "centralized", {{"relay", relay}}};
}

std::vector<std::string> over_tor() {
  return {"--onion", "--torrc", tor_net().torrc()};
}

TEST(OnionRelay, KeepsMessagesForWhoIsAwayAndForItselfKilled) {
  ASSERT_FALSE(tor_net().torrc().empty());
  const TemporaryDirectory data;
  std::optional<RelayProcess> relay(std::in_place, data.path(), "", over_tor());
  const std::string address = relay->address();
  ASSERT_TRUE(transports::parse_relay_address(address).has_value()) << relay->log();
  OnionPerson ann = person("relay-ann", address);
  OnionPerson bob = person("relay-bob", address);
  const std::uint64_t to_bob = meet(ann, bob).to_bob;

  // Bob is away, and the relay keeps what Ann says, also when it is killed.
  bob.leave();
  ann.evidence = 0;
  ann->send(to_bob, "for later");
  ASSERT_TRUE(ann.until([&] { return ann.evidence > 0; }));
  ann.leave();
  relay->signal(SIGKILL);
  ASSERT_NE(relay->wait(10'000), -1);
  relay.emplace(data.path(), "", over_tor());
  EXPECT_EQ(relay->address(), address) << relay->log();
  bob.come_back();
  ASSERT_TRUE(bob.until([&] { return bob.texts.size() == 2; }));
  EXPECT_EQ(bob.texts.back(), "for later");

  // A tor that is killed is begun anew.
  ASSERT_GT(bob.tor(), 0);
  ASSERT_EQ(::kill(bob.tor(), SIGKILL), 0);
  ann.come_back();
  ann->send(to_bob, "are you there?");
  ASSERT_TRUE(bob.until([&] { return bob.texts.size() == 3; }));
  EXPECT_EQ(bob.texts.back(), "are you there?");

  // So is the relay's.
  const pid_t tor = tor_of(std::filesystem::absolute(data.path() / "tor"));
  ASSERT_GT(tor, 0);
  ASSERT_EQ(::kill(tor, SIGKILL), 0);
  ann->send(to_bob, "and now?");
  ASSERT_TRUE(bob.until([&] { return bob.texts.size() == 4; })) << relay->log();
  EXPECT_EQ(bob.texts.back(), "and now?");

  relay->signal(SIGTERM);
  EXPECT_EQ(relay->wait(10'000), 0) << relay->log();
}

// Where nobody listens, a moment ago.
std::string free_place() {
  const transports::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), any, size) != 0 || ::getsockname(socket.get(), any, &size) != 0)
    return "";
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

// Nothing of it is started, and nothing is sent.
std::optional<transports::centralized::ClientSettings> parsed(
    const std::vector<wherry_setting>& settings, std::string& error) {
  return transports::centralized::parse_settings(settings.data(), settings.size(), error);
}

constexpr const char* kOnion = "wr1:aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaea37ead";
constexpr const char* kDirect = "wr1:relay.example:7443/AAAAAAAAAAAAAAAAAAAAAA";

TEST(OnionRelaySettings, AreCheckedBeforeAnythingStarts) {
  const auto error_of = [](const std::vector<wherry_setting>& settings) {
    std::string error;
    EXPECT_FALSE(parsed(settings, error).has_value());
    return error;
  };
  // What goes to a proxy elsewhere could be read there.
  EXPECT_NE(error_of({{"relay", kOnion}, {"proxy", "192.0.2.1:9050"}}).find("this machine"),
            std::string::npos);
  // Nobody is to think that it is reached over Tor.
  EXPECT_NE(error_of({{"relay", kDirect}, {"control", "127.0.0.1:9051"}}).find("proxy="),
            std::string::npos);
  EXPECT_NE(error_of({{"relay", kOnion}, {"proxy", "127.0.0.1:9050"}, {"folder", "/tmp/x"}})
                .find("proxy"),
            std::string::npos);
  // An empty one is as if it was not given.
  std::string error;
  EXPECT_TRUE(parsed({{"relay", kOnion}, {"tor", ""}, {"proxy", "127.0.0.1:9050"}}, error))
      << error;
  EXPECT_NE(error_of({{"relay", kOnion}, {"torrc", "/not/there"}}).find("torrc"),
            std::string::npos);
}

TEST(OnionRelaySettings, TakeMyAddressOutOfWhatTheOperatorLearns) {
  using transports::centralized::reveals_of;
  std::string error;
  const auto direct = parsed({{"relay", kDirect}}, error);
  const auto onion = parsed({{"relay", kOnion}}, error);
  const auto by_proxy = parsed({{"relay", kOnion}, {"proxy", "127.0.0.1:9050"}}, error);
  ASSERT_TRUE(direct && onion && by_proxy) << error;
  EXPECT_FALSE(direct->tor);
  EXPECT_TRUE(onion->tor);
  EXPECT_FALSE(by_proxy->tor);
  constexpr std::uint32_t kAddresses = WHERRY_FACT_MY_IP | WHERRY_FACT_OTHER_IP;
  EXPECT_NE(reveals_of(*direct).facts[WHERRY_OBSERVER_HOME_OPERATOR] & kAddresses, 0U);
  for (const auto& settings : {*onion, *by_proxy}) {
    const wherry_reveals reveals = reveals_of(settings);
    EXPECT_EQ(reveals.facts[WHERRY_OBSERVER_HOME_OPERATOR] & kAddresses, 0U);
    EXPECT_NE(reveals.facts[WHERRY_OBSERVER_PROXY] & WHERRY_FACT_MY_IP, 0U);  // the entry's
    EXPECT_EQ(reveals.facts[WHERRY_OBSERVER_NETWORK] & WHERRY_FACT_USE, 0U);
    const wherry_reveals worst = transports::centralized::reveals_at_worst();
    for (int i = 0; i < WHERRY_OBSERVER_ROOM; ++i) {
      EXPECT_EQ(reveals.facts[i] & ~worst.facts[i], 0U) << i;
    }
  }
}

// A tor that somebody else runs, by its SOCKS port alone.
TEST(OnionRelay, IsReachedThroughAProxyAsWell) {
  ASSERT_FALSE(tor_net().torrc().empty());
  const TemporaryDirectory data;
  const RelayProcess relay(data.path(), "", over_tor());
  ASSERT_NE(relay.address(), "") << relay.log();
  std::ifstream file(tor_net().torrc());
  std::stringstream lines;
  const std::string proxy = free_place();
  lines << file.rdbuf() << "SocksPort " << proxy << "\n";
  transports::tor::StartError error{};
  std::string what;
  const auto tor = transports::tor::TorProcess::start(
      {"tor", tor_net().client_folder("relay-proxy"), lines.str()}, error, what);
  ASSERT_TRUE(tor) << what;
  const TemporaryDirectory profile;
  Options options;
  options.plugins = {wherry_transport_centralized()};
  Profile ann = Profile::create(profile.path() / "ann", Key::raw(kKey), options);
  const std::uint64_t transport =
      ann.add_transport("centralized", {{"relay", relay.address()}, {"proxy", proxy}});
  ann.start_transport(transport);
  const auto deadline = std::chrono::steady_clock::now() + kLimit;
  while (ann.transports()[0].state != WHERRY_TRANSPORT_STATE_ONLINE &&
         std::chrono::steady_clock::now() < deadline) {
    static_cast<void>(ann.next_event(10ms));
  }
  EXPECT_EQ(ann.transports()[0].state, WHERRY_TRANSPORT_STATE_ONLINE);
  EXPECT_NE(ann.make_card(transport), "");
}

}  // namespace
}  // namespace wherry::test
