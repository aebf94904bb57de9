// The encrypted database on a FaultDisk: what a commit promises, it keeps.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/database.h"
#include "tests/support/fault_disk.h"

namespace wherry::test {
namespace {

constexpr int64_t kParts = 3;
constexpr uint64_t kSeeds = 20;

int32_t code(const Status& status) {
  return status ? WHERRY_OK : status.error().status;
}

// A database of transactions, each of which has three rows, on its disk, and a ledger of them.
class Store {
 public:
  explicit Store(uint64_t seed) : disk(seed) {}

  std::unique_ptr<store::Connection> connect(bool read_only = false) {
    static const Secret<32> key(std::array<uint8_t, 32>{1});
    store::OpenOptions options;
    options.path = "store.db";
    options.cipher = store::Cipher::kAegis256;
    options.create = !read_only;
    options.read_only = read_only;
    options.full_sync = full_sync;
    options.vfs = disk.vfs();
    auto opened = store::Connection::open(options, key);
    return opened ? opened.take() : nullptr;
  }

  // False: it failed, which only faults may excuse.
  bool open() {
    db = connect();
    if (db == nullptr) return false;
    db->run_script("PRAGMA wal_autocheckpoint=20");
    db->run_script(
        "CREATE TABLE IF NOT EXISTS part(owner INTEGER, number INTEGER, body BLOB,"
        " PRIMARY KEY(owner, number)) WITHOUT ROWID");
    return db->take_status().ok();
  }

  bool add() {
    if (db == nullptr) return false;
    const int64_t owner = ++last_;
    const std::string text = body(owner);
    db->begin();
    for (int64_t number = 0; number < kParts; ++number) {
      auto query = db->query("INSERT INTO part VALUES(?, ?, ?)");
      query << owner << number << text;
      query.run();
    }
    const bool done = db->commit();
    if (done) committed.insert(owner);
    db->forgive();
    return done;
  }

  void crash() {
    disk.crash();  // before the connection could close in good order
    db.reset();
  }

  // Transactions that are there; fails the test for one that is not whole.
  static std::set<int64_t> whole(const std::unique_ptr<store::Connection>& connection) {
    std::set<int64_t> owners;
    EXPECT_NE(connection, nullptr);
    if (connection == nullptr) return owners;
    auto query = connection->query("SELECT owner, body FROM part");
    std::map<int64_t, int64_t> parts;
    while (query.next()) {
      EXPECT_EQ(query.text(1), body(query.integer(0)));
      ++parts[query.integer(0)];
    }
    for (const auto& [owner, count] : parts) {
      EXPECT_EQ(count, kParts) << "of transaction " << owner;
      owners.insert(owner);
    }
    EXPECT_FALSE(connection->failed());
    return owners;
  }

  // What was committed is there; what was not is there whole, or not at all.
  testing::AssertionResult intact() {
    if (db == nullptr) return testing::AssertionFailure() << "not open";
    {
      auto check = db->query("PRAGMA integrity_check");
      if (!check.next()) return testing::AssertionFailure() << db->error().text;
      if (check.text(0) != "ok") return testing::AssertionFailure() << check.text(0);
    }
    const std::set<int64_t> there = whole(db);
    for (const int64_t owner : committed) {
      if (!there.contains(owner)) {
        return testing::AssertionFailure() << "transaction " << owner << " is lost";
      }
    }
    return testing::AssertionSuccess();
  }

  FaultDisk disk;
  bool full_sync = true;
  std::unique_ptr<store::Connection> db;
  std::set<int64_t> committed;

 private:
  static std::string body(int64_t owner) { return std::string(700, static_cast<char>(owner)); }

