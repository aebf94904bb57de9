// UTF-8 by RFC 3629.
#include "codec/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace wherry::test {
namespace {

using codec::utf8_valid;

TEST(Utf8Test, AcceptsTheEdgesOfEachLength) {
  for (std::string_view text :
       {"", "\x7f", "\u0080", "\u07ff", "\u0800", "\xed\x9f\xbf", "\ue000", "\uffff", "\U00010000",
        "\U0010ffff", "plain text of more than eight bytes", "seven..\u6c34 and then more"}) {
    EXPECT_TRUE(utf8_valid(text)) << text;
  }
  EXPECT_TRUE(utf8_valid(std::string_view("a\0b", 3)));
}

TEST(Utf8Test, RefusesWhatIsNot) {
  for (std::string_view text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xe6\xb0", "\xe6\xb0\x41", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xf0\x90\x80", "\xff", "long enough for a word \xff"}) {
    EXPECT_FALSE(utf8_valid(text));
  }
}

}  // namespace
}  // namespace wherry::test
