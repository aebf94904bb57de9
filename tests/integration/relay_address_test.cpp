// Addresses and endpoints: one text for each value, and nothing else is taken.
#include "transports/common/relay_address.h"

#include <gtest/gtest.h>

#include "transports/common/relay_keys.h"

namespace wherry::transports {
namespace {

RelayEndpoint example() {
  RelayEndpoint endpoint;
  endpoint.relay.authority = {"relay.example", 4433};
  for (std::uint8_t i = 0; i < 16; ++i) endpoint.relay.pin[i] = i;
  for (std::uint8_t i = 0; i < 16; ++i) endpoint.inbox[i] = static_cast<std::uint8_t>(200 + i);
  endpoint.token.fill(255);
  return endpoint;
}

TEST(RelayAddress, EndpointsSurviveTheirText) {
  const RelayEndpoint endpoint = example();
  const std::string text = to_text(endpoint);
  EXPECT_LE(text.size(), 130U);
  const auto parsed = parse_relay_endpoint(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, endpoint);
}

TEST(RelayAddress, TakesIpv6) {
  RelayEndpoint endpoint = example();
  endpoint.relay.authority = {"2001:db8::1", 1};
  EXPECT_EQ(parse_relay_endpoint(to_text(endpoint)), endpoint);
  EXPECT_EQ(parse_relay_address(to_text(endpoint.relay)), endpoint.relay);
}

TEST(RelayAddress, RefusesEveryTruncationAndExtension) {
  const std::string text = to_text(example());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_relay_endpoint(text.substr(0, size)).has_value()) << size;
  }
  for (const char* more : {"A", "/", "=", " ", "\n"}) {
    EXPECT_FALSE(parse_relay_endpoint(text + more).has_value());
    EXPECT_FALSE(parse_relay_endpoint(more + text).has_value());
  }
  EXPECT_FALSE(parse_relay_address(text).has_value()) << "an endpoint is no address";
}

// The address of a service whose key is 32 times 1.
constexpr const char* kOnion = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaea37ead";

TEST(RelayAddress, OfAnOnionServiceFitsACard) {
  const auto relay = onion_relay(kOnion);
  ASSERT_TRUE(relay.has_value());
  EXPECT_EQ(to_text(*relay), std::string("wr1:") + kOnion);
  EXPECT_EQ(parse_relay_address(to_text(*relay)), relay);
  RelayEndpoint endpoint = example();
  endpoint.relay = *relay;
  const std::string text = to_text(endpoint);
  EXPECT_LE(text.size(), 105U);
  EXPECT_EQ(parse_relay_endpoint(text), endpoint);
  EXPECT_FALSE(parse_relay_address(text).has_value());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_relay_endpoint(text.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(parse_relay_endpoint(text + "A").has_value());
}

// One relay, one text; and none whose checksum is wrong.
TEST(RelayAddress, OfAnOnionServiceHasNoOtherForm) {
  const std::string key(22, 'A');
  std::string wrong = kOnion;
  wrong[3] = 'c';
  std::string upper = kOnion;
  upper[0] = 'A';
  for (const std::string& text :
       {std::string(kOnion) + ".onion", std::string(kOnion) + ".onion:80/" + key,
        std::string(kOnion) + ":80/" + key, std::string("short.onion:80/") + key, wrong, upper,
        std::string(kOnion) + "/" + key, std::string(kOnion) + "/"}) {
    EXPECT_FALSE(parse_relay_address("wr1:" + text).has_value()) << text;
  }
}

// Names know no case, and a dot may end them: a resolver that is asked for any of these asks name
// servers for an onion service, in the clear.
TEST(RelayAddress, OfAnOnionServiceIsAskedOfNoNameServerHoweverItIsSpelt) {
  const std::string key(22, 'A');
  std::string upper = kOnion;
  for (char& character : upper) {
    if (character >= 'a' && character <= 'z') character = static_cast<char>(character - 'a' + 'A');
  }
  for (const std::string& host :
       {std::string(kOnion) + ".ONION", std::string(kOnion) + ".onion.", std::string("x.Onion"),
        std::string(kOnion) + ".", upper, upper + ".ONION"}) {
    EXPECT_FALSE(parse_relay_address("wr1:" + host + ":80/" + key).has_value()) << host;
  }
}

TEST(RelayAddress, RefusesBadAuthorities) {
  for (const char* text :
       {"", ":1", "host", "host:", "host:0", "host:00", "host:01", "host:65536", "host:-1",
        "host:1 ", "ho st:1", "[::1]", "[::g]:1", "::1:1", "[]:1", "host_name:1", "[1.2.3.4]:1"}) {
    EXPECT_FALSE(parse_authority(text).has_value()) << text;
  }
  EXPECT_TRUE(parse_authority("host:0", true).has_value());
  EXPECT_FALSE(parse_authority("host:00", true).has_value());
  EXPECT_FALSE(parse_authority(std::string(101, 'a') + ":1").has_value());
}

TEST(RelayKeys, TheSameSecretGivesTheSameKeysAndAnotherOthers) {
  const std::array<std::uint8_t, 32> one{1};
  const std::array<std::uint8_t, 32> two{2};
  const InboxKeys first{std::span<const std::uint8_t, 32>(one)};
  const InboxKeys again{std::span<const std::uint8_t, 32>(one)};
  const InboxKeys other{std::span<const std::uint8_t, 32>(two)};
  EXPECT_EQ(first.id, again.id);
  EXPECT_EQ(first.token, again.token);
  EXPECT_NE(first.id, other.id);
  EXPECT_NE(first.token, other.token);
  EXPECT_EQ(first.id, inbox_id(first.key->public_key()));
}

TEST(RelayKeys, AnOwnersBundlesHaveUnrelatedKeys) {
  const std::array<std::uint8_t, 32> owner{7};
  const auto first = bundle_key(std::span<const std::uint8_t, 32>(owner), Locator{1});
  const auto again = bundle_key(std::span<const std::uint8_t, 32>(owner), Locator{1});
  const auto second = bundle_key(std::span<const std::uint8_t, 32>(owner), Locator{2});
  EXPECT_EQ(first->public_key(), again->public_key());
  EXPECT_NE(first->public_key(), second->public_key());
}

}  // namespace
}  // namespace wherry::transports
