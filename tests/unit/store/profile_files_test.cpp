// A profile's directory: made, opened, damaged, locked, full of what is newer.
#include "store/profile_files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "crypto/init.h"
#include "store/meta.h"
#include "store/schema.h"
#include "tests/support/world.h"

namespace wherry::store {
namespace {

constexpr std::array<uint8_t, 32> kRaw{1};
constexpr std::array<uint8_t, 32> kOtherRaw{2};

Key raw(const std::array<uint8_t, 32>& bytes = kRaw) {
  return {WHERRY_KEY_RAW, bytes, crypto::kPasswordCostMin};
}
Key passphrase(std::string_view text) {
  return {WHERRY_KEY_PASSPHRASE, as_bytes(text), crypto::kPasswordCostMin};
}

class ProfileFilesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(crypto::init()); }

  Result<std::unique_ptr<ProfileFiles>> create(const Key& key = raw()) {
    return ProfileFiles::create(path(), key, false, random_, [](Connection& db) -> Status {
      meta_set(db, "name", as_bytes("kept"));
      return db.take_status();
    });
  }
  Result<std::unique_ptr<ProfileFiles>> open(const Key& key = raw()) {
    return ProfileFiles::open(path(), key, false);
  }
  int32_t open_status(const Key& key = raw()) {
    const auto opened = open(key);
    return opened ? 0 : opened.error().status;
  }
  std::string path() const { return (folder_.path() / "p").string(); }

  std::string read(const char* name) const {
    std::ifstream file(path() + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const char* name, const std::string& bytes) const {
    std::ofstream(path() + "/" + name, std::ios::binary | std::ios::trunc) << bytes;
  }

  test::TemporaryFolder folder_;
  test::SeededRandom random_{1};
};

TEST_F(ProfileFilesTest, KeepsWhatWasWritten) {
  ASSERT_TRUE(create());
  const auto files = open();
  ASSERT_TRUE(files);
  const auto db = (*files)->connect(true);
  ASSERT_TRUE(db);
  EXPECT_EQ(meta_get(**db, "name"), Bytes({'k', 'e', 'p', 't'}));
  meta_set(**db, "name", as_bytes("other"));
  EXPECT_EQ((*db)->take_status().error().status, WHERRY_E_READ_ONLY);
}

TEST_F(ProfileFilesTest, NothingOnTheDiskIsInTheClear) {
  ASSERT_TRUE(create());
  EXPECT_EQ(read("store.db").find("kept"), std::string::npos);
  EXPECT_EQ(read("store.db").find("CREATE TABLE"), std::string::npos);
  EXPECT_EQ(read("store.db").rfind("SQLite format", 0), std::string::npos);
}

TEST_F(ProfileFilesTest, IsMadeOnce) {
  EXPECT_EQ(open_status(), WHERRY_E_NO_PROFILE);
  ASSERT_TRUE(create());
  EXPECT_EQ(create().error().status, WHERRY_E_EXISTS);
}

TEST_F(ProfileFilesTest, WhatABrokenOffCreationLeftIsReplaced) {
  ASSERT_TRUE(create());
  std::filesystem::rename(path() + "/profile", path() + "/profile.new");  // it is written last
  EXPECT_EQ(open_status(), WHERRY_E_NO_PROFILE);
  ASSERT_TRUE(create(passphrase("again")));
  EXPECT_EQ(open_status(passphrase("again")), 0);
}

// The header is all by which the database can be read: while it may be found again, nothing
// takes the database's place.
TEST_F(ProfileFilesTest, ADatabaseWithoutItsHeaderIsNotReplaced) {
  ASSERT_TRUE(create());
  const std::string header = read("profile");
  std::filesystem::remove(path() + "/profile");
  EXPECT_EQ(open_status(), WHERRY_E_CORRUPT);
  const auto again = create();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().status, WHERRY_E_EXISTS);
  write("profile", header);
  EXPECT_EQ(open_status(), 0);
}

TEST_F(ProfileFilesTest, TheKeyIsChecked) {
  ASSERT_TRUE(create(passphrase("right")));
  EXPECT_EQ(open_status(passphrase("right")), 0);
  EXPECT_EQ(open_status(passphrase("wrong")), WHERRY_E_KEY);
  EXPECT_EQ(open_status(raw()), WHERRY_E_KEY);
}

TEST_F(ProfileFilesTest, ARawKeyIsChecked) {
  ASSERT_TRUE(create());
  EXPECT_EQ(open_status(raw(kOtherRaw)), WHERRY_E_KEY);
  EXPECT_EQ(open_status(passphrase("right")), WHERRY_E_KEY);
}

