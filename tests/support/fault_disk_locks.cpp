// See sqlite3.h, SQLITE_LOCK_* and SQLITE_SHM_*.
#include "tests/support/fault_disk_locks.h"

#include <sqlite3.h>

#include <algorithm>
#include <span>

namespace wherry::test {

int FileLocks::highest_of_others(const DiskHandle* owner) const {
  int highest = SQLITE_LOCK_NONE;
  for (const auto& [other, level] : levels_) {
    if (other != owner) highest = std::max(highest, level);
  }
  return highest;
}

int FileLocks::lock(const DiskHandle* owner, int level) {
  const auto found = levels_.find(owner);
  const int held = found == levels_.end() ? SQLITE_LOCK_NONE : found->second;
  if (held >= level) return SQLITE_OK;
  const int others = highest_of_others(owner);
  const int bearable = level == SQLITE_LOCK_SHARED     ? SQLITE_LOCK_RESERVED
                       : level == SQLITE_LOCK_RESERVED ? SQLITE_LOCK_SHARED
                                                       : SQLITE_LOCK_NONE;
  if (others > bearable) {
    // Who waits for readers to go lets no new ones in.
    if (level == SQLITE_LOCK_EXCLUSIVE && held == SQLITE_LOCK_RESERVED) {
      levels_[owner] = SQLITE_LOCK_PENDING;
    }
    return SQLITE_BUSY;
  }
  levels_[owner] = level;
  return SQLITE_OK;
}

void FileLocks::unlock(const DiskHandle* owner, int level) {
  const auto found = levels_.find(owner);
  if (found == levels_.end() || found->second <= level) return;
  if (level == SQLITE_LOCK_NONE) {
    levels_.erase(found);
  } else {
    found->second = level;
  }
}

bool FileLocks::reserved() const {
  return highest_of_others(nullptr) >= SQLITE_LOCK_RESERVED;
}

uint8_t* SharedMemory::region(size_t index, size_t size, bool extend) {
  if (index >= regions_.size() && !extend) return nullptr;
  while (regions_.size() <= index) regions_.push_back(std::make_unique<uint8_t[]>(size));
  return regions_[index].get();
}

int SharedMemory::lock(const DiskHandle* owner, size_t first, size_t count, bool exclusive) {
  const std::span<Slot> slots = std::span(slots_).subspan(first, count);
  const bool busy = std::ranges::any_of(slots, [&](const Slot& slot) {
    if (slot.writer != nullptr && slot.writer != owner) return true;
    return exclusive && slot.readers.size() > slot.readers.count(owner);
  });
  if (busy) return SQLITE_BUSY;
  for (Slot& slot : slots) {
    if (exclusive) {
      slot.writer = owner;
    } else {
      slot.readers.insert(owner);
    }
  }
  return SQLITE_OK;
}

void SharedMemory::unlock(const DiskHandle* owner, size_t first, size_t count) {
  for (Slot& slot : std::span(slots_).subspan(first, count)) {
    slot.readers.erase(owner);
    if (slot.writer == owner) slot.writer = nullptr;
  }
}

void SharedMemory::leave(const DiskHandle* owner) {
  unlock(owner, 0, slots_.size());
}

}  // namespace wherry::test
