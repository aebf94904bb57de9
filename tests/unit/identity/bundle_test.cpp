// Prekeys and bundles (PROTOCOL §3).
#include "identity/bundle.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "seeded_random.h"

namespace wherry::test {
namespace {

using identity::Bundle;
using identity::bundle_locator;
using identity::Device;
using identity::DeviceList;
using identity::DevicePublic;
using identity::Identity;
using identity::open_bundle;
using identity::Prekey;
using identity::seal_bundle;

class BundleTest : public testing::Test {
 protected:
  BundleTest()
      : random_(1),
        identity_(Identity::make(random_)),
        device_(Device::make(random_)),
        list_(DeviceList::make(identity_, 1, {device_.public_part()})),
        prekey_(Prekey::make(5, 1'900'000'000, random_)),
        secret_(random_.bytes(32)) {}

  Bytes cbor() const { return *Bundle::make(device_, list_, prekey_); }
  int32_t reason(ByteView bytes) const {
    const Result<Bundle> bundle = Bundle::parse(bytes, identity_.public_key());
    return bundle ? WHERRY_REASON_NONE : bundle.error().reason;
  }

  SeededRandom random_;
  Identity identity_;
  Device device_;
  DeviceList list_;
  Prekey prekey_;
  Secret<32> secret_;
};

TEST_F(BundleTest, RoundTripSealed) {
  const Bytes sealed = seal_bundle(secret_, cbor(), random_);
  EXPECT_EQ(sealed.size(), limits::kBundleSize);
  Result<Bytes> opened = open_bundle(secret_, sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(*opened, cbor());
  Result<Bundle> bundle = Bundle::parse(*opened, identity_.public_key());
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ(bundle->list.bytes(), list_.bytes());
  EXPECT_EQ(bundle->device, device_.public_part());
  EXPECT_EQ(bundle->prekey_id, 5u);
  EXPECT_EQ(bundle->agreement, prekey_.agreement.public_key);
  EXPECT_EQ(bundle->kem, crypto::KemPair::from_seed(prekey_.kem_seed).public_key);
  EXPECT_FALSE(bundle->expired(1'900'000'000));
  EXPECT_TRUE(bundle->expired(1'900'000'001));
}

TEST_F(BundleTest, OnlyTheSecretFindsAndOpensIt) {
  const Secret<32> other(random_.bytes(32));
  EXPECT_NE(bundle_locator(secret_), bundle_locator(other));
  const Bytes sealed = seal_bundle(secret_, cbor(), random_);
  EXPECT_NE(sealed, seal_bundle(secret_, cbor(), random_));
  EXPECT_EQ(open_bundle(other, sealed).error().reason, WHERRY_REASON_FORGED);
  EXPECT_EQ(open_bundle(secret_, ByteView(sealed).first(2047)).error().reason,
            WHERRY_REASON_MALFORMED);
  for (size_t i = 0; i < sealed.size(); i += 13) {
    Bytes altered = sealed;
    altered[i] ^= 1;
    EXPECT_EQ(open_bundle(secret_, altered).error().reason, WHERRY_REASON_FORGED) << i;
  }
}

TEST_F(BundleTest, EveryAlterationIsRefused) {
  const Bytes bundle = cbor();
  ASSERT_EQ(reason(bundle), WHERRY_REASON_NONE);
  for (size_t i = 0; i < bundle.size(); ++i) {
    Bytes altered = bundle;
    altered[i] ^= 1;
    EXPECT_NE(reason(altered), WHERRY_REASON_NONE) << i;
  }
  for (size_t i = 0; i < bundle.size(); i += 5) {
    EXPECT_EQ(reason(ByteView(bundle).first(i)), WHERRY_REASON_MALFORMED) << i;
  }
}

TEST_F(BundleTest, MustBeOfTheCardsIdentityAndAListedDevice) {
  const Identity other = Identity::make(random_);
  EXPECT_EQ(Bundle::parse(cbor(), other.public_key()).error().reason, WHERRY_REASON_FORGED);
  const Device unlisted = Device::make(random_);
  EXPECT_EQ(reason(*Bundle::make(unlisted, list_, prekey_)), WHERRY_REASON_FORGED);
  // Signed by another device than the one that it names.
  Device disguised{unlisted.signing.clone(), device_.agreement.clone()};
  const DeviceList both =
      DeviceList::make(identity_, 2, {device_.public_part(), disguised.public_part()});
  EXPECT_EQ(reason(*Bundle::make(disguised, both, prekey_)), WHERRY_REASON_NONE);
}

TEST_F(BundleTest, ListsThatLeaveNoRoomAreRefused) {
  const auto made_with = [&](size_t devices) {
    std::vector<DevicePublic> listed = {device_.public_part()};
    while (listed.size() < devices) listed.push_back(Device::make(random_).public_part());
    return Bundle::make(device_, DeviceList::make(identity_, 1, listed), prekey_);
  };
  EXPECT_TRUE(made_with(6).ok());
  EXPECT_EQ(made_with(limits::kDevicesMax).error().status, WHERRY_E_TOO_LARGE);
}

TEST_F(BundleTest, PrekeysSurviveTheStore) {
  const SecretBytes stored = prekey_.to_bytes();
  Result<Prekey> read = Prekey::from_bytes(stored.view());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->id, 5u);
  EXPECT_EQ(read->expires_s, 1'900'000'000);
  EXPECT_EQ(read->agreement.public_key, prekey_.agreement.public_key);
  EXPECT_TRUE(equal(read->kem_seed.view(), prekey_.kem_seed.view()));
  EXPECT_EQ(read->clone().to_bytes().bytes(), stored.bytes());
  EXPECT_EQ(Prekey::from_bytes(stored.view().subspan(1)).error().status, WHERRY_E_CORRUPT);
}

}  // namespace
}  // namespace wherry::test
