// Deterministic CBOR: the examples of RFC 8949 Appendix A that are permitted, and all that is not.
#include "codec/cbor.h"

#include <gtest/gtest.h>

#include "hex.h"
#include "seeded_random.h"

namespace wherry::test {
namespace {

using codec::CborMap;
using codec::CborReader;
using codec::CborType;
using codec::CborWriter;

bool accepted(std::string_view hex) {
  const Bytes bytes = from_hex(hex);
  CborReader in(bytes);
  in.skip();
  return in.done();
}

TEST(CborTest, UnsignedIntegersOfAppendixA) {
  const std::pair<uint64_t, std::string_view> examples[] = {
      {0, "00"},
      {1, "01"},
      {10, "0a"},
      {23, "17"},
      {24, "1818"},
      {25, "1819"},
      {100, "1864"},
      {255, "18ff"},
      {256, "190100"},
      {1000, "1903e8"},
      {65535, "19ffff"},
      {65536, "1a00010000"},
      {1000000, "1a000f4240"},
      {4294967295, "1affffffff"},
      {4294967296, "1b0000000100000000"},
      {1000000000000, "1b000000e8d4a51000"},
      {18446744073709551615u, "1bffffffffffffffff"},
  };
  for (const auto& [value, hex] : examples) {
    CborWriter out;
    out.uint(value);
    EXPECT_EQ(out.view(), from_hex(hex)) << value;
    CborReader in(out.view());
    EXPECT_EQ(in.uint(), value);
    EXPECT_TRUE(in.done());
  }
}

TEST(CborTest, OtherTypesOfAppendixA) {
  CborWriter out;
  out.bytes(from_hex("01020304")).text("IETF").text("\u6c34").boolean(false).boolean(true).null();
  out.array(3).uint(1).uint(2).uint(3).map(2).key(1).uint(2).key(3).uint(4).text("").bytes({});
  EXPECT_EQ(to_hex(out.view()),
            "440102030464494554466"
            "3e6b0b4f4f5f683010203a2010203046040");

  const Bytes bytes = out.take();
  CborReader in(bytes);
  EXPECT_EQ(to_hex(in.bytes()), "01020304");
  EXPECT_EQ(in.text(), "IETF");
  EXPECT_EQ(in.text(), "\u6c34");
  EXPECT_FALSE(in.boolean());
  EXPECT_TRUE(in.boolean());
  in.null();
  EXPECT_EQ(in.array(), 3u);
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(in.uint(), i);
  CborMap map = in.map();
  for (uint64_t key : {1u, 3u}) {
    ASSERT_TRUE(map.next());
    EXPECT_EQ(map.key(), key);
    EXPECT_EQ(in.uint(), key + 1);
  }
  EXPECT_FALSE(map.next());
  EXPECT_EQ(in.text(), "");
  EXPECT_TRUE(in.bytes().empty());
  EXPECT_TRUE(in.done());
}

TEST(CborTest, RefusesWhatIsNotDeterministic) {
  EXPECT_TRUE(accepted("a201020304"));
  const std::string_view refused[] = {
      "1817",                // 23 in two bytes
      "1900ff",              // 255 in three
      "1a0000ffff",          // 65535 in five
      "1b00000000ffffffff",  // 2^32 - 1 in nine
      "580401020304",        // a length of 4 in two bytes
      "7801 61",             // the same of a text
      "9801 00",             // of an array
      "b801 0000",           // of a map
      "a203040102",          // keys fall
      "a201020102",          // a key twice
      "a1616101",            // a text as key
      "a12001",              // a negative key
      "5f42010243030405ff",  // indefinite lengths
      "7f657374726561646d696e67ff",
      "9fff",
      "bfff",
      "ff",
      "f90000",  // floats
      "fa47c35000",
      "fb3ff199999999999a",
      "c11a514b67b0",  // a tag
      "f7",            // undefined, and other simple values
      "f0",
      "f818",
      "f814",    // false in two bytes
      "1c",      // reserved
      "62c328",  // invalid UTF-8
      "8162c328",
      "61ff",
  };
  for (std::string_view hex : refused) EXPECT_FALSE(accepted(hex)) << hex;
}

TEST(CborTest, RefusesWhatIsCutOffOrTooLong) {
  const Bytes whole = from_hex("83 01 44 01020304 a2 01 61 61 02 82 f5 f6");
  CborReader in(whole);
  in.skip();
  EXPECT_TRUE(in.done());
  for (size_t size = 0; size < whole.size(); ++size) {
    CborReader cut(ByteView(whole).first(size));
    cut.skip();
    EXPECT_FALSE(cut.done()) << size;
  }
  EXPECT_FALSE(accepted("0000"));
  EXPECT_FALSE(accepted("9bffffffffffffffff"));
  EXPECT_FALSE(accepted("bb8000000000000000"));
  EXPECT_FALSE(accepted("5bffffffffffffffff00"));
  EXPECT_FALSE(accepted("9a00ffffff00"));
}

TEST(CborTest, RefusesMoreThanEightLevels) {
  EXPECT_TRUE(accepted("8181818181818181 00"));
  EXPECT_FALSE(accepted("818181818181818181 00"));
  EXPECT_TRUE(accepted("81818181818181 80"));
  EXPECT_FALSE(accepted("8181818181818181 80"));
  EXPECT_TRUE(accepted("82 80 80"));
  EXPECT_TRUE(accepted("a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 00"));
  EXPECT_FALSE(accepted("a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 00"));
}

TEST(CborTest, AFailureStays) {
  const Bytes bytes = from_hex("0102");
  CborReader in(bytes);
  EXPECT_TRUE(in.bytes().empty());
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.uint(), 0u);
  EXPECT_EQ(in.peek(), CborType::kNone);
  EXPECT_FALSE(in.map().next());
  EXPECT_EQ(in.array(), 0u);
  EXPECT_FALSE(in.done());
}

TEST(CborTest, ChecksBounds) {
  const auto fails = [](std::string_view hex, auto&& read) {
    const Bytes bytes = from_hex(hex);
    CborReader in(bytes);
    read(in);
    return in.failed();
  };
  EXPECT_TRUE(fails("11", [](CborReader& in) { in.uint(16); }));
  EXPECT_FALSE(fails("10", [](CborReader& in) { in.uint(16); }));
  EXPECT_TRUE(fails("420102", [](CborReader& in) { in.bytes(1); }));
  EXPECT_TRUE(fails("420102", [](CborReader& in) { in.fixed<3>(); }));
  EXPECT_TRUE(fails("420102", [](CborReader& in) { in.fixed<1>(); }));
  EXPECT_FALSE(fails("420102", [](CborReader& in) { in.fixed<2>(); }));
  EXPECT_TRUE(fails("626161", [](CborReader& in) { in.text(1); }));
  EXPECT_TRUE(fails("820101", [](CborReader& in) { in.array(1); }));
  EXPECT_TRUE(fails("a201010201", [](CborReader& in) { in.map(1); }));
  EXPECT_TRUE(fails("01", [](CborReader& in) { in.boolean(); }));
  EXPECT_TRUE(fails("f4", [](CborReader& in) { in.null(); }));
}

TEST(CborTest, UnreadItemsAreNotDone) {
  const Bytes bytes = from_hex("820102");
  CborReader in(bytes);
  in.array();
  in.uint();
  EXPECT_FALSE(in.done());
  in.uint();
  EXPECT_TRUE(in.done());
}

TEST(CborTest, ItemGivesItsEncoding) {
  const Bytes bytes = from_hex("a2 01 820304 02 00");
  CborReader in(bytes);
  CborMap map = in.map();
  ASSERT_TRUE(map.next());
  EXPECT_EQ(to_hex(in.item()), "820304");
  ASSERT_TRUE(map.next());
  in.skip();
  EXPECT_FALSE(map.next());
  EXPECT_TRUE(in.done());
}

// Writes a random item of at most `levels` levels.
void write_any(CborWriter& out, SeededRandom& random, int levels) {
  switch (random.below(levels > 0 ? 7 : 5)) {
    case 0:
      out.uint(random.number() >> random.below(64));
      break;
    case 1:
      out.bytes(random.bytes(random.below(300)));
      break;
    case 2:
      out.text(std::string(random.below(40), 'a'));
      break;
    case 3:
      out.boolean(random.chance(50));
      break;
    case 4:
      out.null();
      break;
    case 5: {
      const size_t items = random.below(5);
      out.array(items);
      for (size_t i = 0; i < items; ++i) write_any(out, random, levels - 1);
      break;
    }
    default: {
      const size_t pairs = random.below(5);
      out.map(pairs);
      uint64_t key = 0;
      for (size_t i = 0; i < pairs; ++i) {
        out.key(key += 1 + random.below(400));
        write_any(out, random, levels - 1);
      }
    }
  }
}

TEST(CborTest, WhatIsWrittenIsAcceptedAndItsCutsAreNot) {
  SeededRandom random(9);
  for (int i = 0; i < 2000; ++i) {
    CborWriter out;
    write_any(out, random, 8);
    CborReader in(out.view());
    in.skip();
    ASSERT_TRUE(in.done()) << to_hex(out.view());
    CborReader cut(ByteView(out.view()).first(out.view().size() - 1));
    cut.skip();
    ASSERT_FALSE(cut.done()) << to_hex(out.view());
  }
}

}  // namespace
}  // namespace wherry::test
