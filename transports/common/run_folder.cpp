// Made, and swept.
#include "run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace wherry::transports {
namespace {

constexpr const char* kPrefix = "wherry-run-";
constexpr const char* kRandom = "XXXXXX";   // of mkdtemp
constexpr std::size_t kLongestSocket = 16;  // its name, with what divides it from the folder's
constexpr std::time_t kYoung_s = 60;        // its owner may not have locked it yet
constexpr int kTries = 3;

Descriptor lock(const std::string& path) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder.valid() && ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return folder;
}

bool is_same(const std::string& path, const Descriptor& folder) {
  struct stat named{};
  struct stat open{};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(folder.get(), &open) == 0 &&
         named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

void remove_dead(const std::filesystem::path& base) {
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(base, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string path = entry->path();
    struct stat status{};
    if (!entry->path().filename().string().starts_with(kPrefix) ||
        ::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != ::geteuid() || std::time(nullptr) - status.st_mtime < kYoung_s) {
      continue;
    }
    const Descriptor dead = lock(path);
    std::error_code ignored;
    if (dead.valid() && is_same(path, dead)) std::filesystem::remove_all(path, ignored);
  }
}

std::optional<std::pair<std::string, Descriptor>> make_in(const std::string& base) {
  std::string pattern = base + "/" + kPrefix + kRandom;
  // It stands in commands and in configuration files too.
  if (pattern.size() + kLongestSocket >= sizeof(sockaddr_un::sun_path) ||
      pattern.find_first_of(" \"\\\n") != std::string::npos) {
    errno = ENAMETOOLONG;
    return std::nullopt;
  }
  for (int i = 0; i < kTries; ++i) {
    std::string path = pattern;
    if (::mkdtemp(path.data()) == nullptr) return std::nullopt;
    Descriptor held = lock(path);
    // Whoever sweeps may have been quicker.
    if (held.valid() && is_same(path, held)) return std::pair(std::move(path), std::move(held));
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<RunFolder> RunFolder::make() {
  for (const char* variable : {"XDG_RUNTIME_DIR", "TMPDIR", ""}) {
    const char* value = *variable == '\0' ? "/tmp" : std::getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    auto made = make_in(value);
    if (!made) continue;
    remove_dead(value);
    return std::unique_ptr<RunFolder>(
        new RunFolder(std::move(made->first), std::move(made->second)));
  }
  return nullptr;
}

RunFolder::~RunFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace wherry::transports
