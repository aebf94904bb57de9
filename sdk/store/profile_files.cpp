// profile = the header: see profile_header.cpp
// profile.new = a header that is not written yet: without `profile` beside it, the profile is one
//               whose making was cut off
// lock    = empty; flock()ed by the process that has the profile open
// store.db, store.db-wal, store.db-shm = the database
#include "store/profile_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "store/schema.h"

namespace wherry::store {
namespace {

constexpr off_t kPageSize = 4096;  // SQLite's default, which nothing here changes

Cipher best_cipher() {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports("aes") ? Cipher::kAegis256 : Cipher::kChaCha20;
#else
  return Cipher::kChaCha20;
#endif
}

Error system_error(const std::string& what) {
  switch (errno) {
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(WHERRY_E_READ_ONLY, what + ": no permission to write here");
    case ENOSPC:
    case EDQUOT:
      return fail(WHERRY_E_DISK, what + ": the disk is full");
    case ENOENT:
    case ENOTDIR:
      return fail(WHERRY_E_NO_PROFILE, what + ": there is no such directory");
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return fail(WHERRY_E_MEMORY, what + ": out of descriptors or memory");
    default:
      return fail(WHERRY_E_DISK, what + ": error " + std::to_string(errno));
  }
}

// The descriptor of the locked file.
Result<int> take_lock(const std::string& path) {
  const int lock = ::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return system_error("the profile's lock");
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  const bool held = errno == EWOULDBLOCK;
  Error error = system_error("the profile's lock");
  ::close(lock);
  if (!held) return error;
  return fail(WHERRY_E_LOCKED, "the profile is open in another process: close it there first");
}

Status sync_folder(const std::string& directory) {
  const int folder = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  Error error = system_error("the profile's directory");
  if (folder >= 0) ::close(folder);
  return synced ? Status() : Status(error);
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// A database that somebody had, and whose header is gone: nothing else opens it.
bool lost_its_header(const std::string& directory) {
  return is_there(directory + "/store.db") && !is_there(directory + "/profile") &&
         !is_there(directory + "/profile.new");
}

// What is made from now on is nobody's yet.
Status begin_to_make(const std::string& directory) {
  const int file =
      ::open((directory + "/profile.new").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return system_error("the profile's header");
  ::close(file);
  return sync_folder(directory);
}

// Writes a file so that it is there whole or not at all, also after loss of power.
Status write_durably(const std::string& directory, const std::string& name, ByteView bytes) {
  const std::string target = directory + "/" + name;
  const std::string fresh = target + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return system_error("the profile's header");
  const bool written =
      ::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(file) == 0;
  Error error = system_error("the profile's header");
  ::close(file);
  if (!written) return error;
  if (::rename(fresh.c_str(), target.c_str()) != 0) return system_error("the profile's header");
  return sync_folder(directory);
}

// Whether the database is empty or ends within a page, and no log could complete it. SQLite takes
// an empty file for a new database and fills a short page with zeros: a loss would pass unnoticed.
bool cut_short(const std::string& directory) {
  struct stat database{};
  struct stat log{};
  if (::stat((directory + "/store.db-wal").c_str(), &log) == 0 && log.st_size != 0) return false;
  return ::stat((directory + "/store.db").c_str(), &database) == 0 &&
         (database.st_size == 0 || database.st_size % kPageSize != 0);
}

Result<Header> read_header_of(const std::string& path) {
  const int file = ::open((path + "/profile").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT && lost_its_header(path)) {
      return fail(WHERRY_E_CORRUPT,
                  "the profile's header, the file `profile`, is missing: restore it from a backup");
    }
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail(WHERRY_E_NO_PROFILE, "there is no profile here: create one first");
    }
    return system_error("the profile's header");
  }
  std::array<uint8_t, sizeof(Header) + 1> bytes{};  // to see that there is no more
  const ssize_t size = ::read(file, bytes.data(), bytes.size());
  ::close(file);
  return read_header(ByteView(bytes).first(size < 0 ? 0 : static_cast<size_t>(size)));
}

}  // namespace

Result<std::unique_ptr<ProfileFiles>> ProfileFiles::create(
    const std::string& path, const Key& key, bool full_sync, Random& random,
    const std::function<Status(Connection&)>& fill) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    const bool no_parent = errno == ENOENT || errno == ENOTDIR;
    if (!no_parent) return system_error("the profile's directory");
    return fail(WHERRY_E_READ_ONLY,
                "the profile's directory can not be made: make its parent first");
  }
  Result<int> lock = take_lock(path);
  if (!lock) {
    if (lock.error().status != WHERRY_E_NO_PROFILE) return lock.error();
    return fail(WHERRY_E_READ_ONLY, "the profile's path is not a directory");
  }
  std::unique_ptr<ProfileFiles> files(new ProfileFiles(path, *lock, full_sync));
  if (is_there(path + "/profile")) {
    return fail(WHERRY_E_EXISTS, "there is a profile here already: open it");
  }
  if (lost_its_header(path)) {
    return fail(WHERRY_E_EXISTS,
                "there is a profile here whose header, the file `profile`, is missing: restore it "
                "from a backup, or choose another directory");
  }
  if (Status begun = begin_to_make(path); !begun) return begun.error();
  for (const char* left_over : {"/store.db", "/store.db-wal", "/store.db-shm"}) {
    ::unlink((path + left_over).c_str());
  }

  files->page_key_.cipher = best_cipher();
  random.fill(files->page_key_.key.data(), 32);
  {
    // SQLite gives its other files the mode of this one.
    const int empty =
        ::open((path + "/store.db").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (empty < 0) return system_error("the profile's database");
    ::close(empty);
    OpenOptions options{
        path + "/store.db", files->page_key_.cipher, true, false, full_sync, nullptr};
    auto db = Connection::open(options, files->page_key_.key);
    if (!db) return db.error();
    if (Status migrated = migrate(**db); !migrated) return migrated.error();
    if (Status filled = fill(**db); !filled) return filled.error();
  }

  Result<Header> header = wrap(files->page_key_, key, random);
  if (!header) return header.error();
  if (Status written = write_durably(path, "profile", *header); !written) return written.error();
  return files;
}

