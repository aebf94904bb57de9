// What a client of `wherry pipe` says; see pipe_lines.h.
#include "pipe_lines.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace cli {

LineReader::Result LineReader::next(std::string& line) {
  bool too_long = false;
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      too_long = too_long || end > line_size_max;
      if (!too_long) line.assign(buffer_, 0, end);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      return too_long ? Result::too_long : Result::line;
    }
    searched_ = buffer_.size();
    if (buffer_.size() > line_size_max) {
      too_long = true;
      buffer_.clear();
      searched_ = 0;
    }
    if (!fill()) return last(line, too_long);
  }
}

LineReader::Result LineReader::last(std::string& line, bool too_long) {
  if (interrupt_.requested() || (buffer_.empty() && !too_long)) return Result::end;
  line = std::exchange(buffer_, {});
  searched_ = 0;
  return too_long ? Result::too_long : Result::line;
}

bool LineReader::fill() {
  std::array<char, 65536> block;
  for (;;) {
    if (!interrupt_.wait_readable(STDIN_FILENO, -1)) {
      if (interrupt_.requested()) return false;
      continue;
    }
    const ssize_t count = read(STDIN_FILENO, block.data(), block.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return false;
    buffer_.append(block.data(), static_cast<std::size_t>(count));
    return true;
  }
}

bool LineReader::hung_up() {
  pollfd in{STDIN_FILENO, POLLRDHUP, 0};
  return poll(&in, 1, 0) > 0;
}

}  // namespace cli
