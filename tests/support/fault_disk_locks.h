// Locks and shared memory of a file, among the handles of one process.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace wherry::test {

struct DiskHandle;

// SQLite's five levels: many may share; one of them may be reserved to write; pending keeps new
// ones out; exclusive is alone.
class FileLocks {
 public:
  // SQLITE_OK or SQLITE_BUSY.
  int lock(const DiskHandle* owner, int level);
  void unlock(const DiskHandle* owner, int level);
  bool reserved() const;

 private:
  int highest_of_others(const DiskHandle* owner) const;

  std::map<const DiskHandle*, int> levels_;
};

// What the connections of a database in WAL mode share: the index of the log, and eight locks.
class SharedMemory {
 public:
  // Null: there is none yet, and `extend` is not wanted.
  uint8_t* region(size_t index, size_t size, bool extend);
  // SQLITE_OK or SQLITE_BUSY; on all of `count` slots or on none.
  int lock(const DiskHandle* owner, size_t first, size_t count, bool exclusive);
  void unlock(const DiskHandle* owner, size_t first, size_t count);
  void leave(const DiskHandle* owner);
  // Whether somebody has the first lock alone: SQLite's writer, from BEGIN IMMEDIATE to COMMIT.
  bool writing() const { return slots_[0].writer != nullptr; }

 private:
  struct Slot {
    std::set<const DiskHandle*> readers;
    const DiskHandle* writer = nullptr;
  };

  std::vector<std::unique_ptr<uint8_t[]>> regions_;
  std::array<Slot, 8> slots_;
};

}  // namespace wherry::test
