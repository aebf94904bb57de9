// What `wherry pipe` says, on its way out; see pipe_writer.h.
#include "pipe_writer.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <stdexcept>
#include <system_error>

namespace cli {
namespace {

// Between two looks at what no condition variable tells: a signal, or that the program ends.
constexpr std::chrono::milliseconds look_interval{100};

// Bytes that were written, 0 when there was no room for a while, or -1 with errno. Does not block:
// a pipe that can be written to has room for PIPE_BUF bytes (POSIX). The descriptor is not made
// non-blocking, since it may be shared with other programs.
ssize_t write_some(std::string_view text) {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  if (poll(&out, 1, static_cast<int>(look_interval.count())) <= 0) return 0;
  const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
  return count < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : count;
}

}  // namespace

LineWriter::LineWriter(Interrupt& interrupt)
    : interrupt_(interrupt), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void LineWriter::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (error_ != 0) return;
  if (size() == 0) moved_ = Clock::now();
  waiting_.append(line).push_back('\n');
  changed_.notify_all();
}

bool LineWriter::wait_for_room(std::size_t size_max, const std::stop_token& unwanted) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, unwanted, [&] { return error_ != 0 || size() < size_max; });
  return error_ == 0 && !unwanted.stop_requested();
}

bool LineWriter::has_room(std::size_t size_max) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, look_interval, [&] { return error_ == 0 && size() < size_max; });
}

bool LineWriter::stuck() {
  const std::lock_guard lock(mutex_);
  return is_stuck();
}

void LineWriter::finish() {
  std::unique_lock lock(mutex_);
  const Clock::time_point begun = Clock::now();
  while (error_ == 0 && size() != 0 && !is_stuck() &&
         !(interrupt_.requested() && Clock::now() - begun >= patience)) {
    changed_.wait_for(lock, look_interval);
  }
  if (error_ != 0) throw std::system_error(error_, std::generic_category(), "standard output");
  if (size() != 0) throw std::runtime_error("nobody read all that was written to standard output");
}

void LineWriter::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return size() != 0; }) && !stop.stop_requested()) {
    std::array<char, PIPE_BUF> block;
    const std::size_t length = waiting_.copy(block.data(), block.size(), written_);
    lock.unlock();
    const ssize_t count = write_some({block.data(), length});
    const int error = count < 0 ? errno : 0;
    lock.lock();
    if (error != 0) {
      error_ = error;
      waiting_ = {};
      written_ = 0;
      changed_.notify_all();
      interrupt_.request();
      return;
    }
    if (count == 0) continue;
    moved_ = Clock::now();
    written_ += static_cast<std::size_t>(count);
    if (written_ * 2 >= waiting_.size()) {  // no byte is moved more than once, on average
      waiting_.erase(0, written_);
      written_ = 0;
    }
    changed_.notify_all();
  }
}

}  // namespace cli
