// What an app may ask for, as steps of a turn. A command that fails has changed nothing.
#ifndef WHERRY_ENGINE_COMMANDS_H
#define WHERRY_ENGINE_COMMANDS_H

#include "engine/engine.h"

namespace wherry::engine {

Result<uint64_t> add_transport(Turn& turn, const plugin::PluginSet& plugins,
                               const std::string& name, const plugin::Settings& settings);
Status set_transport(Turn& turn, const plugin::PluginSet& plugins, uint64_t transport,
                     const plugin::Settings& changes);
Status run_transport(Turn& turn, uint64_t transport, bool started);

Result<uint64_t> add_by_card(Turn& turn, const std::string& text,
                             const std::optional<std::string>& name);
Status accept_contact(Turn& turn, uint64_t contact, const std::optional<std::string>& name);

Result<uint64_t> add_message(Turn& turn, const Engine::Outbound& message);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_COMMANDS_H
