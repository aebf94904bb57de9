// Bytes, results, secrets, log lines.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"

namespace wherry {
namespace {

TEST(Bytes, ToHexAndEqual) {
  EXPECT_EQ(to_hex({}), "");
  EXPECT_EQ(to_hex(Bytes{0x00, 0xab, 0xff}), "00abff");
  EXPECT_TRUE(equal({}, {}));
  EXPECT_FALSE(equal(Bytes{1}, Bytes{2}));
  EXPECT_FALSE(equal(Bytes{1}, Bytes{1, 2}));
}

TEST(Bytes, ToArrayTakesWhatFits) {
  EXPECT_EQ(to_array<2>(Bytes{1, 2, 3}), (std::array<uint8_t, 2>{1, 2}));
  EXPECT_EQ(to_array<2>(Bytes{1}), (std::array<uint8_t, 2>{1, 0}));
  EXPECT_EQ(to_array<2>({}), (std::array<uint8_t, 2>{}));
}

TEST(Secret, MovingLeavesNothingBehind) {
  Secret<4> secret(Bytes{1, 2, 3, 4});
  Secret<4> moved(std::move(secret));
  EXPECT_TRUE(equal(secret.view(), Bytes(4)));  // NOLINT: what is left is what is tested
  EXPECT_TRUE(equal(moved.view(), Bytes{1, 2, 3, 4}));
  secret = moved.clone();
  EXPECT_TRUE(equal(secret.view(), moved.view()));
  secret.clear();
  EXPECT_TRUE(equal(secret.view(), Bytes(4)));
  SecretBytes bytes(Bytes{9});
  bytes.clear();
  EXPECT_TRUE(bytes.bytes().empty());
}

TEST(Result, HoldsAValueOrAnError) {
  Result<int> good(7);
  EXPECT_TRUE(good);
  EXPECT_EQ(*good, 7);
  const Result<int> bad(refuse(WHERRY_REASON_FORGED, "no"));
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().reason, WHERRY_REASON_FORGED);
  EXPECT_TRUE(Status());
  EXPECT_EQ(Status(fail(WHERRY_E_DISK, "full")).error().status, WHERRY_E_DISK);
}

TEST(Log, WritesNothingBelowItsLevel) {
  std::vector<std::string> lines;
  Log log(LogLevel::kWarning, [&](LogLevel, const std::string& line) { lines.push_back(line); });
  log.error("one");
  log.warning("two");
  log.info("three");
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
  Log().error("nobody listens");
}

}  // namespace
}  // namespace wherry
