// Texts and frames of the peer-to-peer transport.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "include/wherry/transport.h"
#include "transports/common/links/frames.h"
#include "transports/p2p/endpoint.h"
#include "transports/p2p/limits.h"
#include "transports/p2p/meeting.h"
#include "transports/p2p/settings.h"

namespace wherry::transports::p2p {
namespace {

using namespace links;

TEST(P2pAddress, HasOneText) {
  for (const char* text : {"1.2.3.4:5", "[2001:db8::1]:65535", "[::1]:1", "0.0.0.0:0", "[::]:0"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_text(*address), text);
  }
  for (const char* text :
       {"", ":1", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1", "1.2.3.4:01", "[1.2.3.4]:5",
        "[::ffff:1.2.3.4]:5", "2001:db8::1:5", "[2001:DB8::1]:5", "[fe80::1%eth0]:5", "a.example:5",
        "01.2.3.4:5", "1.2.3:4", "[]:5", " 1.2.3.4:5"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(P2pAddress, OfTheInternetOrNot) {
  for (const char* text : {"8.8.8.8:1", "[2606:4700::1]:1", "172.32.0.1:1", "100.128.0.1:1"}) {
    EXPECT_TRUE(is_public(*parse_address(text))) << text;
  }
  for (const char* text :
       {"127.0.0.1:1", "10.1.2.3:1", "172.16.0.1:1", "172.31.255.255:1", "192.168.0.1:1",
        "169.254.1.1:1", "100.64.0.1:1", "0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1",
        "198.51.100.1:1", "[::1]:1", "[fe80::1]:1", "[fc00::1]:1", "[ff02::1]:1", "[2001:db8::1]:1",
        "[2002:a00::1]:1", "[64:ff9b::a00:1]:1"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(is_public(*address)) << text;
  }
}

TEST(P2pAddress, Ranges) {
  EXPECT_TRUE(parse_range("10.0.0.0/8")->contains(*parse_address("10.255.0.1:9")));
  EXPECT_FALSE(parse_range("10.0.0.0/8")->contains(*parse_address("11.0.0.1:9")));
  EXPECT_TRUE(parse_range("192.168.4.0/22")->contains(*parse_address("192.168.7.255:9")));
  EXPECT_FALSE(parse_range("192.168.4.0/22")->contains(*parse_address("192.168.8.0:9")));
  EXPECT_TRUE(parse_range("fd00::/8")->contains(*parse_address("[fdff::1]:9")));
  EXPECT_FALSE(parse_range("fd00::/8")->contains(*parse_address("10.0.0.1:9")));
  EXPECT_TRUE(parse_range("0.0.0.0/0")->contains(*parse_address("1.2.3.4:9")));
  EXPECT_FALSE(parse_range("0.0.0.0/0")->contains(*parse_address("[2606::1]:9")));
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "x/8", "/8"}) {
    EXPECT_FALSE(parse_range(text)) << text;
  }
}

// Whatever kind of address a network gives: a contact is not to lead this machine to its
// neighbours.
TEST(P2pAddress, OwnNetworksAreNotDialled) {
  const std::vector<AddressRange> networks = own_networks();
  const auto inside = [&](const Address& address) {
    return std::ranges::any_of(networks, [&](const auto& one) { return one.contains(address); });
  };
  EXPECT_TRUE(inside(*parse_address("127.0.0.1:1")));
  EXPECT_FALSE(inside(*parse_address("8.8.8.8:1")));
  for (const Address& own : own_addresses()) {
    EXPECT_TRUE(inside(own)) << to_text(own);
    NodeSettings settings;
    EXPECT_FALSE(settings.may_dial(own)) << to_text(own);
    settings.allow.push_back({own.ip, 128});
    EXPECT_TRUE(settings.may_dial(own)) << to_text(own);
  }
}

Endpoint an_endpoint(std::vector<Address> addresses) {
  Endpoint endpoint{{1, 2, 3}, {4, 5, 6}, std::move(addresses)};
  return endpoint;
}

TEST(P2pEndpoint, HasOneText) {
  const Endpoint endpoint =
      an_endpoint({*parse_address("[2606:4700::1111]:4000"), *parse_address("1.2.3.4:5")});
  const std::string text = to_text(endpoint);
  EXPECT_EQ(parse_endpoint(text), endpoint);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(parse_endpoint(changed)) << changed;
    EXPECT_FALSE(parse_endpoint(text.substr(0, i))) << i;
  }
}

TEST(P2pEndpoint, NamesAsManyAddressesAsFit) {
  const Address longest = *parse_address("[2606:4700:1111:1111:1111:1111:1111:1111]:40000");
  const Address second = *parse_address("[2606:4700:1111:1111:1111:1111:1111:2222]:40000");
  const Address short_one = *parse_address("1.2.3.4:5");
  const std::string text = to_text(an_endpoint({longest, second, longest, short_one}));
  EXPECT_LE(text.size(), std::size_t{WHERRY_ENDPOINT_SIZE_MAX});
  const auto parsed = parse_endpoint(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->addresses, (std::vector<Address>{longest, second}));
  EXPECT_EQ(parse_endpoint(to_text(an_endpoint({longest, short_one})))->addresses.size(), 2u);
}

TEST(P2pEndpoint, NamesAnAddressOnce) {
  const Address one = *parse_address("1.2.3.4:5");
  const Address other = *parse_address("1.2.3.4:6");
  EXPECT_TRUE(parse_endpoint(to_text(an_endpoint({one, other}))));
  EXPECT_FALSE(parse_endpoint(to_text(an_endpoint({one, other, one}))));
}

TEST(P2pEndpoint, NamesWhereLinksAreOpenedFromBothEnds) {
  Endpoint endpoint = an_endpoint({});
  endpoint.meeting = parse_address("1.2.3.4:65534");
  EXPECT_EQ(parse_endpoint(to_text(endpoint)), endpoint);
  endpoint.addresses = {*parse_address("[2606:4700::1111]:4000"), *parse_address("1.2.3.4:5")};
  EXPECT_EQ(parse_endpoint(to_text(endpoint)), endpoint);
  // It needs the next port as well, and one or the other address is there.
  for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{65535}}) {
    endpoint.meeting->port = port;
    EXPECT_FALSE(parse_endpoint(to_text(endpoint)));
  }
  EXPECT_EQ(parse_endpoint(to_text(an_endpoint({}))), an_endpoint({}));  // to be found nearby
}

TEST(P2pMeeting, IsAtTheSameMomentsForEverybody) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto next = now + until_next_meeting();
  constexpr std::chrono::milliseconds slack(100);
  EXPECT_LE((next + slack) % kMeetingEvery, 2 * slack);
  EXPECT_LE(until_next_meeting(), kMeetingEvery);
  EXPECT_LE(until_meeting(), kMeetingEvery - kMeetingLimit / 2);
}

