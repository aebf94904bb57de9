// Texts and frames of the onion transport, and what its tor says.
#include <gtest/gtest.h>

#include <algorithm>

#include "include/wherry/transport.h"
#include "transports/common/crypto.h"
#include "transports/common/tor/control_reply.h"
#include "transports/common/tor/onion_address.h"
#include "transports/onion/endpoint.h"
#include "transports/onion/settings.h"
#include "transports/onion/stream.h"

namespace wherry::transports {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::vector<tor::Reply> replies_of(std::string_view text, bool* sound = nullptr) {
  tor::ReplyReader reader;
  const bool read = reader.feed(bytes_of(text));
  if (sound != nullptr) *sound = read;
  std::vector<tor::Reply> replies;
  while (auto reply = reader.next()) replies.push_back(std::move(*reply));
  return replies;
}

bool is_sound(std::string_view text) {
  bool sound = false;
  replies_of(text, &sound);
  return sound;
}

// The examples of Tor's rend-spec-v3, section 6.
TEST(OnionAddress, IsThatOfTheSpecification) {
  for (const char* text : {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd",
                           "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd",
                           "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd"}) {
    const auto key = tor::parse_address(text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(tor::address_of(*key), text);
  }
}

TEST(OnionAddress, HasOneText) {
  const std::string good = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd";
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string slip = good;
    slip[at] = slip[at] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(tor::parse_address(slip)) << slip;
  }
  std::string upper = good;
  std::ranges::transform(upper, upper.begin(), [](char c) { return std::toupper(c); });
  for (const std::string& text :
       {upper, good + ".onion", good.substr(1), std::string(), good + "a"}) {
    EXPECT_FALSE(tor::parse_address(text)) << text;
  }
}

// RFC 8032, section 7.1, test 1: the hash of its seed, clamped, begins with the secret scalar.
TEST(OnionKey, IsExpandedAsTheRfcSays) {
  const std::array<std::uint8_t, 32> seed = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
                                             0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
                                             0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
                                             0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
  const auto key = expanded_key(seed);
  EXPECT_EQ(key[0] & 7U, 0u);
  EXPECT_EQ(key[31] & 0xc0U, 0x40u);
  EXPECT_EQ(SigningKey(seed).public_key()[0], 0xd7);
}

TEST(OnionEndpoint, HasOneTextInEachOfItsForms) {
  onion::Endpoint endpoint;
  endpoint.service = SigningKey(std::array<std::uint8_t, 32>{1}).public_key();
  const auto comes_back = [&] {
    const std::string text = onion::to_text(endpoint);
    EXPECT_LE(text.size(), WHERRY_ENDPOINT_SIZE_MAX);
    EXPECT_EQ(onion::parse_endpoint(text), endpoint) << text;
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string slip = text;
      slip[at] = slip[at] == 'x' ? 'y' : 'x';
      EXPECT_FALSE(onion::parse_endpoint(slip)) << slip;
      EXPECT_FALSE(onion::parse_endpoint(text.substr(0, at)));
    }
  };
  comes_back();
  EXPECT_LE(onion::to_text(endpoint).size(), 100u);  // a contact card has room for no more
  endpoint.client = tor::Seed{2};
  comes_back();
  endpoint.token = onion::Token{3};
  comes_back();
}

TEST(TorControl, ReadsRepliesEventsAndData) {
  const auto replies = replies_of(
      "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/a \\\"b\\\" "
      "\\\\\"\r\n"
      "250 OK\r\n650 CIRC 4 BUILT\r\n250+info/names=\r\none\r\n..two\r\n.\r\n250 OK\r\n");
  ASSERT_EQ(replies.size(), 3u);
  EXPECT_EQ(replies[0].lines.size(), 3u);
  const auto words = tor::parse_words(replies[0].lines[1].text);
  ASSERT_TRUE(words);
  EXPECT_EQ((*words)["METHODS"], "COOKIE,SAFECOOKIE");
  EXPECT_EQ((*words)["COOKIEFILE"], "/a \"b\" \\");
  EXPECT_EQ((*words)["NOT_THERE"], "");
  EXPECT_TRUE(replies[1].is_event());
  EXPECT_EQ(replies[2].lines[0].data, "one\n.two\n");
  EXPECT_TRUE(replies[2].ok());
}

