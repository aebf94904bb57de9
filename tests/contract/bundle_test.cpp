// The contract: bundles.
#include "tests/contract/contract.h"

namespace wherry::test {
namespace {

constexpr std::uint32_t kTimeToLiveS = 3600;

// Waits for the answer to a request, which must have been taken.
#define EXPECT_ANSWER(host, request, status) \
  ASSERT_EQ(status, WHERRY_TRANSPORT_OK);    \
  ASSERT_TRUE(until([&] { return (host).bundle(request).has_value(); })) << "no on_bundle"

TEST_P(TransportContract, GivesBackABundle) {
  if (!able(WHERRY_ABILITY_BUNDLES)) GTEST_SKIP() << "no BUNDLES ability";
  const std::string endpoint = connect();
  std::uint64_t request = 0;
  for (const std::size_t size : {std::size_t{1}, std::size_t{700}, std::size_t{4096}}) {
    const Bytes locator = secret(static_cast<std::uint8_t>(20 + size % 7));
    const Bytes bundle = envelope(size, 3);
    ++request;
    EXPECT_ANSWER(bob(), request,
                  bob().put_bundle(request, locator, secret(9), bundle, kTimeToLiveS));
    EXPECT_EQ(bob().bundle(request)->reason, WHERRY_REASON_NONE);
    EXPECT_ANSWER(alice(), request, alice().get_bundle(request, endpoint, locator));
    EXPECT_EQ(alice().bundle(request)->reason, WHERRY_REASON_NONE);
    EXPECT_EQ(alice().bundle(request)->bundle, bundle);
  }
}

TEST_P(TransportContract, OnlyItsOwnerReplacesABundle) {
  if (!able(WHERRY_ABILITY_BUNDLES)) GTEST_SKIP() << "no BUNDLES ability";
  const std::string endpoint = connect();
  const Bytes locator = secret(20);
  EXPECT_ANSWER(bob(), 1, bob().put_bundle(1, locator, secret(9), envelope(100, 1), kTimeToLiveS));
  EXPECT_ANSWER(alice(), 1,
                alice().put_bundle(1, locator, secret(8), envelope(100, 2), kTimeToLiveS));
  // Where everybody keeps their own there is nothing of Bob's to replace.
  if (able(WHERRY_ABILITY_OFFLINE)) {
    EXPECT_EQ(alice().bundle(1)->reason, WHERRY_REASON_NOT_ALLOWED);
  }
  EXPECT_ANSWER(alice(), 2, alice().get_bundle(2, endpoint, locator));
  EXPECT_EQ(alice().bundle(2)->bundle, envelope(100, 1));
  EXPECT_ANSWER(bob(), 2, bob().put_bundle(2, locator, secret(9), envelope(100, 3), kTimeToLiveS));
  EXPECT_EQ(bob().bundle(2)->reason, WHERRY_REASON_NONE);
  EXPECT_ANSWER(alice(), 3, alice().get_bundle(3, endpoint, locator));
  EXPECT_EQ(alice().bundle(3)->bundle, envelope(100, 3));
}

TEST_P(TransportContract, SaysThatABundleIsNotThere) {
  if (!able(WHERRY_ABILITY_BUNDLES)) GTEST_SKIP() << "no BUNDLES ability";
  const std::string endpoint = connect();
  EXPECT_ANSWER(alice(), 1, alice().get_bundle(1, endpoint, secret(20)));
  EXPECT_EQ(alice().bundle(1)->reason, WHERRY_REASON_NOT_FOUND);
  EXPECT_FALSE(alice().bundle(1)->bundle.has_value());
}

TEST_P(TransportContract, RefusesBundlesThatAreTooLargeAndForeignPlaces) {
  if (!able(WHERRY_ABILITY_BUNDLES)) GTEST_SKIP() << "no BUNDLES ability";
  connect();
  const std::int32_t status = bob().put_bundle(
      1, secret(20), secret(9), envelope(WHERRY_BUNDLE_SIZE_MAX + 1, 1), kTimeToLiveS);
  if (status == WHERRY_TRANSPORT_OK) {
    EXPECT_ANSWER(bob(), 1, status);
    EXPECT_EQ(bob().bundle(1)->reason, WHERRY_REASON_TOO_LARGE);
  } else {
    EXPECT_EQ(status, WHERRY_TRANSPORT_E_ARGUMENT);
  }
  EXPECT_EQ(alice().get_bundle(2, "zz9:nowhere", secret(20)), WHERRY_TRANSPORT_E_ENDPOINT);
}

}  // namespace
}  // namespace wherry::test
