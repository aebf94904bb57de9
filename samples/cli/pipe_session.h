// What a client of `wherry pipe` has open, and the threads that tell it of events.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <stop_token>
#include <thread>
#include <vector>

#include "pipe_writer.h"
#include "wherry/wherry.h"

namespace cli {

// One reader thread a profile waits for events and writes them as notifications. It takes none from
// the profile, which keeps them on disk, while the client does not read. All functions are called
// by one thread, which answers requests.
class PipeSession {
 public:
  explicit PipeSession(LineWriter& writer) : writer_(writer) {}
  PipeSession(const PipeSession&) = delete;
  PipeSession& operator=(const PipeSession&) = delete;
  ~PipeSession() { close_all(); }

  // The members of the options that are the program's: its transports, and its log.
  void fill(wherry_profile_options& options) const;

  // A profile was opened. Its events begin with start_readers(), after the response that names it.
  void opened(wherry_profile profile) { new_.push_back(profile); }
  void start_readers();

  // wherry_close was called for it, with this result.
  void closed(wherry_profile profile, std::int32_t status);

  void close_all();

  // Whether the client can not be told of events any more.
  bool broken() const { return broken_; }

 private:
  void read_events(wherry_profile profile, const std::stop_token& closed);
  void tell_failure(wherry_profile profile, std::int32_t status, const wherry_error& error);

  LineWriter& writer_;
  std::vector<wherry_profile> new_;
  std::map<std::uint64_t, std::jthread> readers_;
  std::atomic<bool> broken_{false};
};

}  // namespace cli
