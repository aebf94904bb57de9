// Contact cards (PROTOCOL §3).
#include "identity/card.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "codec/base64url.h"
#include "codec/cbor.h"
#include "seeded_random.h"

namespace wherry::test {
namespace {

using identity::Card;
using identity::Identity;

class CardTest : public testing::Test {
 protected:
  CardTest() : random_(1), signer_(Identity::make(random_)) {
    card_.fetch_secret = Secret<32>(random_.bytes(32));
    card_.transport = "loopback";
    card_.endpoint = "lo1:hub/inbox/token";
    card_.expires_s = 1'900'000'000;
  }

  std::string text() const { return *card_.text(signer_); }
  static int32_t status(std::string_view text) {
    const Result<Card> card = Card::parse(text);
    return card ? WHERRY_OK : card.error().status;
  }
  // A card with any contents, signed as it should be.
  std::string signed_text(const Bytes& contents) const {
    Bytes card = contents;
    append(card, signer_.keys.sign("card", contents).view());
    return "wherry:" + codec::base64url_encode(card);
  }
  codec::CborWriter required(size_t pairs, uint64_t version = 1, uint64_t expires_s = 9) const {
    codec::CborWriter out;
    out.map(pairs).key(1).uint(version).key(2).bytes(signer_.public_key().view());
    out.key(3).bytes(card_.fetch_secret.view()).key(4).text("t").key(5).text("e");
    out.key(6).uint(expires_s);
    return out;
  }

