// wherry: a messenger for the command line, and over `wherry pipe` for programs in any language.
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

int run(int argc, char** argv) {
  cli::App app;
  try {
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
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "wherry: " << error.what() << "\n";
    return cli::exit_environment;
  }
}
