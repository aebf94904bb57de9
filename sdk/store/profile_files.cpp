// profile = magic[8] ‖ version u16 ‖ cipher u16 ‖ kdf u16 ‖ 0 u16 ‖ ops u32 ‖ memory u32 ‖ salt[16]
//           ‖ nonce[24] ‖ wrapped[48] ‖ check[16]
// lock    = empty; flock()ed by the process that has the profile open
// store.db, store.db-wal, store.db-shm = the database
#include "store/profile_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "store/schema.h"

namespace wherry::store {
namespace {

constexpr std::string_view kMagic = "WHERRYPF";
constexpr uint16_t kVersion = 1;
constexpr size_t kSaltAt = 24;
constexpr size_t kNonceAt = 40;
constexpr size_t kWrappedAt = 64;
constexpr size_t kCheckAt = 112;
constexpr size_t kHeaderSize = 128;
constexpr off_t kPageSize = 4096;  // SQLite's default, which nothing here changes
constexpr uint16_t kKdfRaw = 1;
constexpr uint16_t kKdfArgon2id = 2;

using Header = std::array<uint8_t, kHeaderSize>;

void put(Header& header, size_t at, uint32_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) header[at + i] = static_cast<uint8_t>(value >> 8 * i);
}

uint32_t get(const Header& header, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= static_cast<uint32_t>(header[at + i]) << 8 * i;
  return value;
}

ByteView part(const Header& header, size_t from, size_t to) {
  return ByteView(header).subspan(from, to - from);
}

Id128 checksum(const Header& header) {
  return crypto::hash<16>({}, "profile", {part(header, 0, kCheckAt)});
}

Result<Secret<32>> wrapping_key(const Key& key, const Header& header) {
  const uint32_t kdf = get(header, 12, 2);
  if (kdf != (key.kind == WHERRY_KEY_RAW ? kKdfRaw : kKdfArgon2id)) {
    return fail(WHERRY_E_KEY, key.kind == WHERRY_KEY_RAW
                                  ? "this profile opens with a passphrase, not with a raw key"
                                  : "this profile opens with a raw key, not with a passphrase");
  }
  if (kdf == kKdfRaw) return crypto::derive_key(key.bytes, "wrap");
  return crypto::key_from_password(as_text(key.bytes),
                                   to_array<16>(part(header, kSaltAt, kNonceAt)),
                                   {get(header, 16, 4), get(header, 20, 4)});
}

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
  const int folder = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 || ::fsync(folder) != 0) {
    if (folder >= 0) ::close(folder);
    return system_error("the profile's directory");
  }
  ::close(folder);
  return {};
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

Result<Header> read_header(const std::string& path) {
  const int file = ::open((path + "/profile").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail(WHERRY_E_NO_PROFILE, "there is no profile here: create one first");
    }
    return system_error("the profile's header");
  }
  std::array<uint8_t, kHeaderSize + 1> bytes{};
  const ssize_t size = ::read(file, bytes.data(), bytes.size());
  ::close(file);
  if (size != static_cast<ssize_t>(kHeaderSize)) {
    return fail(WHERRY_E_CORRUPT, "the profile's header is damaged: restore it from a backup");
  }
  Header header;
  std::copy_n(bytes.begin(), kHeaderSize, header.begin());
  if (as_text(part(header, 0, 8)) == kMagic && get(header, 8, 2) > kVersion) {
    return fail(WHERRY_E_NEWER, "the profile was written by a newer version: update this app");
  }
  if (as_text(part(header, 0, 8)) != kMagic || get(header, 8, 2) != kVersion ||
      !equal(checksum(header), part(header, kCheckAt, kHeaderSize))) {
    return fail(WHERRY_E_CORRUPT, "the profile's header is damaged: restore it from a backup");
  }
  return header;
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
  if (::access((path + "/profile").c_str(), F_OK) == 0) {
    return fail(WHERRY_E_EXISTS, "there is a profile here already: open it");
  }
  for (const char* left_over : {"/store.db", "/store.db-wal", "/store.db-shm"}) {
    ::unlink((path + left_over).c_str());
  }

  files->cipher_ = best_cipher();
  random.fill(files->page_key_.data(), 32);
  {
    // SQLite gives its other files the mode of this one.
    const int empty =
        ::open((path + "/store.db").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (empty < 0) return system_error("the profile's database");
    ::close(empty);
    OpenOptions options{path + "/store.db", files->cipher_, true, false, full_sync, nullptr};
    auto db = Connection::open(options, files->page_key_);
    if (!db) return db.error();
    if (Status migrated = migrate(**db); !migrated) return migrated.error();
    if (Status filled = fill(**db); !filled) return filled.error();
  }

  Header header{};
  std::copy(kMagic.begin(), kMagic.end(), header.begin());
  put(header, 8, kVersion, 2);
  put(header, 10, static_cast<uint32_t>(files->cipher_), 2);
  put(header, 12, key.kind == WHERRY_KEY_RAW ? kKdfRaw : kKdfArgon2id, 2);
  if (key.kind != WHERRY_KEY_RAW) {
    put(header, 16, key.cost.ops, 4);
    put(header, 20, key.cost.memory_kib, 4);
    random.fill(header.data() + kSaltAt, 16);
  }
  const auto nonce = random.array<24>();
  std::copy(nonce.begin(), nonce.end(), header.begin() + kNonceAt);
  Result<Secret<32>> wrapping = wrapping_key(key, header);
  if (!wrapping) return wrapping.error();
  crypto::aead_seal_into(header.data() + kWrappedAt, wrapping->view(), nonce,
                         part(header, 0, kNonceAt), files->page_key_.view());
  const Id128 check = checksum(header);
  std::copy(check.begin(), check.end(), header.begin() + kCheckAt);
  if (Status written = write_durably(path, "profile", header); !written) return written.error();
  return files;
}

Result<std::unique_ptr<ProfileFiles>> ProfileFiles::open(const std::string& path, const Key& key,
                                                         bool full_sync) {
  Result<Header> header = read_header(path);
  if (!header) return header.error();
  Result<int> lock = take_lock(path);
  if (!lock) return lock.error();
  std::unique_ptr<ProfileFiles> files(new ProfileFiles(path, *lock, full_sync));

  Result<Secret<32>> wrapping = wrapping_key(key, *header);
  if (!wrapping) return wrapping.error();
  if (!crypto::aead_open_into(files->page_key_.data(), wrapping->view(),
                              to_array<24>(part(*header, kNonceAt, kWrappedAt)),
                              part(*header, 0, kNonceAt), part(*header, kWrappedAt, kCheckAt))) {
    return fail(WHERRY_E_KEY,
                key.kind == WHERRY_KEY_RAW ? "the key is wrong" : "the passphrase is wrong");
  }
  const uint32_t cipher = get(*header, 10, 2);
  if (cipher != 1 && cipher != 2) {
    return fail(WHERRY_E_NEWER, "the profile uses a cipher that this version does not know");
  }
  files->cipher_ = static_cast<Cipher>(cipher);

  if (::access((path + "/store.db").c_str(), F_OK) != 0) {
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
  OpenOptions options{path_ + "/store.db", cipher_, false, read_only, full_sync_, nullptr};
  return Connection::open(options, page_key_);
}

}  // namespace wherry::store
