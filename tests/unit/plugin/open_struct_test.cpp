// Open structs between versions, on one that has grown: what no struct of the headers has yet.
#include "plugin/open_struct.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace wherry {
namespace {

// As this version knows it; the first one ended after `count`.
struct Grown {
  size_t size;
  uint64_t count;
  uint64_t added;
  const char* added_later;
};
constexpr size_t kFirst = offsetof(Grown, added);

// Memory of `size` bytes and not one more, so that AddressSanitizer sees who reads beyond it.
std::unique_ptr<std::byte[]> sized(size_t size) {
  auto memory = std::make_unique<std::byte[]>(size);
  const Grown whole{size, 1, 2, "three"};
  std::memcpy(memory.get(), &whole, std::min(size, sizeof whole));
  return memory;
}

const Grown* as_grown(const std::unique_ptr<std::byte[]>& memory) {
  return reinterpret_cast<const Grown*>(memory.get());
}

TEST(OpenStruct, OfAnOlderVersionLacksWhatWasAdded) {
  for (const size_t size : {kFirst, offsetof(Grown, added_later)}) {
    const auto memory = sized(size);
    ASSERT_TRUE(size_fits(as_grown(memory), kFirst)) << size;
    const Grown known = known_part(as_grown(memory));
    EXPECT_EQ(known.size, sizeof known);
    EXPECT_EQ(known.count, 1u);
    EXPECT_EQ(known.added, size == kFirst ? 0u : 2u);
    EXPECT_EQ(known.added_later, nullptr);
  }
  const auto memory = sized(kFirst);
  const Grown defaults{sizeof defaults, 7, 8, "nine"};
  const Grown known = known_part(as_grown(memory), defaults);
  EXPECT_EQ(known.count, 1u);
  EXPECT_EQ(known.added, 8u);
  EXPECT_STREQ(known.added_later, "nine");
}

TEST(OpenStruct, OfANewerVersionIsReadAsFarAsItIsKnown) {
  for (const size_t size : {sizeof(Grown), sizeof(Grown) + 8, kOpenStructSizeMax}) {
    const auto memory = sized(size);
    ASSERT_TRUE(size_fits(as_grown(memory), kFirst)) << size;
    const Grown known = known_part(as_grown(memory));
    EXPECT_EQ(known.size, sizeof known);
    EXPECT_EQ(known.added, 2u);
    EXPECT_STREQ(known.added_later, "three");
  }
}

TEST(OpenStruct, OfNoVersionIsRefused) {
  for (const size_t size : {size_t{0}, size_t{1}, kFirst - 1, kOpenStructSizeMax + 1, SIZE_MAX}) {
    const Grown whole{size, 1, 2, "three"};
    EXPECT_FALSE(size_fits(&whole, kFirst)) << size;
  }
}

// The first version's sizes on a machine of 64 bits: part of the ABI.
TEST(OpenStruct, TheFirstVersionsSizesNeverChange) {
  if (sizeof(void*) != 8) GTEST_SKIP() << "the sizes are those of 64 bits";
  EXPECT_EQ(kErrorSizeFirst, 272u);
  EXPECT_EQ(kOptionsSizeFirst, 48u);
  EXPECT_EQ(kPluginSizeFirst, 168u);
  EXPECT_EQ(kDescriptionSizeFirst, 128u);
}

}  // namespace
}  // namespace wherry