TEST(TorControl, RefusesWhatIsNotTheProtocol) {
  for (const char* text : {"\r\n", "HTTP/1.1 400 Bad Request\r\n", "25 OK\r\n", "250\r\n",
                           "250=x\r\n", "250-a\r\n551 b\r\n", "950 x\r\n", "SSH-2.0-x\n"}) {
    EXPECT_FALSE(is_sound(text)) << text;
  }
  EXPECT_FALSE(tor::parse_words("A=\"no end"));
  EXPECT_FALSE(tor::parse_words("A=\"no end\\"));
}

TEST(TorControl, IsBounded) {
  EXPECT_FALSE(is_sound(std::string(tor::kControlLineMax + 1, 'x')));
  std::string lines;
  for (std::size_t i = 0; i <= tor::kControlLinesMax; ++i) lines += "250-x\r\n";
  EXPECT_FALSE(is_sound(lines));
  std::string data = "250+x\r\n";
  while (data.size() <= tor::kControlReplyMax + 1000) data += std::string(1000, 'x') + "\r\n";
  EXPECT_FALSE(is_sound(data));
}

TEST(OnionStream, FramesComeInPieces) {
  onion::FrameReader reader;
  const std::vector<std::uint8_t> sent = {0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9, 0, 0};
  std::vector<std::vector<std::uint8_t>> frames;
  for (const std::uint8_t byte : sent) {
    reader.feed({&byte, 1});
    while (const auto frame = reader.next()) frames.emplace_back(frame->begin(), frame->end());
  }
  EXPECT_EQ(frames, (std::vector<std::vector<std::uint8_t>>{{7, 8}, {9}}));
  EXPECT_EQ(reader.unread(), 2u);
  EXPECT_FALSE(reader.bad());
}

TEST(OnionStream, RefusesFramesThatAreEmptyOrTooLong) {
  for (const std::vector<std::uint8_t>& head :
       {std::vector<std::uint8_t>{0, 0, 0, 0}, {0, 2, 0, 1}, {0xff, 0xff, 0xff, 0xff}}) {
    onion::FrameReader reader;
    reader.feed(head);
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.bad());
    EXPECT_EQ(reader.room(), 0u);
  }
}

TEST(OnionSettings, AreCheckedBeforeAnythingStarts) {
  const auto error_of = [](std::vector<wherry_setting> settings) {
    std::string error;
    EXPECT_FALSE(onion::parse_settings(settings.data(), settings.size(), error));
    return error;
  };
  EXPECT_NE(error_of({{"bridges", "obfs4 1.2.3.4:5\nControlPort 9051"}}).find("one line"),
            std::string::npos);
  EXPECT_NE(error_of({{"services", "0"}}).find("services"), std::string::npos);
  EXPECT_NE(error_of({{"folder", "somewhere"}}).find("folder"), std::string::npos);
  EXPECT_NE(error_of({{"torrc", "/not/there"}}).find("can not be read"), std::string::npos);
  EXPECT_NE(error_of({{"control", "127.0.0.1:9051"}, {"bridges", "x"}}).find("control"),
            std::string::npos);
}

TEST(OnionSettings, SharingAnAddressIsRevealed) {
  std::string error;
  const std::vector<wherry_setting> share = {{"services", "1"}, {"share", "true"}};
  const auto shared = onion::parse_settings(share.data(), share.size(), error);
  const auto own = onion::parse_settings(share.data(), 1, error);
  ASSERT_TRUE(shared && own);
  const auto to_person = [](const onion::NodeSettings& settings) {
    return onion::reveals_of(settings).facts[WHERRY_OBSERVER_OTHER_PERSON];
  };
  EXPECT_NE(to_person(*shared) & WHERRY_FACT_INBOXES_TOGETHER, 0u);
  EXPECT_EQ(to_person(*own) & WHERRY_FACT_INBOXES_TOGETHER, 0u);
  EXPECT_EQ(to_person(*own) & WHERRY_FACT_MY_IP, 0u);
}

}  // namespace
}  // namespace wherry::transports
