// Wires identity, store, core, thread, sessions and server together.
#include "relay.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "core_thread.h"
#include "grpc_server.h"
#include "identity.h"
#include "sessions.h"
#include "sqlite_store.h"

namespace wherry::relay {
namespace {

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t steady_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The lock that keeps a second relay off the same directory, for as long as the process lives.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock() {
    if (file_ >= 0) close(file_);
  }

  bool take(const std::filesystem::path& directory, std::string& error) {
    const std::filesystem::path path = directory / "relay.lock";
    file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) {
      error = "cannot write to " + directory.string() + ": " + std::strerror(errno);
      return false;
    }
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
      error = "another wherry-relay uses " + directory.string();
      return false;
    }
    return true;
  }

 private:
  int file_ = -1;
};

void log_disk(bool failed) {
  if (failed) {
    spdlog::error("cannot store: the disk is full or failed; senders are told to try later");
  } else {
    spdlog::info("storing works again");
  }
}

// Members are used by those after them, and end in the reverse order.
class RunningRelay final : public Relay {
 public:
  static std::unique_ptr<Relay> start(const RelayOptions& options, std::string& error) {
    std::error_code failure;
    if (!std::filesystem::exists(options.data, failure)) {
      std::filesystem::create_directories(options.data, failure);
      if (!failure) chmod(options.data.c_str(), 0700);
    }
    if (failure) {
      error = "cannot make " + options.data.string() + ": " + failure.message();
      return nullptr;
    }
    auto lock = std::make_unique<DirectoryLock>();
    if (!lock->take(options.data, error)) return nullptr;
    const auto identity = load_identity(options.data, error);
    if (!identity) return nullptr;
    auto store = open_sqlite_store(options.data / "relay.db",
                                   {options.database_pages_max, options.full_sync}, error);
    if (!store) return nullptr;
    std::unique_ptr<RunningRelay> relay(
        new RunningRelay(options, std::move(lock), *identity, std::move(store)));
    const std::string listen = to_text(options.listen);
    relay->server_ = start_grpc_server(listen, *identity, relay->sessions_, relay->context_,
                                       options.memory_max / kBufferPart);
    if (!relay->server_) {
      error = "cannot listen at " + listen + ": the address is in use, or not one of this machine";
      return nullptr;
    }
    relay->address_.authority = options.advertise.value_or(options.listen);
    if (relay->address_.authority.port == 0) {
      relay->address_.authority.port = static_cast<std::uint16_t>(relay->server_->port());
    }
    return relay;
  }

  ~RunningRelay() override { drain(); }

  const transports::RelayAddress& address() const override { return address_; }

  void tick() override { sessions_.end_overdue(std::chrono::steady_clock::now()); }

  void drain() override {
    if (!server_) return;
    sessions_.stop_reading();
    core_thread_.drain();
    sessions_.say_goodbye();
    server_->shut_down(kGoodbyeDeadlineS);
    server_.reset();
  }

 private:
  RunningRelay(const RelayOptions& options, std::unique_ptr<DirectoryLock> lock,
               const Identity& identity, std::unique_ptr<Store> store)
      : lock_(std::move(lock)),
        store_(std::move(store)),
        limiter_(options.quotas, steady_clock_ms),
        sessions_(limiter_, log_disk),
        core_(*store_, options.quotas, options.memory_max / kWindowsPart, sessions_),
        core_thread_(core_, wall_clock_s, options.memory_max / kQueuePart),
        context_{core_thread_, limiter_, store_->id(), identity.pin} {
    address_.pin = identity.pin;
  }

  const std::unique_ptr<DirectoryLock> lock_;
  const std::unique_ptr<Store> store_;
  Limiter limiter_;
  Sessions sessions_;
  Core core_;
  CoreThread core_thread_;
  SessionContext context_;
  transports::RelayAddress address_;
  std::unique_ptr<GrpcServer> server_;
};

}  // namespace

std::unique_ptr<Relay> start_relay(const RelayOptions& options, std::string& error) {
  return RunningRelay::start(options, error);
}

}  // namespace wherry::relay
