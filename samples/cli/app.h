// What all commands share: options, exit codes, the profile they work on.
#pragma once

#include <stdexcept>
#include <string>

#include "passphrase.h"
#include "wherry/wherry.hpp"

namespace cli {

// Exit codes, as `wherry --help` lists them.
constexpr int exit_ok = 0;
constexpr int exit_usage = 1;        // wrong arguments or names
constexpr int exit_environment = 2;  // disk, passphrase, another process, network
constexpr int exit_not_yet = 3;      // what was waited for did not come in time
constexpr int exit_peer = 4;         // a card or the like from another person is no good

// Ends the program with a line on standard error and an exit code.
class Failure : public std::runtime_error {
 public:
  Failure(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

// The options that every command has, and how the program will end.
struct App {
  std::string profile;  // a directory; empty: the default one
  std::string passphrase_file;
  bool json = false;
  int exit_code = exit_ok;
};

// What a command needs of the networks. One that only looks at the disk reveals nothing to them.
enum class Networks { on, off };

std::string profile_directory(const App& app);
wherry::Profile open_profile(const App& app, Networks networks = Networks::on);
// For who opens it twice, and is asked once.
wherry::Profile open_profile(const App& app, Networks networks, const Passphrase& passphrase);
wherry::Profile create_profile(const App& app);

// The exit code for an error of the library.
int exit_code_of(const wherry::Error& error);

}  // namespace cli
