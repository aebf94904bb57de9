// Every operation that changes something passes next_operation(), which decides its course.
#include "tests/support/fault_disk_state.h"

#include <sqlite3.h>

#include <algorithm>

namespace wherry::test {
namespace {

// Operations in the fingerprint.
enum What : uint64_t { kOpen = 1, kRemove, kWrite, kTruncate, kSync, kSyncFolder, kCrash, kKill };

uint64_t hash(std::string_view text) {
  uint64_t value = 14695981039346656037U;  // FNV-1a
  for (const char c : text) value = (value ^ static_cast<uint8_t>(c)) * 1099511628211U;
  return value;
}

}  // namespace

DiskState::Course DiskState::next_operation(double failure) {
  if (stop_at_ && operations_ >= *stop_at_) {
    stopped_ = true;
    return Course::kStops;
  }
  ++operations_;
  if (failure <= 0) return Course::kDone;
  if (static_cast<double>(random_() >> 11U) * 0x1p-53 >= failure) return Course::kDone;
  ++counts_.failures;
  return Course::kFails;
}

void DiskState::note(uint64_t what, uint64_t which, uint64_t where, uint64_t size) {
  for (const uint64_t value : {what, which, where, size}) {
    fingerprint_ = (fingerprint_ ^ value) * 0x9e3779b97f4a7c15U;
    fingerprint_ ^= fingerprint_ >> 29U;
  }
}

void DiskState::apply(Names& names, const NameChange& change) {
  if (change.node == nullptr) {
    names.erase(change.name);
  } else {
    names[change.name] = change.node;
  }
}

void DiskState::set_name(const std::string& name, std::shared_ptr<DiskNode> node) {
  name_changes_.push_back({name, std::move(node)});
  apply(names_, name_changes_.back());
}

const DiskNode* DiskState::find(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second.get();
}

int DiskState::open(const char* name, int flags, DiskHandle& handle) {
  if (stopped_) return SQLITE_IOERR;
  if (name == nullptr) {
    handle.node = std::make_shared<DiskNode>();
  } else if (const auto found = names_.find(name); found != names_.end()) {
    if ((flags & SQLITE_OPEN_CREATE) != 0 && (flags & SQLITE_OPEN_EXCLUSIVE) != 0) {
      return SQLITE_CANTOPEN;
    }
    handle.node = found->second;
  } else {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    const Course course = next_operation(0);
    const bool done = course == Course::kDone || coin();
    note(kOpen, hash(name), 0, done ? 1 : 0);
    if (done) set_name(name, std::make_shared<DiskNode>());
    if (course != Course::kDone) return SQLITE_IOERR;
    handle.node = names_[name];
  }
  // As SQLite's own VFS does (os_unix.c, unixOpen), also for a log that is there: a process that
  // was killed may have made it and never synced its name.
  constexpr int kLogs = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
  handle.folder_unsynced = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & kLogs) != 0;
  handle.life = life_;
  handle.name_hash = hash(name == nullptr ? "" : name);
  if (name != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) handle.delete_on_close = name;
  ++handles_;
  return SQLITE_OK;
}

void DiskState::close(DiskHandle& handle) {
  handle.node->locks.unlock(&handle, SQLITE_LOCK_NONE);
  if (handle.memory != nullptr) handle.memory->leave(&handle);
  if (!handle.delete_on_close.empty() && !dead(handle)) remove(handle.delete_on_close, false);
  --handles_;
}

int DiskState::remove(const std::string& name, bool sync_too) {
  if (stopped_) return SQLITE_IOERR_DELETE;
  if (!names_.contains(name)) return SQLITE_IOERR_DELETE_NOENT;
  const Course course = next_operation(0);
  const bool done = course == Course::kDone || coin();
  note(kRemove, hash(name), 0, done ? 1 : 0);
  if (done) set_name(name, nullptr);
  if (course != Course::kDone) return SQLITE_IOERR_DELETE;
  return sync_too ? sync_folder() : SQLITE_OK;
}

int DiskState::read(const DiskHandle& handle, std::span<uint8_t> out, size_t offset) const {
  const std::span<const uint8_t> bytes = handle.node->file.bytes();
  size_t size = 0;
  if (!dead(handle) && offset < bytes.size()) {
    size = std::min(out.size(), bytes.size() - offset);
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), size, out.begin());
  }
  std::ranges::fill(out.subspan(size), uint8_t{0});  // SQLite expects zeros beyond the end
  if (dead(handle)) return SQLITE_IOERR_READ;
  return size == out.size() ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

uint64_t DiskState::used() const {
  uint64_t sum = 0;
  for (const auto& [name, node] : names_) sum += node->file.bytes().size();
  return sum;
}

uint64_t DiskState::room(const DiskNode& node, size_t offset) const {
  const uint64_t others = used() - std::min<uint64_t>(used(), node.file.bytes().size());
  const uint64_t end =
      std::max<uint64_t>(node.file.bytes().size(), *capacity_ - std::min(*capacity_, others));
  return end - std::min<uint64_t>(end, offset);
}

