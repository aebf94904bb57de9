// A FaultDisk's names, files, handles and faults. Calls return SQLite's codes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/support/fault_disk.h"
#include "tests/support/fault_disk_file.h"
#include "tests/support/fault_disk_locks.h"

namespace wherry::test {

struct DiskNode {
  DiskFile file;
  FileLocks locks;
  std::weak_ptr<SharedMemory> memory;  // owned by the handles that map it
};

// What an open file is to SQLite. It belongs to one life of the process; after that it is dead.
struct DiskHandle {
  std::shared_ptr<DiskNode> node;
  std::shared_ptr<SharedMemory> memory;
  uint64_t life = 0;
  uint64_t name_hash = 0;
  std::string delete_on_close;   // empty: no
  bool folder_unsynced = false;  // made by this handle: its first sync is the folder's, too
};

class DiskState {
 public:
  explicit DiskState(uint64_t seed) : random_(seed) {}

  // `name` null: a temporary file.
  int open(const char* name, int flags, DiskHandle& handle);
  void close(DiskHandle& handle);
  int remove(const std::string& name, bool sync_folder);
  // Null: there is none.
  const DiskNode* find(const std::string& name) const;

  bool dead(const DiskHandle& handle) const { return stopped_ || handle.life != life_; }
  int read(const DiskHandle& handle, std::span<uint8_t> out, size_t offset) const;
  int write(DiskHandle& handle, std::span<const uint8_t> bytes, size_t offset);
  int truncate(DiskHandle& handle, size_t size);
  int sync(DiskHandle& handle);
  void fill_random(std::span<uint8_t> out);

  // See FaultDisk.
  void crash();
  void kill();
  void stop_after(uint64_t operations) { stop_at_ = operations_ + operations; }
  bool stopped() const { return stopped_; }
  void set_space(std::optional<uint64_t> bytes);
  void set_failures(double write, double sync);
  void ignore_syncs(bool ignore) { ignore_syncs_ = ignore; }
  DiskImage save() const;
  void restore(const DiskImage& image);
  bool in_transaction() const;
  bool logs_synced() const;
  uint64_t operations() const { return operations_; }
  const DiskCounts& counts() const { return counts_; }
  uint64_t fingerprint() const { return fingerprint_; }
  int handles() const { return handles_; }

 private:
  using Names = std::map<std::string, std::shared_ptr<DiskNode>>;
  struct NameChange {
    std::string name;
    std::shared_ptr<DiskNode> node;  // null: deleted
  };
  enum class Course { kDone, kFails, kStops };

  Course next_operation(double failure);
  bool coin() { return (random_() & 1U) != 0; }
  // Into the fingerprint.
  void note(uint64_t what, uint64_t which, uint64_t where, uint64_t size);
  void set_name(const std::string& name, std::shared_ptr<DiskNode> node);
  int sync_folder();
  uint64_t used() const;
  uint64_t room(const DiskNode& node, size_t offset) const;
  static void apply(Names& names, const NameChange& change);
  void clear_faults();
  void end_life();

  std::mt19937_64 random_;
  Names names_;
  Names platter_names_;
  std::vector<NameChange> name_changes_;  // since the last sync of the folder

  uint64_t life_ = 1;
  int handles_ = 0;
  bool stopped_ = false;
  std::optional<uint64_t> stop_at_;
  std::optional<uint64_t> capacity_;
  double write_failure_ = 0;
  double sync_failure_ = 0;
  bool ignore_syncs_ = false;

  uint64_t operations_ = 0;
  DiskCounts counts_;
  uint64_t fingerprint_ = 0;
};

}  // namespace wherry::test
