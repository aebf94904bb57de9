// FaultDisk: the disk of one simulated machine, in memory, behind an SQLite VFS of its own.
//
//   FaultDisk disk(seed);
//   store::OpenOptions options;
//   options.path = "store.db";  // any name: the disk has no folders but one
//   options.vfs = disk.vfs();
//
// It keeps apart what programs read (the page cache) and what survives a loss of power (the
// platter). Between two syncs of a file its changes are of the page cache alone. At a loss of power
// each of them is kept, lost or torn, whatever became of the others; a sector of 512 bytes is never
// torn, and a write disturbs no byte beside its own (what SQLite calls powersafe overwrite, and
// expects of real disks). A file that grew may have its new length without its new contents. Names
// of files that were made or deleted since the last sync of the folder fare likewise.
//
// What happens follows from the seed and the calls alone. The cipher draws its nonces from the
// system, so contents of encrypted files differ from run to run, but not what becomes of them:
// compare fingerprint().
//
// Not thread-safe. All connections must be closed before it goes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wherry::test {

class DiskState;
class DiskVfs;

// What a disk has when nothing waits to be synced, by name.
struct DiskImage {
  std::map<std::string, std::vector<uint8_t>> files;
  bool operator==(const DiskImage&) const = default;
};

struct DiskCounts {
  uint64_t writes = 0;
  uint64_t bytes = 0;  // written
  uint64_t syncs = 0;
  uint64_t failures = 0;  // of set_failures, and for lack of space
  uint64_t crashes = 0;
  uint64_t lost = 0;  // changes that a crash or a failed sync has lost, or torn
};

class FaultDisk {
 public:
  explicit FaultDisk(uint64_t seed);
  ~FaultDisk();
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;

  // The VFS with the cipher on top: for store::OpenOptions. Valid as long as the disk is.
  const char* vfs() const;

  // The power fails, and comes back: what was not synced fares as it may. Every handle of before is
  // dead: whatever is called on it fails until it is closed. The faults of set_* and stop_after are
  // over.
  void crash();
  // The process dies, the machine does not: what was written stays, as unsynced as it was, and
  // handles are dead. The faults of set_* go on, that of stop_after is over.
  void kill();
  // After so many further operations everything fails; whether the operation that it stops at
  // happened is open. Owners then close their connections and call crash() or kill(). Operations
  // are what changes something: a write, truncation, sync, creation, deletion, sync of the folder.
  void stop_after(uint64_t operations);
  bool stopped() const;

  // Free bytes; a write that needs more writes what fits and fails with SQLITE_FULL. Deleting and
  // truncating frees. Without a value there is always room.
  void set_space(std::optional<uint64_t> bytes);
  // How likely a write (or truncation) and a sync fail, 0 to 1. A failed write may have written its
  // beginning. A failed sync may have kept some of what it was for; what it lost reads as before,
  // but no later sync writes it, only a later write of the same place.
  void set_failures(double write, double sync);
  // Syncs succeed without doing anything, as on a disk that lies. To show that a test notices.
  void ignore_syncs(bool ignore);

  // What survives if nothing but what is synced does.
  DiskImage save() const;
  // The disk becomes what it was then. Handles are dead, and all faults are over.
  void restore(const DiskImage& image);

  // Whether some connection is within a writing transaction of a database in WAL mode.
  bool in_transaction() const;
  // Whether a loss of power would take nothing back of any database in WAL mode.
  bool logs_synced() const;

  uint64_t operations() const;  // so far: to choose a place for stop_after
  const DiskCounts& counts() const;
  // Of all operations and what became of them, but for the bytes themselves.
  uint64_t fingerprint() const;

 private:
  std::unique_ptr<DiskState> state_;
  std::unique_ptr<DiskVfs> vfs_;
};

}  // namespace wherry::test