Result<std::unique_ptr<ProfileFiles>> ProfileFiles::open(const std::string& path, const Key& key,
                                                         bool full_sync) {
  Result<Header> header = read_header_of(path);
  if (!header) return header.error();
  Result<int> lock = take_lock(path);
  if (!lock) return lock.error();
  std::unique_ptr<ProfileFiles> files(new ProfileFiles(path, *lock, full_sync));

  Result<PageKey> page_key = unwrap(*header, key);
  if (!page_key) return page_key.error();
  files->page_key_ = page_key.take();

  if (!is_there(path + "/store.db")) {
    return fail(WHERRY_E_CORRUPT, "the profile's database is missing: restore it from a backup");
  }
  if (cut_short(path)) {
    return fail(WHERRY_E_CORRUPT, "the profile's database is cut short: restore it from a backup");
  }
  if (::access((path + "/store.db").c_str(), W_OK) != 0 || ::access(path.c_str(), W_OK) != 0) {
    return fail(WHERRY_E_READ_ONLY, "the profile's files can not be written to");
  }
  auto db = files->connect(false);
  if (!db) return db.error();
  if (Status migrated = migrate(**db); !migrated) return migrated.error();
  return files;
}

ProfileFiles::~ProfileFiles() {
  // A child of a fork has the descriptor too: closing ours alone would leave the lock with it.
  ::flock(lock_, LOCK_UN);
  ::close(lock_);
}

Result<std::unique_ptr<Connection>> ProfileFiles::connect(bool read_only) const {
  OpenOptions options{path_ + "/store.db", page_key_.cipher, false, read_only, full_sync_, nullptr};
  return Connection::open(options, page_key_.key);
}

}  // namespace wherry::store
