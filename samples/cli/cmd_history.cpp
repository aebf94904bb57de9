// wherry history: what was said with a contact.
#include <iostream>

#include "commands.h"
#include "enum_names.h"
#include "people.h"
#include "text.h"

namespace cli {
namespace {

void show(const wherry_message& message, const std::string& name) {
  const bool mine = message.author == 0;
  std::cout << local_time(mine ? message.sent_ms : message.received_ms) << "  "
            << (mine ? "me" : name) << ": " << body_text(message.content, wherry::body(message));
  if (mine && message.evidence != WHERRY_EVIDENCE_DELIVERED) {
    std::cout << "  (" << evidence_name(message.evidence) << ")";
  }
  std::cout << "\n";
}

}  // namespace

void show_history(const App& app, const HistoryOptions& options) {
  const wherry::Profile profile = open_profile(app, Networks::off);
  const Person person = find_person(profile, options.with);
  const auto page =
      profile.history(person.conversation, options.before, WHERRY_DIRECTION_OLDER, options.limit);
  if (app.json) {
    std::cout << page.json() << "\n";
    return;
  }
  for (const wherry_message& message : page) show(message, person.shown);
}

}  // namespace cli