int DiskState::write(DiskHandle& handle, std::span<const uint8_t> bytes, size_t offset) {
  if (dead(handle)) return SQLITE_IOERR_WRITE;
  const Course course = next_operation(write_failure_);
  int code = course == Course::kDone ? SQLITE_OK : SQLITE_IOERR_WRITE;
  size_t size = bytes.size();
  if (course == Course::kFails) size = random_() % (size + 1);
  if (course == Course::kStops && coin()) size = 0;
  if (capacity_ && room(*handle.node, offset) < size) {
    size = room(*handle.node, offset);
    ++counts_.failures;
    if (code == SQLITE_OK) code = SQLITE_FULL;
  }
  handle.node->file.write(offset, bytes.first(size));
  note(kWrite, handle.name_hash, offset, size);
  ++counts_.writes;
  counts_.bytes += size;
  return code;
}

int DiskState::truncate(DiskHandle& handle, size_t size) {
  if (dead(handle)) return SQLITE_IOERR_TRUNCATE;
  const Course course = next_operation(write_failure_);
  const bool done = course == Course::kDone || coin();
  note(kTruncate, handle.name_hash, size, done ? 1 : 0);
  if (done) handle.node->file.truncate(size);
  return course == Course::kDone ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int DiskState::sync(DiskHandle& handle) {
  if (dead(handle)) return SQLITE_IOERR_FSYNC;
  const Course course = next_operation(sync_failure_);
  note(kSync, handle.name_hash, static_cast<uint64_t>(course), 0);
  ++counts_.syncs;
  if (course == Course::kStops) return SQLITE_IOERR_FSYNC;
  if (ignore_syncs_) return SQLITE_OK;
  if (course == Course::kFails) {
    Luck luck(random_);
    handle.node->file.fail_sync(luck);
    counts_.lost += luck.lost();
    return SQLITE_IOERR_FSYNC;
  }
  handle.node->file.sync();
  if (!handle.folder_unsynced) return SQLITE_OK;
  const int code = sync_folder();
  handle.folder_unsynced = code != SQLITE_OK;
  return code;
}

// When it fails, the changes of names wait for the next one: file systems keep those in a journal.
int DiskState::sync_folder() {
  const Course course = next_operation(sync_failure_);
  note(kSyncFolder, 0, static_cast<uint64_t>(course), name_changes_.size());
  ++counts_.syncs;
  if (course != Course::kDone) return SQLITE_IOERR_DIR_FSYNC;
  if (ignore_syncs_) return SQLITE_OK;
  for (const NameChange& change : name_changes_) apply(platter_names_, change);
  name_changes_.clear();
  return SQLITE_OK;
}

void DiskState::fill_random(std::span<uint8_t> out) {
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(random_());
}

void DiskState::end_life() {
  ++life_;
  stopped_ = false;
  stop_at_.reset();
  for (auto& [name, node] : names_) {
    node->locks = {};
    node->memory.reset();
  }
}

void DiskState::clear_faults() {
  capacity_.reset();
  write_failure_ = 0;
  sync_failure_ = 0;
  ignore_syncs_ = false;
}

void DiskState::kill() {
  note(kKill, 0, 0, 0);
  end_life();
}

void DiskState::crash() {
  Luck luck(random_);
  for (const NameChange& change : name_changes_) {
    if (luck.fate() == Luck::Fate::kKept) apply(platter_names_, change);
  }
  name_changes_.clear();
  names_ = platter_names_;
  for (auto& [name, node] : names_) {
    node->file.crash(luck);
    note(kCrash, hash(name), node->file.bytes().size(), luck.lost());
  }
  ++counts_.crashes;
  counts_.lost += luck.lost();
  end_life();
  clear_faults();
}

void DiskState::set_space(std::optional<uint64_t> bytes) {
  capacity_.reset();
  if (bytes) capacity_ = used() + *bytes;
}

void DiskState::set_failures(double write, double sync) {
  write_failure_ = write;
  sync_failure_ = sync;
}

bool DiskState::in_transaction() const {
  return std::ranges::any_of(names_, [](const auto& entry) {
    const auto memory = entry.second->memory.lock();
    return memory != nullptr && memory->writing();
  });
}

bool DiskState::logs_synced() const {
  return std::ranges::all_of(names_, [](const auto& entry) {
    return !entry.first.ends_with("-wal") || entry.second->file.synced();
  });
}

DiskImage DiskState::save() const {
  DiskImage image;
  for (const auto& [name, node] : platter_names_) {
    image.files[name] = node->file.synced_bytes();
  }
  return image;
}

void DiskState::restore(const DiskImage& image) {
  end_life();
  clear_faults();
  names_.clear();
  for (const auto& [name, bytes] : image.files) {
    names_[name] = std::make_shared<DiskNode>(DiskNode{DiskFile(bytes), {}, {}});
  }
  platter_names_ = names_;
  name_changes_.clear();
}

}  // namespace wherry::test
