// wherry: a messenger for the command line, and over `wherry pipe` for programs in any language.
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "enum_names.h"

namespace {

constexpr const char* exit_codes =
    "\nExit codes: 0 done; 1 wrong arguments; 2 the environment (disk, passphrase, network, "
    "another "
    "process);\n3 safe on disk, but what was waited for did not come in time; 4 a card is no good.";

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
  CLI::App parser("Messages with end-to-end encryption, over networks of your choice.", "wherry");
  parser.set_version_flag("--version", std::string("wherry ") + wherry_version());
  parser.footer(exit_codes);
  parser.require_subcommand(1);
  cli::add_init(parser, app);
  cli::add_card(parser, app);
  cli::add_contact_commands(parser, app);
  cli::add_send(parser, app);
  cli::add_listen(parser, app);
  cli::add_history(parser, app);
  cli::add_transports(parser, app);
  cli::add_pipe(parser, app);
  try {
    parser.parse(argc, argv);
    return app.exit_code;
  } catch (const CLI::ParseError& error) {
    return parser.exit(error) == 0 ? cli::exit_ok : cli::exit_usage;
  } catch (const cli::Failure& failure) {
    return fail(app, failure.code(), failure.what(), nlohmann::ordered_json::object());
  } catch (const wherry::Error& error) {
    return fail(app, cli::exit_code_of(error), error.what(),
                {{"status", error.status()}, {"name", cli::status_name(error.status())}});
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that went away is an error of writing, not the end of the program in mid-commit.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "wherry: " << error.what() << "\n";
    return cli::exit_environment;
  }
}
