// What a FaultDisk does to files, without SQL on top: each loss happens, and nothing else does.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <set>

#include "tests/support/fault_disk_state.h"

namespace wherry::test {
namespace {

constexpr size_t kSector = DiskFile::kSectorSize;
constexpr int kDatabase = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
constexpr int kLog = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL;
constexpr uint64_t kSeeds = 300;

using Data = std::vector<uint8_t>;

// A disk with one file, "log", that holds sectors of 'a', synced with its folder.
struct Disk {
  Disk(uint64_t seed, size_t sectors) : state(seed) {
    reopen();
    put(0, Data(sectors * kSector, 'a'));
    EXPECT_EQ(state.sync(file), SQLITE_OK);
  }
  int put(size_t offset, const Data& bytes) { return state.write(file, bytes, offset); }
  Data read(size_t size) {
    Data out(size);
    state.read(file, out, 0);
    return out;
  }
  void reopen() {
    file = {};
    EXPECT_EQ(state.open("log", kLog, file), SQLITE_OK);
  }
  // One letter a sector; '?' where a sector is not of one letter.
  std::string sectors() {
    const auto bytes = file.node->file.bytes();
    std::string out;
    for (size_t at = 0; at < bytes.size(); at += kSector) {
      const auto sector = bytes.subspan(at, std::min(kSector, bytes.size() - at));
      const bool whole = std::ranges::all_of(sector, [&](uint8_t b) { return b == sector[0]; });
      out += whole ? static_cast<char>(sector[0]) : '?';
    }
    return out;
  }

  DiskState state;
  DiskHandle file;
};

TEST(FaultDisk, UnsyncedSectorsAreKeptLostOrTorn) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 3);
    disk.put(0, Data(3 * kSector, 'b'));
    disk.state.crash();
    disk.reopen();
    seen.insert(disk.sectors());
  }
  EXPECT_EQ(seen, (std::set<std::string>{"aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"}));
}

TEST(FaultDisk, WritesAreKeptInAnyOrder) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 2);
    disk.put(0, Data(kSector, 'b'));
    disk.put(0, Data(kSector, 'c'));
    disk.put(kSector, Data(kSector, 'd'));
    disk.state.crash();
    disk.reopen();
    seen.insert(disk.sectors());
  }
  EXPECT_EQ(seen, (std::set<std::string>{"aa", "ba", "ca", "ad", "bd", "cd"}));
}

TEST(FaultDisk, ASectorIsWhereTheDiskHasIt) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 2);
    disk.put(kSector / 2, Data(kSector, 'b'));  // half of each
    disk.state.crash();
    disk.reopen();
    const Data bytes = disk.read(2 * kSector);
    std::string halves;
    for (size_t at = kSector / 2; at < 3 * kSector / 2; ++at) {
      const char letter = static_cast<char>(bytes[at]);
      if (at % kSector == 0 || halves.empty() || halves.back() != letter) halves += letter;
    }
    seen.insert(halves);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"aa", "ab", "ba", "bb"}));
}

TEST(FaultDisk, BytesBesideAWriteAreUndisturbed) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 2);
    disk.put(500, Data(24, 'b'));
    disk.state.crash();
    disk.reopen();
    const Data bytes = disk.read(2 * kSector);
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (i < 500 || i >= 524) {
        ASSERT_EQ(bytes[i], 'a') << "seed " << seed << ", byte " << i;
      }
    }
  }
}

TEST(FaultDisk, AFileMayGrowWithoutItsContents) {
  std::set<std::string> seen;
  bool garbage = false;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 1);
    disk.put(kSector, Data(kSector, 'b'));
    disk.state.crash();
    disk.reopen();
    const std::string sectors = disk.sectors();
    garbage = garbage || sectors == "a?";
    seen.insert(sectors);
  }
  EXPECT_TRUE(garbage);
  EXPECT_EQ(seen, (std::set<std::string>{"a", "ab", "a?", std::string("a\0", 2)}));
}

TEST(FaultDisk, TruncationsAreKeptOrLost) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 2);
    disk.state.truncate(disk.file, 0);
    disk.put(0, Data(kSector, 'b'));
    disk.state.crash();
    disk.reopen();
    if (disk.sectors().find_first_not_of("ab") == std::string::npos) seen.insert(disk.sectors());
  }
  EXPECT_EQ(seen, (std::set<std::string>{"aa", "ba", "", "b"}));
}

