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
#include <mutex>
#include <system_error>
#include <utility>

#include "core_thread.h"
#include "grpc_server.h"
#include "identity.h"
#include "onion_service.h"
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
    std::optional<transports::tor::Seed> onion_key;
    if (options.onion) {
      onion_key = load_onion_key(options.data, error);
      if (!onion_key) return nullptr;
    }
    std::optional<transports::RelayAddress> onion_address;
    if (onion_key) onion_address = onion_address_of(*onion_key);
    std::unique_ptr<RunningRelay> relay(
        new RunningRelay(options, std::move(lock), *identity, onion_address, std::move(store)));
    if (!relay->listen(options, *identity, error)) return nullptr;
    if (onion_key && !relay->serve_over_tor(options, *onion_key, error)) return nullptr;
    if (relay->address_) options.on_open(*relay->address_);
    return relay;
  }

  ~RunningRelay() override { drain(); }

  const std::optional<transports::RelayAddress>& address() const override { return address_; }

  void tick() override {
    sessions_.end_overdue(std::chrono::steady_clock::now());
    if (server_) server_->tick();
    if (onion_) onion_->tick(steady_clock_ms() / 1000);
  }

  void drain() override {
    if (!server_) return;
    sessions_.stop_reading();
    core_thread_.drain();
    sessions_.say_goodbye();
    {
      const std::lock_guard lock(taking_mutex_);
      taking_ = false;
    }
    server_->shut_down(kGoodbyeDeadlineS);
    onion_.reset();  // not before: it carries the goodbyes, as far as they come
    server_.reset();
  }

 private:
  RunningRelay(const RelayOptions& options, std::unique_ptr<DirectoryLock> lock,
               const Identity& identity, std::optional<transports::RelayAddress> onion_address,
               std::unique_ptr<Store> store)
      : lock_(std::move(lock)),
        store_(std::move(store)),
        limiter_(options.quotas, steady_clock_ms),
        sessions_(limiter_, log_disk),
        core_(*store_, options.quotas, options.memory_max / kWindowsPart, sessions_),
        core_thread_(core_, wall_clock_s, options.memory_max / kQueuePart),
        onion_address_(std::move(onion_address)),
        context_{core_thread_, limiter_, store_->id(), identity.pin},
        tor_context_{core_thread_, limiter_, store_->id(),
                     onion_address_ ? onion_address_->pin : transports::Pin{}} {}

  bool listen(const RelayOptions& options, const Identity& identity, std::string& error) {
    const std::string listen = options.listen ? to_text(*options.listen) : "";
    server_ = start_grpc_server(
        {listen, options.memory_max / kBufferPart, options.quotas.tor_connections_max}, identity,
        sessions_, context_, tor_context_);
    if (!server_) {
      error = "cannot listen at " + listen + ": the address is in use, or not one of this machine";
      return false;
    }
    if (!options.listen) return true;
    address_ = {options.advertise.value_or(*options.listen), identity.pin};
    if (address_->authority.port == 0) {
      address_->authority.port = static_cast<std::uint16_t>(server_->port());
    }
    return true;
  }

  bool serve_over_tor(const RelayOptions& options, const transports::tor::Seed& key,
                      std::string& error) {
    onion_ = std::make_unique<OnionService>(
        key, *options.onion,
        OnionService::Calls{
            [this](transports::Descriptor connection) { take(std::move(connection)); },
            [open = options.on_open, address = *onion_address_] { open(address); }});
    return onion_->wait_for_tor(error);
  }

  void take(transports::Descriptor connection) {
    const std::lock_guard lock(taking_mutex_);
    if (taking_) server_->take(std::move(connection));
  }

  const std::unique_ptr<DirectoryLock> lock_;
  const std::unique_ptr<Store> store_;
  Limiter limiter_;
  Sessions sessions_;
  Core core_;
  CoreThread core_thread_;
  const std::optional<transports::RelayAddress> onion_address_;
  SessionContext context_;
  SessionContext tor_context_;
  std::optional<transports::RelayAddress> address_;
  std::unique_ptr<GrpcServer> server_;
  std::mutex taking_mutex_;
  bool taking_ = true;
  std::unique_ptr<OnionService> onion_;
};

}  // namespace

std::unique_ptr<Relay> start_relay(const RelayOptions& options, std::string& error) {
  return RunningRelay::start(options, error);
}

}  // namespace wherry::relay
