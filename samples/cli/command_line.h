// The command line of `wherry`: its commands, their options and their help.
#pragma once

namespace cli {

struct App;

// Runs the command that the arguments name, with the options that all share put into `app`. Returns
// the exit code, also for wrong arguments, which it has reported. Throws what the command throws.
int run_command_line(int argc, char** argv, App& app);

}  // namespace cli
