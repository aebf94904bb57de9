// The profile's passphrase: from a file, the environment or a prompt.
#pragma once

#include <string>

namespace cli {

// Text that is wiped from memory when it is no longer needed.
class Passphrase {
 public:
  explicit Passphrase(std::string text) : text_(std::move(text)) {}
  Passphrase(Passphrase&& other) noexcept;
  Passphrase(const Passphrase&) = delete;
  Passphrase& operator=(const Passphrase&) = delete;
  Passphrase& operator=(Passphrase&&) = delete;
  ~Passphrase();

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// From the file if one is named ("" otherwise), else $WHERRY_PASSPHRASE, else a prompt without echo
// on the terminal. A new one is asked for twice. Throws a Failure when there is none.
Passphrase get_passphrase(const std::string& file, bool is_new);

}  // namespace cli
