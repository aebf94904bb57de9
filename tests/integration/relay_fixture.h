// A relay for tests: in the test's process, or as the real program.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "transports/relay/relay.h"

namespace wherry::test {

// A directory that is removed at the end of its life.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Listens at a port of the kernel's choice on 127.0.0.1, with a database of its own.
class RelayInProcess {
 public:
  explicit RelayInProcess(const relay::Quotas& quotas = {}, std::uint32_t database_pages_max = 0);

  std::string address() const { return to_text(relay_->address().value()); }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<relay::Relay> relay_;
};

// The program wherry-relay, started and waited for by its pid.
class RelayProcess {
 public:
  // `listen` "127.0.0.1:0" or, to come back at the same place, an earlier one's; empty: it does
  // not.
  RelayProcess(const std::filesystem::path& data, const std::string& listen,
               const std::vector<std::string>& more = {});
  RelayProcess(const RelayProcess&) = delete;
  RelayProcess& operator=(const RelayProcess&) = delete;
  ~RelayProcess();  // SIGKILL, if it still runs

  // The first line of standard output; empty when it ended without one.
  const std::string& address() const { return address_; }
  std::string host_and_port() const;
  pid_t pid() const { return pid_; }

  void signal(int number);
  // Waits for its end: the exit code, or 128 + signal. -1: not within the limit.
  int wait(int limit_ms);
  // What it wrote to standard error so far.
  std::string log() const;
  // Resident memory, in KiB.
  long memory_kib() const;

 private:
  pid_t pid_ = -1;
  int ended_ = -1;
  std::string address_;
  TemporaryDirectory directory_;  // of the log
};

}  // namespace wherry::test
