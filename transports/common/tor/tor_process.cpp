// Starting and ending a tor.
#include "tor_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "control_reply.h"

namespace wherry::transports::tor {
namespace {

constexpr std::size_t kOutputLineMax = 1024;  // the rest of a longer one is not kept

// Those above it, as well, but with the rights that are usual.
bool make_folder(const std::string& folder, std::string& what) {
  std::error_code error;
  const std::filesystem::path path(folder);
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    what = folder + ": " + std::strerror(errno);
    return false;
  }
  // Tor refuses one that others may read; this one was not made by us, or not so.
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != ::geteuid() || (status.st_mode & 077U) != 0) {
    what = folder + ": not a folder that only this user may read";
    return false;
  }
  return true;
}

bool write_file(const std::string& path, std::string_view text, std::string& what) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const bool written = file.valid() && ::write(file.get(), text.data(), text.size()) ==
                                           static_cast<ssize_t>(text.size());
  if (!written) what = path + ": " + std::strerror(errno);
  return written;
}

}  // namespace

std::unique_ptr<TorProcess> TorProcess::start(const TorOptions& options, StartError& error,
                                              std::string& what) {
  std::unique_ptr<TorProcess> process(new TorProcess);
  process->run_ = RunFolder::make();
  error = StartError::kResource;
  if (!process->run_) {
    what = std::string("no folder for its sockets: ") + std::strerror(errno);
    return nullptr;
  }
  error = StartError::kFolder;
  if (!make_folder(options.folder, what) || !process->write_torrc(options, what)) return nullptr;
  error = process->spawn(options, what);
  return error == StartError::kNone ? std::move(process) : nullptr;
}

TorProcess::~TorProcess() {
  if (pid_ > 0 && !wait_for_end(std::chrono::milliseconds(0))) {
    ::kill(pid_, SIGKILL);
    wait_for_end(std::chrono::milliseconds(500));
  }
}

bool TorProcess::write_torrc(const TorOptions& options, std::string& what) const {
  std::string text = "DataDirectory " + quote(options.folder) + "\nControlSocket " +
                     quote(control_socket()) + "\nCookieAuthentication 1\nCookieAuthFile " +
                     quote(run_folder() + "/cookie") + "\nSocksPort " +
                     "unix:" + quote(socks_socket()) +
                     " ExtendedErrors\n"
                     "ClientOnly 1\nShutdownWaitLength 0\nLog notice stdout\n"
                     "__OwningControllerProcess " +
                     std::to_string(::getpid()) + "\n" + options.more;
  return write_file(run_folder() + "/torrc", text, what) &&
         write_file(run_folder() + "/defaults", "", what);
}

StartError TorProcess::spawn(const TorOptions& options, std::string& what) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    what = std::strerror(errno);
    return StartError::kResource;
  }
  output_ = Descriptor(pipe[0]);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  const Descriptor written(pipe[1]);

  const std::string torrc = run_folder() + "/torrc";
  const std::string defaults = run_folder() + "/defaults";
  // Debian's defaults are not ours: a file with nothing in it stands for them.
  std::array<const char*, 6> arguments{
      options.program.c_str(), "-f", torrc.c_str(), "--defaults-torrc", defaults.c_str(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, written.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, written.get(), 2);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  // The keys of a terminal are for the app; what the app blocks or ignores is not for tor.
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  const int error = ::posix_spawnp(&pid_, options.program.c_str(), &actions, &attributes,
                                   const_cast<char* const*>(arguments.data()), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    what = options.program + ": " + std::strerror(error);
    const bool missing = error == ENOENT || error == EACCES || error == ENOTDIR;
    return missing ? StartError::kMissing : StartError::kResource;
  }
  exit_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!exit_.valid()) {
    what = std::strerror(errno);
    return StartError::kResource;
  }
  ::fcntl(exit_.get(), F_SETFD, FD_CLOEXEC);
  return StartError::kNone;
}

bool TorProcess::read_output() {
  std::array<char, 4096> block{};
  for (;;) {
    const ssize_t count = ::read(output_.get(), block.data(), block.size());
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    for (const char character : std::string_view(block.data(), static_cast<std::size_t>(count))) {
      if (character == '\n') {
        take_line(rest_);
        rest_.clear();
      } else if (rest_.size() < kOutputLineMax) {
        rest_.push_back(character);
      }
    }
  }
}

// "Nov 26 22:00:00.000 [warn] what is the matter". An error most often refers to the warning before
// it.
void TorProcess::take_line(std::string_view line) {
  constexpr std::string_view kWarning = "[warn] ";
  constexpr std::string_view kError = "[err] ";
  if (const std::size_t at = line.find(kWarning); at != std::string_view::npos) {
    complaint_ = line.substr(at + kWarning.size());
  } else if (const std::size_t end = line.find(kError);
             end != std::string_view::npos && complaint_.empty()) {
    complaint_ = line.substr(end + kError.size());
  }
}

bool TorProcess::wait_for_end(std::chrono::milliseconds limit) {
  if (pid_ <= 0) return true;
  pollfd one{exit_.get(), POLLIN, 0};
  if (exit_.valid() && ::poll(&one, 1, static_cast<int>(limit.count())) != 1) return false;
  // An app may let the system reap its children: then there is nobody to wait for.
  if (::waitpid(pid_, nullptr, exit_.valid() ? 0 : WNOHANG) == 0) return false;
  pid_ = -1;
  return true;
}

}  // namespace wherry::transports::tor
