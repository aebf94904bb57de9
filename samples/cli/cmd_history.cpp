// wherry history: what was said with a contact.
#include <iostream>
#include <memory>

#include "commands.h"
#include "enum_names.h"
#include "people.h"
#include "text.h"

namespace cli {
namespace {

struct HistoryOptions {
  std::string with;
  unsigned limit = 50;
  std::uint64_t before = 0;
};

void show(const wherry_message& message, const std::string& name) {
  const bool mine = message.author == 0;
  std::cout << local_time(mine ? message.sent_ms : message.received_ms) << "  "
            << (mine ? "me" : name) << ": " << body_text(message.content, wherry::body(message));
  if (mine && message.evidence != WHERRY_EVIDENCE_DELIVERED) {
    std::cout << "  (" << evidence_name(message.evidence) << ")";
  }
  std::cout << "\n";
}

void history(const App& app, const HistoryOptions& options) {
  const wherry::Profile profile = open_profile(app);
  const Person person = find_person(profile, options.with);
  const auto page =
      profile.history(person.conversation, options.before, WHERRY_DIRECTION_OLDER, options.limit);
  if (app.json) {
    std::cout << page.json() << "\n";
    return;
  }
  for (const wherry_message& message : page) show(message, person.shown);
}

}  // namespace

void add_history(CLI::App& parent, App& app) {
  CLI::App* command = add_command(parent, app, "history", "Show what was said with a contact",
                                  "  wherry history Alice --limit 10\n"
                                  "  wherry history Alice --json");
  auto options = std::make_shared<HistoryOptions>();
  command->add_option("with", options->with, "A contact's name or number")->required();
  command->add_option("--limit", options->limit, "How many messages at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--before", options->before, "Only what is older than this message's number")
      ->type_name("MESSAGE");
  command->callback([&app, options] { history(app, *options); });
}

}  // namespace cli
