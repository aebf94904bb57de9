// Fixed little-endian fields.
#include "codec/fields.h"

#include <gtest/gtest.h>

namespace wherry::test {
namespace {

using codec::FieldReader;

TEST(FieldsTest, RoundTrip) {
  Bytes bytes;
  codec::append_le(bytes, uint8_t{0x12});
  codec::append_le(bytes, uint16_t{0x1234});
  codec::append_le(bytes, uint32_t{0x12345678});
  codec::append_le(bytes, uint64_t{0xfedcba9876543210});
  bytes.push_back(0xaa);
  EXPECT_EQ(to_hex(bytes),
            "12"
            "3412"
            "78563412"
            "1032547698badcfe"
            "aa");
  FieldReader in(bytes);
  EXPECT_EQ(in.number<uint8_t>(), 0x12);
  EXPECT_EQ(in.number<uint16_t>(), 0x1234);
  EXPECT_EQ(in.number<uint32_t>(), 0x12345678u);
  EXPECT_EQ(in.number<uint64_t>(), 0xfedcba9876543210u);
  EXPECT_FALSE(in.done());
  EXPECT_EQ(to_hex(in.rest()), "aa");
  EXPECT_TRUE(in.done());
}

TEST(FieldsTest, TooLittleFailsForGood) {
  const Bytes bytes(3, 1);
  FieldReader in(bytes);
  EXPECT_EQ(in.number<uint32_t>(), 0u);
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.number<uint8_t>(), 0);
  EXPECT_EQ(in.fixed<2>(), (std::array<uint8_t, 2>{}));
  EXPECT_TRUE(in.rest().empty());
  EXPECT_FALSE(in.done());
}

}  // namespace
}  // namespace wherry::test
