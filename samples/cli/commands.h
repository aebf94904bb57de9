// The commands of `wherry`; each adds itself to the command line.
#pragma once

#include "app.h"

namespace cli {

void add_init(CLI::App& parent, App& app);
void add_card(CLI::App& parent, App& app);
void add_contact_commands(CLI::App& parent, App& app);  // add, accept, contacts
void add_send(CLI::App& parent, App& app);
void add_listen(CLI::App& parent, App& app);
void add_history(CLI::App& parent, App& app);
void add_transports(CLI::App& parent, App& app);
void add_pipe(CLI::App& parent, App& app);

}  // namespace cli
