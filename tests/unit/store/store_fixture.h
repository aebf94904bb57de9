// A profile's database in a folder of its own, empty but for its tables.
#ifndef WHERRY_TESTS_UNIT_STORE_STORE_FIXTURE_H
#define WHERRY_TESTS_UNIT_STORE_STORE_FIXTURE_H

#include <gtest/gtest.h>

#include "crypto/init.h"
#include "store/profile_files.h"
#include "tests/support/world.h"

namespace wherry::store {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::init());
    static constexpr std::array<uint8_t, 32> kKey{1};
    auto made = ProfileFiles::create((folder_.path() / "p").string(),
                                     {WHERRY_KEY_RAW, kKey, crypto::kPasswordCostMin}, false,
                                     random_, [](Connection&) -> Status { return {}; });
    ASSERT_TRUE(made);
    files_ = made.take();
    db_ = files_->connect(false).take();
  }

  test::TemporaryFolder folder_;
  test::SeededRandom random_{1};
  std::unique_ptr<ProfileFiles> files_;
  std::unique_ptr<Connection> db_;
};

}  // namespace wherry::store

#endif  // WHERRY_TESTS_UNIT_STORE_STORE_FIXTURE_H
