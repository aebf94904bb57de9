// One file of a FaultDisk: what programs read of it, what would survive a loss of power, and the
// changes between the two.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace wherry::test {

// What one crash, or one failed sync, is like. Some lose all, some nothing, most a part.
class Luck {
 public:
  enum class Fate { kKept, kLost, kTorn };

  explicit Luck(std::mt19937_64& random);

  Fate fate();
  bool coin() { return (random_() & 1U) != 0; }
  // Old contents of the disk, or zeros, where a file grew and its contents did not get there.
  void fill_unwritten(std::span<uint8_t> bytes);
  uint64_t lost() const { return lost_; }

 private:
  std::mt19937_64& random_;
  unsigned keep_percent_;
  unsigned tear_percent_;
  uint64_t lost_ = 0;
};

class DiskFile {
 public:
  static constexpr size_t kSectorSize = 512;

  DiskFile() = default;
  // Contents that are synced.
  explicit DiskFile(std::vector<uint8_t> bytes) : cache_(bytes), platter_(std::move(bytes)) {}

  std::span<const uint8_t> bytes() const { return cache_; }
  const std::vector<uint8_t>& synced_bytes() const { return platter_; }

  bool synced() const { return changes_.empty(); }

  void write(size_t offset, std::span<const uint8_t> bytes);
  void truncate(size_t size);
  // Costs in proportion to what was written since the last one.
  void sync();
  // Keeps on the platter what luck will have; the rest stays readable, and is never synced.
  void fail_sync(Luck& luck);
  // As fail_sync, and what is not on the platter is gone.
  void crash(Luck& luck);

 private:
  // Sectors as a write left them, or a truncation.
  struct Change {
    bool truncates;
    size_t offset;  // a multiple of the sector size; of a truncation: the new size
    size_t image;   // where in images_
    size_t size;    // of the image
  };

  void apply(const Change& change);
  void apply_torn(const Change& change, Luck& luck);
  void grow_unwritten(size_t size, Luck& luck);
  void forget_changes();

  std::vector<uint8_t> cache_;
  std::vector<uint8_t> platter_;
  std::vector<Change> changes_;  // since the last sync, oldest first
  std::vector<uint8_t> images_;
};

}  // namespace wherry::test