TEST_F(ProfileFilesTest, EveryDamageToTheHeaderIsSeen) {
  ASSERT_TRUE(create());
  const std::string whole = read("profile");
  ASSERT_EQ(whole.size(), 128u);
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    write("profile", damaged);
    const bool version = i == 8 || i == 9;
    EXPECT_EQ(open_status(), version ? WHERRY_E_NEWER : WHERRY_E_CORRUPT) << i;
    write("profile", whole.substr(0, i));
    EXPECT_EQ(open_status(), WHERRY_E_CORRUPT) << i;
  }
  write("profile", whole + "x");
  EXPECT_EQ(open_status(), WHERRY_E_CORRUPT);
  write("profile", whole);
  EXPECT_EQ(open_status(), 0);
}

TEST_F(ProfileFilesTest, ADatabaseThatIsMissingCutOrOverwritten) {
  ASSERT_TRUE(create());
  const std::string whole = read("store.db");
  std::filesystem::remove(path() + "/store.db");
  EXPECT_EQ(open_status(), WHERRY_E_CORRUPT);
  EXPECT_FALSE(std::filesystem::exists(path() + "/store.db"));
  for (size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{4096}, whole.size() - 1}) {
    write("store.db", whole.substr(0, size));
    EXPECT_EQ(open_status(), WHERRY_E_CORRUPT) << size;
  }
  std::string damaged = whole;
  damaged[2000] = static_cast<char>(damaged[2000] ^ 1);
  write("store.db", damaged);
  EXPECT_EQ(open_status(), WHERRY_E_CORRUPT);
  write("store.db", whole);
  EXPECT_EQ(open_status(), 0);
}

TEST_F(ProfileFilesTest, ADamagedPageIsSeenWhenItIsRead) {
  ASSERT_TRUE(create());
  std::string whole = read("store.db");
  for (size_t page = 1; page < whole.size() / 4096; ++page) {
    whole[page * 4096 + 50] = static_cast<char>(whole[page * 4096 + 50] ^ 1);
  }
  write("store.db", whole);
  const auto files = open();
  if (!files) {
    EXPECT_EQ(files.error().status, WHERRY_E_CORRUPT);
    return;
  }
  const auto db = (*files)->connect(false);
  ASSERT_TRUE(db);
  EXPECT_FALSE(meta_get(**db, "name"));
  EXPECT_EQ((*db)->take_status().error().status, WHERRY_E_CORRUPT);
}

TEST_F(ProfileFilesTest, ANewerSchemaIsLeftAlone) {
  {
    const auto files = create();
    ASSERT_TRUE(files);
    const auto db = (*files)->connect(false);
    (*db)->run_script(("PRAGMA user_version=" + std::to_string(schema_version() + 1)).c_str());
    ASSERT_TRUE((*db)->take_status());
  }
  EXPECT_EQ(open_status(), WHERRY_E_NEWER);
}

TEST_F(ProfileFilesTest, AnEmptyDatabaseIsMigrated) {
  {
    const auto files = create();
    ASSERT_TRUE(files);
    const auto db = (*files)->connect(false);
    ASSERT_TRUE(migrate(**db));  // has nothing to do
    EXPECT_EQ(meta_get(**db, "name"), Bytes({'k', 'e', 'p', 't'}));
  }
  EXPECT_EQ(open_status(), 0);
}

TEST_F(ProfileFilesTest, OneProcessAtATime) {
  ASSERT_TRUE(create());
  const auto files = open();
  ASSERT_TRUE(files);
  EXPECT_EQ(open_status(), WHERRY_E_LOCKED);  // nor twice in one process
  const pid_t child = ::fork();
  if (child == 0) ::_exit(open_status() == WHERRY_E_LOCKED ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(ProfileFilesTest, AFolderThatCanNotBeWrittenTo) {
  ASSERT_TRUE(create());
  const pid_t child = ::fork();
  if (child == 0) {
    // Root may write everywhere: somebody else looks.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    std::filesystem::permissions(path(), std::filesystem::perms(0555));
    for (const char* name : {"/profile", "/store.db", "/lock"}) {
      std::filesystem::permissions(path() + name, std::filesystem::perms(0444));
    }
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    ::_exit(open_status() == WHERRY_E_READ_ONLY ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::filesystem::permissions(path(), std::filesystem::perms(0700));
}

TEST_F(ProfileFilesTest, APathThatIsNoDirectory) {
  std::ofstream(path()) << "a file";
  EXPECT_EQ(create().error().status, WHERRY_E_READ_ONLY);
}

}  // namespace
}  // namespace wherry::store
