// Where the passphrase comes from; see passphrase.h.
#include "passphrase.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <utility>

#include "app.h"
#include "interrupt.h"

namespace cli {
namespace {

constexpr std::size_t passphrase_size_max = 1024;

// The terminal, without echo while this lives.
class QuietTerminal {
 public:
  QuietTerminal() : descriptor_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (descriptor_ < 0 || tcgetattr(descriptor_, &before_) != 0) {
      if (descriptor_ >= 0) close(descriptor_);
      throw Failure(exit_environment,
                    "there is no terminal to ask for the passphrase: give --passphrase-file FILE "
                    "or set WHERRY_PASSPHRASE");
    }
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(descriptor_, TCSAFLUSH, &quiet);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  ~QuietTerminal() {
    tcsetattr(descriptor_, TCSAFLUSH, &before_);
    close(descriptor_);
  }

  Passphrase ask(const std::string& prompt) const {
    say(prompt);
    std::string text;
    char c = 0;
    while (read(descriptor_, &c, 1) == 1 && c != '\n') {
      if (text.size() < passphrase_size_max) text += c;
    }
    say("\n");
    if (interrupt_.requested()) throw Failure(exit_environment, "interrupted");
    return Passphrase(std::move(text));
  }

 private:
  void say(const std::string& text) const {
    if (write(descriptor_, text.data(), text.size()) < 0) {
      throw Failure(exit_environment, "the terminal can not be written to");
    }
  }

  // So that Ctrl-C at the prompt does not leave the terminal without echo.
  Interrupt interrupt_;
  int descriptor_;
  termios before_{};
};

Passphrase from_file(const std::string& name) {
  std::ifstream file(name);
  std::string line;
  if (!std::getline(file, line)) {
    throw Failure(exit_environment, "no passphrase could be read from " + name);
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return Passphrase(std::move(line));
}

}  // namespace

Passphrase::Passphrase(Passphrase&& other) noexcept : text_(other.text_) {
  explicit_bzero(other.text_.data(), other.text_.size());
  other.text_.clear();
}

Passphrase::~Passphrase() {
  explicit_bzero(text_.data(), text_.size());
}

Passphrase get_passphrase(const std::string& file, bool is_new) {
  if (!file.empty()) return from_file(file);
  if (const char* text = std::getenv("WHERRY_PASSPHRASE"); text != nullptr) {
    if (*text == 0) throw Failure(exit_environment, "WHERRY_PASSPHRASE is empty");
    return Passphrase(text);
  }
  const QuietTerminal terminal;
  if (!is_new) return terminal.ask("Passphrase: ");
  Passphrase first = terminal.ask("New passphrase: ");
  const Passphrase second = terminal.ask("The same again: ");
  if (first.text() != second.text()) throw Failure(exit_environment, "the two passphrases differ");
  return first;
}

}  // namespace cli
