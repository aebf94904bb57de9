// Ctrl-C and SIGTERM, noted instead of killing the program, so that it closes its profile.
#pragma once

namespace cli {

// Takes over SIGINT and SIGTERM for the rest of the program; one at a time.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  // As if one had come. From any thread.
  void request();

  // Whether one has come.
  bool requested() const;

  // Waits until the descriptor can be read (true), or a signal or the time-out (ms, negative: none)
  // came (false).
  bool wait_readable(int descriptor, int timeout_ms) const;
};

}  // namespace cli
