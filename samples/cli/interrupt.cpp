// Signals as a readable pipe; see interrupt.h.
#include "interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace cli {
namespace {

// A handler has no other way to its data.
std::atomic<int> write_end{-1};
std::atomic<int> read_end{-1};
std::atomic<bool> came{false};

extern "C" void note_signal(int) {
  const int saved = errno;
  came = true;
  const char byte = 0;
  if (write(write_end, &byte, 1) < 0) {
    // The pipe is full: it is readable already, which is all that is wanted.
  }
  errno = saved;
}

}  // namespace

Interrupt::Interrupt() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  read_end = ends[0];
  write_end = ends[1];
  struct sigaction action{};
  action.sa_handler = note_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

Interrupt::~Interrupt() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  close(read_end.exchange(-1));
  close(write_end.exchange(-1));
}

void Interrupt::request() {
  note_signal(0);
}

bool Interrupt::requested() const {
  return came;
}

bool Interrupt::wait_readable(int descriptor, int timeout_ms) const {
  std::array<pollfd, 2> waited = {pollfd{descriptor, POLLIN, 0}, pollfd{read_end, POLLIN, 0}};
  if (poll(waited.data(), waited.size(), timeout_ms) <= 0) return false;
  return waited[0].revents != 0 && !came;
}

}  // namespace cli
