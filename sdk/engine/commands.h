// What an app may ask for of transports, contacts and messages, as steps of a turn; routes are in
// moving.h, permits in leaving.h, cards in cards.h, explanations in explaining.h. A command that
// fails has changed nothing.
#ifndef WHERRY_ENGINE_COMMANDS_H
#define WHERRY_ENGINE_COMMANDS_H

#include "engine/turn.h"

namespace wherry::engine {

Result<uint64_t> add_transport(Turn& turn, const plugin::PluginSet& plugins,
                               const std::string& name, const plugin::Settings& settings);
Status set_transport(Turn& turn, const plugin::PluginSet& plugins, uint64_t transport,
                     const plugin::Settings& changes);
Status run_transport(Turn& turn, uint64_t transport, bool started);

Result<uint64_t> add_by_card(Turn& turn, const std::string& text,
                             const std::optional<std::string>& name);
Status accept_contact(Turn& turn, uint64_t contact, const std::optional<std::string>& name);

struct Outbound {
  uint64_t conversation = 0;
  std::optional<Id128> ref;
  int32_t content = WHERRY_CONTENT_TEXT;
  Bytes body;
};
Result<uint64_t> add_message(Turn& turn, const Outbound& message);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_COMMANDS_H
