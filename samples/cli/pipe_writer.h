// What `wherry pipe` says, on its way out.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "interrupt.h"

namespace cli {

// Writes whole lines to standard output, on a thread of its own: nobody who has something to say
// waits for a client that does not read. All functions may be called by any thread.
//
// Memory is bounded by who writes: each waits for room before it makes a line, so that beyond the
// limits there is one line more of each at most.
class LineWriter {
 public:
  // As long as more bytes wait, no request is taken: a client that asks and never reads has to
  // stop. One that reads a line for each that it writes never comes near.
  static constexpr std::size_t answers_size_max = 4 << 20;
  // As long as more bytes wait, events stay in their profile, on disk.
  static constexpr std::size_t events_size_max = 4 << 10;
  // A client that is to leave, and takes nothing for so long, is not waited for.
  static constexpr std::chrono::seconds patience{5};

  // Requests the interrupt when the reader has gone away.
  explicit LineWriter(Interrupt& interrupt);

  // Adds a line behind those that wait.
  void write(std::string_view line);

  // Waits until fewer bytes than this wait. False when that is not wanted any more, or the reader
  // has gone away.
  bool wait_for_room(std::size_t size_max, const std::stop_token& unwanted);
  // As above, but true when there is room now, or before long.
  bool has_room(std::size_t size_max);

  // Whether something waits, and nothing has been taken for `patience`.
  bool stuck();

  // Waits until all is written, as long as something is taken, and after an interrupt no longer
  // than `patience`. Throws when not all was, std::system_error if the reader has gone away.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  void run(const std::stop_token& stop);
  std::size_t size() const { return waiting_.size() - written_; }
  bool is_stuck() const { return size() != 0 && Clock::now() - moved_ >= patience; }

  Interrupt& interrupt_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string waiting_;
  std::size_t written_ = 0;  // bytes of waiting_ that are out
  Clock::time_point moved_;  // when the client last took something, or had nothing to take
  int error_ = 0;            // errno, once nothing can be written any more
  std::jthread thread_;      // the last member: it ends before the others
};

}  // namespace cli
