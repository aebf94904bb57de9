// Keys at rest, device ids and device lists (PROTOCOL §2).
#include "identity/device_list.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "codec/cbor.h"
#include "crypto/hash.h"
#include "seeded_random.h"

namespace wherry::test {
namespace {

using identity::Device;
using identity::DeviceList;
using identity::DevicePublic;
using identity::Identity;
using identity::ListChange;

class DeviceListTest : public testing::Test {
 protected:
  DeviceListTest() : random_(1), identity_(Identity::make(random_)) {}

  std::vector<DevicePublic> devices(size_t count) {
    std::vector<DevicePublic> out;
    for (size_t i = 0; i < count; ++i) out.push_back(Device::make(random_).public_part());
    return out;
  }
  Bytes signed_list(const Bytes& contents) const {
    Bytes out;
    append(out, identity_.keys.sign("devices", contents).view());
    append(out, contents);
    return out;
  }
  static int32_t reason(ByteView bytes) {
    const Result<DeviceList> list = DeviceList::parse(bytes);
    return list ? WHERRY_REASON_NONE : list.error().reason;
  }

  SeededRandom random_;
  Identity identity_;
};

TEST_F(DeviceListTest, KeysSurviveTheStore) {
  const Device device = Device::make(random_);
  Result<Device> read = Device::from_bytes(device.to_bytes().view());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->public_part(), device.public_part());
  EXPECT_TRUE(equal(read->agreement.secret.view(), device.agreement.secret.view()));
  Result<Identity> identity = Identity::from_bytes(identity_.to_bytes().view());
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->public_key(), identity_.public_key());
  Bytes newer = device.to_bytes().bytes();
  newer[0] = 9;
  EXPECT_EQ(Device::from_bytes(newer).error().status, WHERRY_E_CORRUPT);
  EXPECT_EQ(Device::from_bytes({}).error().status, WHERRY_E_CORRUPT);
  EXPECT_EQ(Identity::from_bytes(newer).error().status, WHERRY_E_CORRUPT);
}

TEST_F(DeviceListTest, DeviceIdIsTheHashOfBothKeys) {
  const DevicePublic device = Device::make(random_).public_part();
  Bytes input(as_bytes("wherry/1/device").begin(), as_bytes("wherry/1/device").end());
  append(input, device.signing.view());
  append(input, device.agreement.view());
  EXPECT_EQ(device.id(), crypto::plain_hash<16>(input));
}

TEST_F(DeviceListTest, RoundTrip) {
  for (size_t count : {size_t{1}, size_t{5}, limits::kDevicesMax}) {
    const DeviceList list = DeviceList::make(identity_, 1ull << 40, devices(count));
    Result<DeviceList> read = DeviceList::parse(list.bytes());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->identity(), identity_.public_key());
    EXPECT_EQ(read->generation(), 1ull << 40);
    EXPECT_EQ(read->devices(), list.devices());
    EXPECT_EQ(read->bytes(), list.bytes());
    const DevicePublic& last = list.devices().back();
    ASSERT_NE(read->find(last.id()), nullptr);
    EXPECT_EQ(*read->find(last.id()), last);
    EXPECT_EQ(read->find(Id128{}), nullptr);
  }
}

TEST_F(DeviceListTest, EveryAlterationIsRefused) {
  const DeviceList list = DeviceList::make(identity_, 1, devices(2));
  for (size_t i = 0; i < list.bytes().size(); ++i) {
    Bytes altered = list.bytes();
    altered[i] ^= 1;
    EXPECT_NE(reason(altered), WHERRY_REASON_NONE) << i;
    EXPECT_NE(reason(ByteView(list.bytes()).first(i)), WHERRY_REASON_NONE) << i;
  }
  Bytes longer = list.bytes();
  longer.push_back(0);
  EXPECT_EQ(reason(longer), WHERRY_REASON_MALFORMED);
  Bytes forged = list.bytes();
  forged[0] ^= 1;
  EXPECT_EQ(reason(forged), WHERRY_REASON_FORGED);
}

TEST_F(DeviceListTest, BoundsAndVersions) {
  const auto contents = [&](uint64_t version, const std::vector<DevicePublic>& listed,
                            size_t fields) {
    codec::CborWriter out;
    out.map(4).key(1).uint(version).key(2).bytes(identity_.public_key().view()).key(3).uint(1);
    out.key(4).array(listed.size());
    for (const DevicePublic& device : listed) {
      out.array(fields);
      for (size_t i = 0; i < fields; ++i) out.bytes(device.signing.view());
    }
    return signed_list(out.view());
  };
  EXPECT_EQ(reason(contents(1, devices(1), 2)), WHERRY_REASON_NONE);
  EXPECT_EQ(reason(contents(2, devices(1), 2)), WHERRY_REASON_VERSION);
  EXPECT_EQ(reason(contents(1, devices(1), 3)), WHERRY_REASON_MALFORMED);
  EXPECT_EQ(reason(contents(1, {}, 2)), WHERRY_REASON_MALFORMED);
  EXPECT_EQ(reason(contents(1, devices(limits::kDevicesMax + 1), 2)), WHERRY_REASON_MALFORMED);
  std::vector<DevicePublic> twice = devices(1);
  twice.push_back(twice[0]);
  EXPECT_EQ(reason(contents(1, twice, 2)), WHERRY_REASON_MALFORMED);
}

TEST_F(DeviceListTest, HigherGenerationsReplaceAndEqualOnesMustAgree) {
  const std::vector<DevicePublic> some = devices(2);
  const DeviceList one = DeviceList::make(identity_, 1, some);
  const DeviceList two = DeviceList::make(identity_, 2, some);
  const DeviceList other = DeviceList::make(identity_, 1, {some[1]});
  const DeviceList stranger = DeviceList::make(Identity::make(random_), 1, some);
  EXPECT_EQ(compare(one, one), ListChange::kSame);
  EXPECT_EQ(compare(one, two), ListChange::kNewer);
  EXPECT_EQ(compare(two, one), ListChange::kOlder);
  EXPECT_EQ(compare(one, other), ListChange::kConflict);
  EXPECT_EQ(compare(one, stranger), ListChange::kConflict);
}

}  // namespace
}  // namespace wherry::test
