// wherry: a messenger for the command line, and over `wherry pipe` for programs in any language.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app.h"
#include "command_line.h"
#include "enum_names.h"

namespace {

int fail(const cli::App& app, int code, const std::string& text, nlohmann::ordered_json details) {
  if (app.json) {
    details["exit_code"] = code;
    details["text"] = text;
    std::cerr << nlohmann::ordered_json{{"error", details}}.dump(
                     -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
              << "\n";
  } else {
    std::cerr << "wherry: " << text << "\n";
  }
  return code;
}

bool is_closed(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF;
}

// A file of the profile must not be opened in the place of one that was closed: what is written
// there would go into it.
bool keep_places() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (is_closed(descriptor) && ::open("/dev/null", O_RDWR) != descriptor) return false;
  }
  return true;
}

int run(int argc, char** argv, bool has_output) {
  cli::App app;
  try {
    // Before anything is done that nobody would hear of, and do again.
    if (!has_output) {
      throw cli::Failure(cli::exit_environment,
                         "standard output is closed and can not be written to: nothing was done");
    }
    const int code = cli::run_command_line(argc, argv, app);
    std::cout.flush();
    if (!std::cout)
      throw cli::Failure(cli::exit_environment, "standard output can not be written to");
    return code;
  } catch (const cli::Failure& failure) {
    return fail(app, failure.code(), failure.what(), nlohmann::ordered_json::object());
  } catch (const wherry::Error& error) {
    return fail(app, cli::exit_code_of(error), error.what(),
                {{"status", error.status()}, {"name", cli::status_name(error.status())}});
  }
}

}  // namespace

int main(int argc, char** argv) {
  // What went wrong is told in this program's own words, unless somebody asks for gRPC's too.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  // A reader that went away is an error of writing, not the end of the program in mid-commit.
  std::signal(SIGPIPE, SIG_IGN);
  const bool has_output = !is_closed(STDOUT_FILENO);
  if (!keep_places()) return cli::exit_environment;
  try {
    return run(argc, argv, has_output);
  } catch (const std::exception& error) {
    std::cerr << "wherry: " << error.what() << "\n";
    return cli::exit_environment;
  }
}
