// Base64 for URLs: RFC 4648 §10, and one text for each byte string.
#include "codec/base64url.h"

#include <gtest/gtest.h>

#include "seeded_random.h"

namespace wherry::test {
namespace {

using codec::base64url_decode;
using codec::base64url_encode;

TEST(Base64urlTest, VectorsOfTheRfcWithoutPadding) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64url_encode(as_bytes(bytes)), text);
    ASSERT_TRUE(base64url_decode(text));
    EXPECT_TRUE(equal(*base64url_decode(text), as_bytes(bytes)));
  }
}

TEST(Base64urlTest, RefusesEverythingElse) {
  for (std::string_view text :
       {"Z", "Zg==", "Zh", "Zm9", "Zm9vY", "Zm+v", "Zm/v", "Zm 9v", "Zm9v\n", "Zm9\xc3", "Zm.v"}) {
    EXPECT_FALSE(base64url_decode(text)) << text;
  }
  EXPECT_FALSE(base64url_decode(std::string_view("Zm\0v", 4)));
}

TEST(Base64urlTest, RoundTripsAndIsUnique) {
  SeededRandom random(1);
  for (size_t size = 0; size < 200; ++size) {
    const Bytes bytes = random.bytes(size);
    std::string text = base64url_encode(bytes);
    EXPECT_EQ(base64url_decode(text), bytes);
    if (text.empty()) continue;
    const size_t at = random.below(text.size());
    text[at] = text[at] == 'A' ? 'B' : 'A';
    EXPECT_NE(base64url_decode(text), bytes);
  }
}

}  // namespace
}  // namespace wherry::test