// RFC 7748, 6.1: Alice's keys.
TEST(P2pEndpoint, KeysAreX25519) {
  const Key secret = {0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1,
                      0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0,
                      0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
  const Key expected = {0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
                        0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
                        0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
  EXPECT_EQ(public_key(secret), expected);
}

TEST(P2pFrames, EnvelopesThereAndBack) {
  Bytes frame;
  const Bytes small(1, 7);
  const Bytes large(WHERRY_ENVELOPE_SIZE_MAX, 9);
  append(frame, 3, small);
  append(frame, 9, large);
  EXPECT_EQ(kind_of(frame), FrameKind::kEnvelopes);
  const auto envelopes = parse_envelopes(frame);
  ASSERT_TRUE(envelopes && envelopes->size() == 2);
  EXPECT_EQ((*envelopes)[0].number, 3u);
  EXPECT_TRUE(std::ranges::equal((*envelopes)[0].bytes, small));
  EXPECT_EQ((*envelopes)[1].number, 9u);
  EXPECT_TRUE(std::ranges::equal((*envelopes)[1].bytes, large));
  for (std::size_t size = 1; size < 20; ++size) {
    EXPECT_EQ(parse_envelopes(std::span(frame).first(size)).has_value(), size == 8) << size;
  }
}

TEST(P2pFrames, EnvelopesThatAreNone) {
  Bytes falling;
  append(falling, 3, Bytes(1, 7));
  append(falling, 3, Bytes(1, 7));
  EXPECT_FALSE(parse_envelopes(falling));
  Bytes zero;
  append(zero, 0, Bytes(1, 7));
  EXPECT_FALSE(parse_envelopes(zero));
  EXPECT_FALSE(parse_envelopes(Bytes{1, 0, 0, 0, 1, 0, 0}));              // empty
  EXPECT_FALSE(parse_envelopes(Bytes{1, 0, 0, 0, 1, 0xff, 0xff, 1, 2}));  // longer than it is
  EXPECT_FALSE(parse_envelopes(Bytes{1}));
  Bytes many;
  for (std::uint32_t i = 1; i <= kFrameEnvelopesMax; ++i) append(many, i, Bytes(1, 7));
  EXPECT_TRUE(parse_envelopes(many));
  append(many, kFrameEnvelopesMax + 1, Bytes(1, 7));
  EXPECT_FALSE(parse_envelopes(many));
  EXPECT_FALSE(kind_of({}));
  EXPECT_FALSE(kind_of(Bytes{0}));
  EXPECT_FALSE(kind_of(Bytes{10}));
}

TEST(P2pFrames, NumbersAsRanges) {
  std::vector<std::uint32_t> numbers{7, 1, 2, 3, 9, 8, 2};
  const Bytes frame = pack_numbers(FrameKind::kTaken, numbers);
  EXPECT_TRUE(numbers.empty());
  EXPECT_EQ(parse_numbers(frame), (std::vector<Range>{{1, 3}, {7, 9}}));
  std::vector<std::uint32_t> many;
  for (std::uint32_t i = 0; i < 2 * kRangesMax; ++i) many.push_back(2 * i + 1);
  EXPECT_EQ(parse_numbers(pack_numbers(FrameKind::kStored, many))->size(), kRangesMax);
  EXPECT_EQ(many.size(), kRangesMax);
  EXPECT_FALSE(parse_numbers(Bytes{2}));
  EXPECT_FALSE(parse_numbers(Bytes{2, 0, 0, 0, 0, 0, 0, 0, 1}));  // from 0
  EXPECT_FALSE(parse_numbers(Bytes{2, 0, 0, 0, 2, 0, 0, 0, 1}));  // backwards
  EXPECT_FALSE(
      parse_numbers(Bytes{2, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, 6}));  // they overlap
}

TEST(P2pSettings, AreChecked) {
  const auto parse = [](const char* name, const char* value) {
    const wherry_setting setting{name, value};
    std::string error;
    const auto parsed = parse_settings(&setting, 1, error);
    EXPECT_EQ(parsed.has_value(), error.empty());
    return parsed.has_value();
  };
  EXPECT_TRUE(parse("listen", "0.0.0.0:0"));
  EXPECT_TRUE(parse("listen", ""));
  EXPECT_TRUE(parse("listen", "0.0.0.0:1024"));
  EXPECT_FALSE(parse("listen", "0.0.0.0:1023"));
  EXPECT_FALSE(parse("listen", "localhost:5000"));
  EXPECT_TRUE(parse("advertise", "1.2.3.4:5000,[2606::1]:1024"));
  EXPECT_FALSE(parse("advertise", "1.2.3.4:5000,[2606::1]:1023"));
  EXPECT_FALSE(parse("advertise", "1.2.3.4:0"));
  EXPECT_FALSE(parse("advertise", "1.2.3.4:5000,"));
  EXPECT_FALSE(parse("advertise", "1.2.3.4:5000,1.2.3.4:5000"));
  EXPECT_FALSE(parse("advertise", ",1.2.3.4:5000"));
  EXPECT_TRUE(parse("meet", "1.2.3.4:65534"));
  EXPECT_FALSE(parse("meet", "1.2.3.4:65535"));
  EXPECT_FALSE(parse("meet", "1.2.3.4:1023"));
  EXPECT_TRUE(parse("allow", "10.0.0.0/8,fd00::/8"));
  EXPECT_FALSE(parse("allow", "10.0.0.1"));
  EXPECT_TRUE(parse("proxy", "127.0.0.1:9050"));
  EXPECT_FALSE(parse("proxy", "9050"));
  EXPECT_FALSE(parse("proxy", "localhost:9050"));
  EXPECT_FALSE(parse("proxy", "127.0.0.1:0"));
}

TEST(P2pSettings, LinksFromBothEndsHaveTheirPortsAndNoProxy) {
  const auto parse = [](const char* name, const char* value) {
    const wherry_setting settings[] = {{"meet", "1.2.3.4:6000"}, {name, value}};
    std::string error;
    const auto parsed = parse_settings(settings, 2, error);
    EXPECT_EQ(parsed.has_value(), error.empty());
    return parsed.has_value();
  };
  EXPECT_TRUE(parse("listen", "0.0.0.0:5999"));
  EXPECT_FALSE(parse("listen", "0.0.0.0:6000"));
  EXPECT_FALSE(parse("listen", "0.0.0.0:6001"));
  EXPECT_FALSE(parse("proxy", "127.0.0.1:9050"));
}

TEST(P2pSettings, WhoListensNowhereRevealsNothingByBeingOnline) {
  const NodeSettings nowhere;
  for (const std::uint32_t facts : reveals_of_listening(nowhere).facts) EXPECT_EQ(facts, 0u);
  NodeSettings through_proxy;
  through_proxy.proxy = parse_address("127.0.0.1:9050");
  const wherry_reveals reveals = reveals_of_dialling(through_proxy);
  EXPECT_EQ(reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] & WHERRY_FACT_MY_IP, 0u);
  EXPECT_NE(reveals.facts[WHERRY_OBSERVER_PROXY] & WHERRY_FACT_MY_IP, 0u);
  NodeSettings meeting;
  meeting.meeting = parse_address("1.2.3.4:6000");
  EXPECT_NE(reveals_of_listening(meeting).facts[WHERRY_OBSERVER_OTHER_PERSON] & WHERRY_FACT_MY_IP,
            0u);
  NodeSettings listening = through_proxy;
  listening.listen = *parse_address("0.0.0.0:1");
  EXPECT_NE(reveals_of_dialling(listening).facts[WHERRY_OBSERVER_OTHER_PERSON] & WHERRY_FACT_MY_IP,
            0u);
}

}  // namespace
}  // namespace wherry::transports::p2p