TEST(FaultDisk, WhatIsSyncedStays) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 2);
    disk.put(kSector / 2, Data(2 * kSector, 'b'));
    disk.state.truncate(disk.file, 2 * kSector);
    EXPECT_EQ(disk.state.sync(disk.file), SQLITE_OK);
    const Data before = disk.read(2 * kSector);
    disk.state.crash();
    disk.reopen();
    ASSERT_EQ(disk.file.node->file.bytes().size(), 2 * kSector);
    ASSERT_EQ(disk.read(2 * kSector), before) << "seed " << seed;
  }
}

TEST(FaultDisk, NamesAreLostUnlessTheFolderIsSynced) {
  int made = 0;
  int deleted = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 1);
    DiskHandle database;
    EXPECT_EQ(disk.state.open("db", kDatabase, database), SQLITE_OK);
    EXPECT_EQ(disk.state.sync(database), SQLITE_OK);  // of the file alone
    EXPECT_EQ(disk.state.remove("log", false), SQLITE_OK);
    disk.state.crash();
    made += disk.state.find("db") != nullptr ? 1 : 0;
    deleted += disk.state.find("log") == nullptr ? 1 : 0;

    DiskHandle log;
    EXPECT_EQ(disk.state.open("new", kLog, log), SQLITE_OK);
    EXPECT_EQ(disk.state.sync(log), SQLITE_OK);  // of the folder, too
    disk.state.crash();
    ASSERT_NE(disk.state.find("new"), nullptr) << "seed " << seed;
    EXPECT_EQ(disk.state.remove("new", true), SQLITE_OK);
    disk.state.crash();
    ASSERT_EQ(disk.state.find("new"), nullptr) << "seed " << seed;
  }
  EXPECT_GT(made, 0);
  EXPECT_LT(made, static_cast<int>(kSeeds));
  EXPECT_GT(deleted, 0);
  EXPECT_LT(deleted, static_cast<int>(kSeeds));
}

TEST(FaultDisk, TheNameOfALogThatAKilledProcessMadeIsSyncedByTheNext) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 1);
    DiskHandle log;
    EXPECT_EQ(disk.state.open("new", kLog, log), SQLITE_OK);
    disk.state.kill();
    log = {};
    EXPECT_EQ(disk.state.open("new", kLog, log), SQLITE_OK);
    EXPECT_EQ(disk.state.sync(log), SQLITE_OK);
    disk.state.crash();
    ASSERT_NE(disk.state.find("new"), nullptr) << "seed " << seed;
  }
}

TEST(FaultDisk, AFailedSyncIsNotMadeGoodByTheNext) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed, 1);
    disk.put(0, Data(kSector, 'b'));
    disk.state.set_failures(0, 1);
    EXPECT_EQ(disk.state.sync(disk.file), SQLITE_IOERR_FSYNC);
    disk.state.set_failures(0, 0);
    EXPECT_EQ(disk.sectors(), "b");
    EXPECT_EQ(disk.state.sync(disk.file), SQLITE_OK);
    disk.state.crash();
    disk.reopen();
    seen.insert(disk.sectors());
    disk.put(0, Data(kSector, 'c'));
    EXPECT_EQ(disk.state.sync(disk.file), SQLITE_OK);
    disk.state.crash();
    disk.reopen();
    ASSERT_EQ(disk.sectors(), "c");
  }
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b"}));
}

TEST(FaultDisk, AFailedWriteMayHaveWrittenItsBeginning) {
  std::set<size_t> lengths;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Disk disk(seed, 1);
    disk.state.set_failures(1, 0);
    EXPECT_EQ(disk.put(kSector, Data(kSector, 'b')), SQLITE_IOERR_WRITE);
    lengths.insert(disk.file.node->file.bytes().size());
  }
  EXPECT_GT(lengths.size(), 5u);
  EXPECT_GE(*lengths.begin(), kSector);
  EXPECT_LE(*lengths.rbegin(), 2 * kSector);
}

TEST(FaultDisk, AfterAStopEverythingFailsUntilTheHandleIsNew) {
  Disk disk(1, 1);
  disk.state.stop_after(1);
  EXPECT_EQ(disk.put(0, Data(1, 'b')), SQLITE_OK);
  EXPECT_FALSE(disk.state.stopped());
  EXPECT_EQ(disk.state.sync(disk.file), SQLITE_IOERR_FSYNC);
  EXPECT_TRUE(disk.state.stopped());
  EXPECT_EQ(disk.put(0, Data(1, 'c')), SQLITE_IOERR_WRITE);
  DiskHandle other;
  EXPECT_EQ(disk.state.open("log", kLog, other), SQLITE_IOERR);
  disk.state.kill();
  Data out(1);
  EXPECT_EQ(disk.state.read(disk.file, out, 0), SQLITE_IOERR_READ);
  EXPECT_EQ(disk.state.truncate(disk.file, 0), SQLITE_IOERR_TRUNCATE);
  disk.reopen();
  EXPECT_EQ(disk.read(2), (Data{'b', 'a'}));
}