  int64_t last_ = 0;
};

// A stretch of life with everything that a store does: commits, checkpoints, closing, opening.
bool live(Store& store) {
  const auto commit = [&] { return store.add(); };
  if (!store.open() || !commit() || !commit()) return false;
  store.db->run_script("PRAGMA wal_checkpoint(PASSIVE)");
  if (!store.db->take_status() || !commit() || !commit()) return false;
  store.db->run_script("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!store.db->take_status() || !commit()) return false;
  store.db.reset();
  return !store.disk.stopped();
}

// Ends at each operation of live() in turn. Returns how many ends there were.
int end_everywhere(Store& store, void (FaultDisk::*end)()) {
  for (uint64_t operations = 0;; ++operations) {
    store.disk.stop_after(operations);
    const bool done = live(store);
    (store.disk.*end)();
    store.db.reset();
    if (done) return static_cast<int>(operations);
    EXPECT_TRUE(store.open()) << "after an end at operation " << operations;
    if (store.db == nullptr) return -1;
    EXPECT_TRUE(store.intact()) << "after an end at operation " << operations;
    store.db.reset();
    if (testing::Test::HasFailure()) return -1;
  }
}

TEST(FaultDiskSql, CommitsSurviveACrashAtEachOperation) {
  int crashes = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Store store(seed);
    const int here = end_everywhere(store, &FaultDisk::crash);
    ASSERT_GT(here, 30);
    EXPECT_GT(store.disk.counts().lost, 0u);
    crashes += here;
  }
  EXPECT_GT(crashes, 200);
}

TEST(FaultDiskSql, CommitsSurviveAKillAtEachOperation) {
  Store store(1);
  EXPECT_GT(end_everywhere(store, &FaultDisk::kill), 30);
  EXPECT_EQ(store.disk.counts().lost, 0u);
}

TEST(FaultDiskSql, AKillLosesNothingThatWasNeverSynced) {
  Store store(1);
  store.disk.ignore_syncs(true);
  ASSERT_TRUE(store.open());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store.add());
  store.disk.kill();
  store.db.reset();
  ASSERT_TRUE(store.open());
  EXPECT_TRUE(store.intact());
}

// The checks above can fail.
TEST(FaultDiskSql, ADiskThatIgnoresSyncsIsNoticed) {
  int noticed = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Store store(seed);
    ASSERT_TRUE(store.open());
    ASSERT_TRUE(store.add());
    store.disk.ignore_syncs(true);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(store.add());
    store.crash();
    if (!store.open() || !store.intact()) ++noticed;
  }
  EXPECT_GT(noticed, static_cast<int>(kSeeds) / 4);
}

TEST(FaultDiskSql, NormalSyncLosesTheLastCommitsAlone) {
  size_t lost = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Store store(seed);
    store.full_sync = false;
    ASSERT_TRUE(store.open());
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(store.add());
    store.crash();
    ASSERT_TRUE(store.open());
    const std::set<int64_t> there = Store::whole(store.db);
    EXPECT_TRUE(there.empty() || *there.rbegin() == static_cast<int64_t>(there.size()));
    lost += store.committed.size() - there.size();
    store.committed = there;
    EXPECT_TRUE(store.intact());
  }
  EXPECT_GT(lost, 0u);
}

// A process that dies between a commit's writes and its sync leaves a transaction that its next
// life sees, and a crash may still take. The next life's first commit makes it durable.
TEST(FaultDiskSql, WhatIsSeenAfterAKillIsDurableAfterACommit) {
  const auto lost = [](uint64_t seed, uint64_t operations, bool commit) {
    Store store(seed);
    EXPECT_TRUE(store.open() && store.add());
    store.disk.stop_after(operations);
    store.add();
    store.disk.kill();
    store.db.reset();
    EXPECT_TRUE(store.open());
    const std::set<int64_t> seen = Store::whole(store.db);
    EXPECT_TRUE(!commit || store.add());
    store.crash();
    EXPECT_TRUE(store.open() && store.intact());
    return !std::ranges::includes(Store::whole(store.db), seen);
  };
  int without = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (uint64_t operations = 0; operations < 12; ++operations) {
      EXPECT_FALSE(lost(seed, operations, true));
      without += lost(seed, operations, false) ? 1 : 0;
    }
  }
  EXPECT_GT(without, 0);
}

TEST(FaultDiskSql, NothingIsLostWhenSpaceReturns) {
  Store store(1);
  ASSERT_TRUE(store.open());
  store.disk.set_space(150'000);
  while (store.add()) ASSERT_LT(store.committed.size(), 1000u);
  store.db->begin();
  store.db->run_script("CREATE TABLE more AS SELECT * FROM part");
  EXPECT_FALSE(store.db->commit());
  EXPECT_EQ(code(store.db->take_status()), WHERRY_E_DISK);
  EXPECT_GT(store.committed.size(), 10u);
  EXPECT_EQ(Store::whole(store.db), store.committed);

  store.disk.set_space(std::nullopt);
  EXPECT_TRUE(store.add());
  store.disk.set_space(0);
  while (store.add()) ASSERT_LT(store.committed.size(), 1000u);  // the log's place is used again
  store.crash();
  ASSERT_TRUE(store.open());
  EXPECT_TRUE(store.intact());
}

TEST(FaultDiskSql, FailuresOfTheDiskLoseNoCommit) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Store store(seed);
    ASSERT_TRUE(store.open());
    store.disk.set_failures(0.02, 0.05);
    int failed = 0;
    for (int i = 0; i < 100; ++i) {
      if (store.add()) continue;
      ++failed;
      // To the living, a commit that failed did not happen.
      ASSERT_EQ(Store::whole(store.db), store.committed);
    }
    EXPECT_GT(failed, 0);
    store.crash();
    ASSERT_TRUE(store.open());
    ASSERT_TRUE(store.intact());
  }
}

