// SQLite's tables of functions (sqlite3.h, sqlite3_vfs and sqlite3_io_methods) over a DiskState.
#include "tests/support/fault_disk_vfs.h"

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "tests/support/fault_disk_state.h"

namespace wherry::test {
namespace {

constexpr int kNameSizeMax = 512;
// 1 January 2027, as a Julian day in milliseconds.
constexpr sqlite3_int64 kNow_ms = 212'665'521'600'000;

struct File {
  sqlite3_file base;  // first: SQLite knows a file by it
  DiskState* state;
  DiskHandle* handle;
};

File& at(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

bool dead(sqlite3_file* file) {
  return at(file).state->dead(*at(file).handle);
}

int close(sqlite3_file* file) {
  at(file).state->close(*at(file).handle);
  delete at(file).handle;
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  return at(file).state->read(*at(file).handle,
                              {static_cast<uint8_t*>(out), static_cast<size_t>(size)},
                              static_cast<size_t>(offset));
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  return at(file).state->write(*at(file).handle,
                               {static_cast<const uint8_t*>(bytes), static_cast<size_t>(size)},
                               static_cast<size_t>(offset));
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return at(file).state->truncate(*at(file).handle, static_cast<size_t>(size));
}

int sync(sqlite3_file* file, int) {
  return at(file).state->sync(*at(file).handle);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  if (dead(file)) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(at(file).handle->node->file.bytes().size());
  return SQLITE_OK;
}

int lock(sqlite3_file* file, int level) {
  if (dead(file)) return SQLITE_IOERR_LOCK;
  return at(file).handle->node->locks.lock(at(file).handle, level);
}

int unlock(sqlite3_file* file, int level) {
  if (dead(file)) return SQLITE_IOERR_UNLOCK;
  at(file).handle->node->locks.unlock(at(file).handle, level);
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* file, int* reserved) {
  if (dead(file)) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  *reserved = at(file).handle->node->locks.reserved() ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file*) {
  return static_cast<int>(DiskFile::kSectorSize);
}

// As SQLite assumes of disks: see the top of fault_disk.h.
int device_characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_memory(sqlite3_file* file, int index, int size, int extend, void volatile** out) {
  *out = nullptr;
  if (dead(file)) return SQLITE_IOERR_SHMMAP;
  DiskHandle& handle = *at(file).handle;
  if (handle.memory == nullptr) {
    handle.memory = handle.node->memory.lock();
    if (handle.memory == nullptr) handle.memory = std::make_shared<SharedMemory>();
    handle.node->memory = handle.memory;
  }
  *out = handle.memory->region(static_cast<size_t>(index), static_cast<size_t>(size), extend != 0);
  return SQLITE_OK;
}

int lock_memory(sqlite3_file* file, int first, int count, int flags) {
  if (dead(file)) return SQLITE_IOERR_SHMLOCK;
  DiskHandle& handle = *at(file).handle;
  const auto from = static_cast<size_t>(first);
  const auto slots = static_cast<size_t>(count);
  if ((flags & SQLITE_SHM_UNLOCK) == 0) {
    return handle.memory->lock(&handle, from, slots, (flags & SQLITE_SHM_EXCLUSIVE) != 0);
  }
  handle.memory->unlock(&handle, from, slots);
  return SQLITE_OK;
}

void memory_barrier(sqlite3_file*) {}

int unmap_memory(sqlite3_file* file, int) {
  DiskHandle& handle = *at(file).handle;
  if (handle.memory != nullptr) handle.memory->leave(&handle);
  handle.memory.reset();
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    2,
    close,
    read,
    write,
    truncate,
    sync,
    file_size,
    lock,
    unlock,
    check_reserved_lock,
    file_control,
    sector_size,
    device_characteristics,
    map_memory,
    lock_memory,
    memory_barrier,
    unmap_memory,
    nullptr,
    nullptr,
};

DiskState& of(sqlite3_vfs* vfs) {
  return *static_cast<DiskState*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* base, int flags, int* out_flags) {
  File& file = at(base);
  file.base.pMethods = nullptr;
  auto handle = std::make_unique<DiskHandle>();
  const int code = of(vfs).open(name, flags, *handle);
  if (code != SQLITE_OK) return code;
  file.state = &of(vfs);
  file.handle = handle.release();
  file.base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  return of(vfs).remove(name, sync_folder != 0);
}

int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  if (of(vfs).stopped()) return SQLITE_IOERR_ACCESS;
  const DiskNode* node = of(vfs).find(name);
  // To SQLite an empty file does not exist, as on other systems.
  const bool there =
      node != nullptr && (flags != SQLITE_ACCESS_EXISTS || !node->file.bytes().empty());
  *out = there ? 1 : 0;
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* out) {
  const size_t length = std::strlen(name) + 1;
  if (length > static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, length);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
  of(vfs).fill_random({reinterpret_cast<uint8_t*>(out), static_cast<size_t>(size)});
  return size;
}

// Nobody else runs meanwhile: waiting would change nothing.
int sleep(sqlite3_vfs*, int microseconds) {
  return microseconds;
}

int now_ms(sqlite3_vfs*, sqlite3_int64* out) {
  *out = kNow_ms;
  return SQLITE_OK;
}

int now_days(sqlite3_vfs*, double* out) {
  *out = static_cast<double>(kNow_ms) / 86'400'000.0;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

std::string next_name() {
  static uint64_t count = 0;
  return "fault-disk-" + std::to_string(++count);
}

}  // namespace

DiskVfs::DiskVfs(DiskState& state)
    : plain_name_(next_name()),
      cipher_name_("multipleciphers-" + plain_name_),  // so sqlite3mc_vfs_create names it
      vfs_(std::make_unique<sqlite3_vfs>()) {
  vfs_->iVersion = 2;
  vfs_->szOsFile = sizeof(File);
  vfs_->mxPathname = kNameSizeMax;
  vfs_->zName = plain_name_.c_str();
  vfs_->pAppData = &state;
  vfs_->xOpen = open;
  vfs_->xDelete = remove;
  vfs_->xAccess = access;
  vfs_->xFullPathname = full_name;
  vfs_->xRandomness = randomness;
  vfs_->xSleep = sleep;
  vfs_->xCurrentTime = now_days;
  vfs_->xGetLastError = last_error;
  vfs_->xCurrentTimeInt64 = now_ms;
  if (sqlite3_vfs_register(vfs_.get(), 0) != SQLITE_OK ||
      sqlite3mc_vfs_create(plain_name_.c_str(), 0) != SQLITE_OK) {
    throw std::runtime_error("no VFS for a FaultDisk");
  }
}

DiskVfs::~DiskVfs() {
  if (of(vfs_.get()).handles() != 0) {
    std::fputs("FaultDisk: a connection is still open\n", stderr);
    std::abort();  // it would use the disk after its end
  }
  sqlite3mc_vfs_destroy(cipher_name_.c_str());
  sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace wherry::test