TEST(FaultDisk, SpaceIsFreedByDeleting) {
  Disk disk(1, 2);
  disk.state.set_space(kSector);
  EXPECT_EQ(disk.put(kSector, Data(2 * kSector, 'b')), SQLITE_OK);
  EXPECT_EQ(disk.put(3 * kSector, Data(1, 'c')), SQLITE_FULL);
  DiskHandle other;
  EXPECT_EQ(disk.state.open("db", kDatabase, other), SQLITE_OK);
  EXPECT_EQ(disk.state.write(other, Data(1, 'd'), 0), SQLITE_FULL);
  EXPECT_EQ(disk.state.truncate(disk.file, kSector), SQLITE_OK);
  EXPECT_EQ(disk.state.write(other, Data(2 * kSector, 'd'), 0), SQLITE_OK);
  EXPECT_EQ(disk.state.write(other, Data(2, 'd'), 2 * kSector), SQLITE_FULL);
  EXPECT_EQ(disk.state.remove("log", true), SQLITE_OK);
  EXPECT_EQ(disk.state.write(other, Data(kSector, 'd'), 2 * kSector), SQLITE_OK);
}

TEST(FaultDisk, ManyReadOneWrites) {
  FileLocks locks;
  const DiskHandle one;
  const DiskHandle other;
  EXPECT_EQ(locks.lock(&one, SQLITE_LOCK_SHARED), SQLITE_OK);
  EXPECT_EQ(locks.lock(&other, SQLITE_LOCK_SHARED), SQLITE_OK);
  EXPECT_FALSE(locks.reserved());
  EXPECT_EQ(locks.lock(&one, SQLITE_LOCK_RESERVED), SQLITE_OK);
  EXPECT_TRUE(locks.reserved());
  EXPECT_EQ(locks.lock(&other, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
  EXPECT_EQ(locks.lock(&one, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
  locks.unlock(&other, SQLITE_LOCK_NONE);
  EXPECT_EQ(locks.lock(&other, SQLITE_LOCK_SHARED), SQLITE_BUSY);  // one waits to be alone
  EXPECT_EQ(locks.lock(&one, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
  EXPECT_EQ(locks.lock(&other, SQLITE_LOCK_SHARED), SQLITE_BUSY);
  locks.unlock(&one, SQLITE_LOCK_SHARED);
  EXPECT_EQ(locks.lock(&other, SQLITE_LOCK_SHARED), SQLITE_OK);
  EXPECT_EQ(locks.lock(&other, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
  EXPECT_EQ(locks.lock(&one, SQLITE_LOCK_RESERVED), SQLITE_OK);  // to ask kept nobody out
}

TEST(FaultDisk, SharedMemoryIsLockedBySlots) {
  SharedMemory memory;
  const DiskHandle one;
  const DiskHandle other;
  EXPECT_EQ(memory.region(0, 32, false), nullptr);
  uint8_t* region = memory.region(0, 32, true);
  EXPECT_EQ(memory.region(0, 32, false), region);
  EXPECT_EQ(memory.lock(&one, 3, 1, false), SQLITE_OK);
  EXPECT_EQ(memory.lock(&other, 3, 1, false), SQLITE_OK);
  EXPECT_EQ(memory.lock(&one, 2, 3, true), SQLITE_BUSY);
  EXPECT_EQ(memory.lock(&other, 2, 1, true), SQLITE_OK);  // nothing of it was taken
  memory.leave(&other);
  memory.unlock(&one, 3, 1);
  EXPECT_EQ(memory.lock(&one, 2, 3, true), SQLITE_OK);
  EXPECT_EQ(memory.lock(&other, 4, 1, false), SQLITE_BUSY);
}

TEST(FaultDisk, ASeedSaysEverything) {
  const auto run = [](uint64_t seed) {
    Disk disk(seed, 4);
    for (int round = 0; round < 20; ++round) {
      disk.state.set_failures(0.2, 0.2);
      for (size_t at = 0; at < 4; ++at) disk.put(at * 300, Data(700, static_cast<uint8_t>(round)));
      disk.state.sync(disk.file);
      disk.put(0, Data(100, 'x'));
      disk.state.crash();
      disk.reopen();
    }
    return std::pair(disk.state.save(), disk.state.fingerprint());
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

}  // namespace
}  // namespace wherry::test