  SeededRandom random_;
  Identity signer_;
  Card card_;
};

TEST_F(CardTest, RoundTrip) {
  card_.permits = std::vector<uint32_t>{1, 0, 512};
  Result<Card> read = Card::parse(text());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->identity, signer_.public_key());
  EXPECT_TRUE(equal(read->fetch_secret.view(), card_.fetch_secret.view()));
  EXPECT_EQ(read->transport, card_.transport);
  EXPECT_EQ(read->endpoint, card_.endpoint);
  EXPECT_EQ(read->expires_s, card_.expires_s);
  EXPECT_EQ(read->permits, card_.permits);
  EXPECT_EQ(*read->clone().text(signer_), text());
  card_.permits.reset();
  EXPECT_FALSE(Card::parse(text())->permits);
}

TEST_F(CardTest, WhiteSpaceIsIgnored) {
  const std::string card = text();
  std::string spaced = " \n";
  for (size_t i = 0; i < card.size(); ++i) {
    spaced += card[i];
    if (i % 20 == 0) spaced += "\r\n\t ";
  }
  EXPECT_EQ(status(spaced), WHERRY_OK);
  EXPECT_EQ(status(card + "."), WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status("x" + card), WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status(card + std::string(1, '\0')), WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status(card + std::string(10000, ' ')), WHERRY_E_CARD_MALFORMED);
}

TEST_F(CardTest, EveryAlterationIsRefused) {
  const std::string card = text();
  for (size_t i = 0; i < card.size(); ++i) {
    std::string altered = card;
    altered[i] = altered[i] == 'Q' ? 'R' : 'Q';
    EXPECT_NE(status(altered), WHERRY_OK) << i;
    EXPECT_NE(status(std::string_view(card).substr(0, i)), WHERRY_OK) << i;
  }
  std::string forged = card;
  forged[forged.size() - 20] = forged[forged.size() - 20] == 'x' ? 'y' : 'x';
  EXPECT_EQ(status(forged), WHERRY_E_CARD_FORGED);
}

TEST_F(CardTest, SomebodyElsesSignatureIsForged) {
  const Identity other = Identity::make(random_);
  codec::CborWriter out = required(6);
  Bytes card = out.view();
  append(card, other.keys.sign("card", out.view()).view());
  EXPECT_EQ(status("wherry:" + codec::base64url_encode(card)), WHERRY_E_CARD_FORGED);
  Bytes mislabelled = out.view();
  append(mislabelled, signer_.keys.sign("devices", out.view()).view());
  EXPECT_EQ(status("wherry:" + codec::base64url_encode(mislabelled)), WHERRY_E_CARD_FORGED);
  EXPECT_EQ(status(signed_text(out.view())), WHERRY_OK);
}

TEST_F(CardTest, NewerVersionsAndUnknownKeys) {
  EXPECT_EQ(status(signed_text(required(6, 2).view())), WHERRY_E_CARD_VERSION);
  EXPECT_EQ(status(signed_text(required(7).key(40).map(1).key(1).text("?").view())), WHERRY_OK);
  EXPECT_EQ(status(signed_text(required(7).key(40).bytes({}).uint(0).view())),
            WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status(signed_text(required(7).view())), WHERRY_E_CARD_MALFORMED);
}

TEST_F(CardTest, MissingOrWrongFieldsAreMalformed) {
  codec::CborWriter missing;
  missing.map(1).key(1).uint(1);
  EXPECT_EQ(status(signed_text(missing.view())), WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status(signed_text(required(7).key(7).uint(3).view())), WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status(signed_text(required(7).key(7).array(1).uint(1ull << 32).view())),
            WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status(signed_text({})), WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status(""), WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(status("wherry:"), WHERRY_E_CARD_MALFORMED);
}

TEST_F(CardTest, NamesThatCanNotBeShownAreMalformed) {
  const auto with = [&](std::string_view transport, std::string_view endpoint, uint64_t expires_s) {
    codec::CborWriter out;
    out.map(6).key(1).uint(1).key(2).bytes(signer_.public_key().view());
    out.key(3).bytes(card_.fetch_secret.view()).key(4).text(transport).key(5).text(endpoint);
    out.key(6).uint(expires_s);
    return status(signed_text(out.view()));
  };
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(with("t", "e", 9), WHERRY_OK);
  for (const std::string_view name :
       {""sv, " "sv, "a\nb"sv, "a\0b"sv, "\x1b[2J"sv, "\x7f"sv, "é"sv}) {
    EXPECT_EQ(with(name, "e", 9), WHERRY_E_CARD_MALFORMED);
    EXPECT_EQ(with("t", name, 9), WHERRY_E_CARD_MALFORMED);
  }
}

TEST_F(CardTest, AnExpiryThatIsNoTimeInMillisecondsIsMalformed) {
  const auto with = [&](int64_t expires_s) {
    codec::CborWriter out;
    out.map(6).key(1).uint(1).key(2).bytes(signer_.public_key().view());
    out.key(3).bytes(card_.fetch_secret.view()).key(4).text("t").key(5).text("e");
    out.key(6).uint(static_cast<uint64_t>(expires_s));
    return status(signed_text(out.view()));
  };
  EXPECT_EQ(with(INT64_MAX / 1000), WHERRY_OK);
  EXPECT_EQ(with(INT64_MAX / 1000 + 1), WHERRY_E_CARD_MALFORMED);
  EXPECT_EQ(with(INT64_MAX), WHERRY_E_CARD_MALFORMED);
  card_.expires_s = INT64_MAX;
  EXPECT_EQ(card_.text(signer_).error().status, WHERRY_E_ARGUMENT);
}

TEST_F(CardTest, LengthIsBounded) {
  card_.endpoint = std::string(limits::kEndpointTextMax + 1, 'e');
  EXPECT_EQ(card_.text(signer_).error().status, WHERRY_E_ARGUMENT);
  card_.endpoint = std::string(limits::kEndpointTextMax, 'e');
  EXPECT_EQ(card_.text(signer_).error().status, WHERRY_E_TOO_LARGE);
  card_.endpoint.clear();
  EXPECT_EQ(card_.text(signer_).error().status, WHERRY_E_ARGUMENT);
  card_.endpoint = "\xff";
  EXPECT_EQ(card_.text(signer_).error().status, WHERRY_E_ARGUMENT);
  card_.endpoint = std::string(105, 'e');
  card_.transport = "centralized";
  EXPECT_LE(text().size(), limits::kCardTextMax);
}

// Whoever signs a card chooses its time; in milliseconds it must be a number as well.
TEST_F(CardTest, TheTimeOfExpiryIsBounded) {
  constexpr uint64_t kLast_s = INT64_MAX / 1000;
  const Result<Card> last = Card::parse(signed_text(required(6, 1, kLast_s).view()));
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(static_cast<uint64_t>(last->expires_s), kLast_s);
  for (const uint64_t expires_s : {kLast_s + 1, uint64_t{INT64_MAX}, UINT64_MAX}) {
    EXPECT_EQ(status(signed_text(required(6, 1, expires_s).view())), WHERRY_E_CARD_MALFORMED)
        << expires_s;
  }
  card_.expires_s = static_cast<int64_t>(kLast_s) + 1;
  EXPECT_EQ(card_.text(signer_).error().status, WHERRY_E_ARGUMENT);
  card_.expires_s = -1;
  EXPECT_EQ(card_.text(signer_).error().status, WHERRY_E_ARGUMENT);
}

TEST_F(CardTest, ExpiresAfterItsLastSecond) {
  EXPECT_FALSE(card_.expired(card_.expires_s));
  EXPECT_TRUE(card_.expired(card_.expires_s + 1));
  EXPECT_FALSE(card_.expired(INT64_MIN));
  EXPECT_TRUE(card_.expired(INT64_MAX));
}

}  // namespace
}  // namespace wherry::test
