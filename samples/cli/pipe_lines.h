// What a client of `wherry pipe` says, line by line.
#pragma once

#include <cstddef>
#include <string>

#include "interrupt.h"

namespace cli {

// Reads standard input line by line.
class LineReader {
 public:
  // The longest line that is taken, in bytes without its end.
  static constexpr std::size_t line_size_max = 1 << 20;

  enum class Result { line, too_long, end };

  explicit LineReader(const Interrupt& interrupt) : interrupt_(interrupt) {}

  // The next line, without its end. A line that is too long is read over, in bounded memory. The
  // last line needs no line break. The end comes with the input's, or with a signal.
  Result next(std::string& line);

  // Whether the client will write no more. True also while something is left to be read.
  static bool hung_up();

 private:
  // What stands after the last line break, once there is no more to read.
  Result last(std::string& line, bool too_long);
  bool fill();

  const Interrupt& interrupt_;
  std::string buffer_;
  std::size_t searched_ = 0;  // up to here there is no line break in buffer_
};

}  // namespace cli