TEST(FaultDiskSql, ReadersSeeTheLastCommitOrTheirSnapshot) {
  Store store(1);
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(store.add());
  auto one = store.connect(true);
  auto other = store.connect(true);
  ASSERT_TRUE(one && other);
  one->run_script("BEGIN");
  EXPECT_EQ(Store::whole(one).size(), 1u);
  for (size_t i = 2; i < 100; ++i) {
    ASSERT_TRUE(store.add());
    ASSERT_EQ(Store::whole(other).size(), i);
  }
  EXPECT_EQ(Store::whole(one).size(), 1u);
  one->run_script("COMMIT");
  EXPECT_EQ(Store::whole(one), store.committed);
  store.db->begin();
  auto second = store.connect();
  second->begin();
  EXPECT_EQ(code(second->take_status()), WHERRY_E_LOCKED);
  EXPECT_TRUE(store.db->commit());
}

TEST(FaultDiskSql, ConnectionsOfBeforeACrashAreDead) {
  Store store(1);
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(store.add());
  auto reader = store.connect(true);
  ASSERT_EQ(Store::whole(reader), store.committed);
  store.db->begin();  // holds locks
  store.disk.crash();
  auto fresh = store.connect();
  ASSERT_NE(fresh, nullptr);
  EXPECT_EQ(Store::whole(fresh), store.committed);
  fresh->run_script("DELETE FROM part WHERE owner=1");
  EXPECT_TRUE(fresh->take_status());
  store.db->run_script("DELETE FROM part");
  EXPECT_FALSE(store.db->commit());
  reader->run_script("SELECT count(*) FROM part");
  EXPECT_EQ(code(reader->take_status()), WHERRY_E_DISK);
  EXPECT_EQ(Store::whole(fresh).size(), 0u);
}

TEST(FaultDiskSql, AnImageBringsBackWhatWas) {
  Store store(1);
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(store.add());
  const DiskImage image = store.disk.save();
  const std::set<int64_t> then = store.committed;
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(store.add());
  EXPECT_NE(store.disk.save(), image);
  store.disk.restore(image);
  store.db.reset();
  EXPECT_EQ(store.disk.save(), image);
  ASSERT_TRUE(store.open());
  EXPECT_EQ(Store::whole(store.db), then);
}

// Without the cipher, whose nonces are the system's, and with SQLite's own numbers from a seed.
TEST(FaultDiskSql, ASeedSaysEveryByte) {
  const auto run = [](uint64_t seed) {
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 1, nullptr);
    sqlite3_randomness(0, nullptr);
    FaultDisk disk(seed);
    for (int life = 0; life < 10; ++life) {
      sqlite3* db = nullptr;
      EXPECT_EQ(sqlite3_open_v2("db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk.vfs()),
                SQLITE_OK);
      disk.stop_after(60);
      const char* sql =
          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t(x);";
      sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
      for (int i = 0; i < 1000 && !disk.stopped(); ++i) {
        sqlite3_exec(db, "INSERT INTO t VALUES(hex(randomblob(900)))", nullptr, nullptr, nullptr);
      }
      sqlite3_close(db);
      disk.crash();
    }
    return std::pair(disk.save(), disk.fingerprint());
  };
  const auto first = run(5);
  EXPECT_FALSE(first.first.files.at("db").empty());
  EXPECT_EQ(run(5), first);
  EXPECT_NE(run(6), first);
}

// With it, all but the bytes.
TEST(FaultDiskSql, ASeedSaysWhatBecomesOfAStore) {
  const auto run = [](uint64_t seed) {
    Store store(seed);
    for (uint64_t life = 0; life < 20; ++life) {
      store.disk.stop_after(5 * life);
      live(store);
      store.crash();
    }
    EXPECT_TRUE(store.open() && store.intact());
    return std::tuple(store.disk.fingerprint(), store.committed, Store::whole(store.db));
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

}  // namespace
}  // namespace wherry::test
