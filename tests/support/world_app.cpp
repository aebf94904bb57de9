// A person's app: it takes events, writes them down, acknowledges them.
#include "engine/commands.h"
#include "tests/support/world_person.h"

namespace wherry::test {

void World::take_events(Person& person) {
  if (!person.taken.empty() || person.suspended) return;
  for (Result<engine::Event> event = person.feed->next(0); event; event = person.feed->next(0)) {
    person.taken.push_back(event.take());
    if (person.app_delay_ms != 0 && person.taken.size() >= kAppBatch) break;
  }
  if (person.taken.empty()) return;
  if (person.app_delay_ms == 0) {
    write_down(person);
    return;
  }
  clock_.schedule_in(person.app_delay_ms, [this, &person, life = person.life] {
    if (person.life != life) return;
    write_down(person);
    take_events(person);
  });
}

void World::write_down(Person& person) {
  uint64_t given = 0;
  for (const engine::Event& event : person.taken) {
    note(person, event);
    given = std::max(given, event.row.seq);
  }
  person.taken.clear();
  if (given == 0 || !person.acknowledge) return;
  person.core->inputs().push(engine::Command{[given](engine::Turn& turn) -> Status {
                                               store::events_acknowledge(turn.db, given);
                                               return {};
                                             },
                                             [](const Status&) {}});
}

void World::note(Person& person, const engine::Event& event) {
  Ledger& ledger = person.ledger;
  const store::EventRow& row = event.row;
  if (row.seq != 0) {
    const std::string text = std::to_string(row.type) + "/" + std::to_string(row.message) + "/" +
                             std::to_string(row.value) + "/" + std::to_string(row.reason);
    const auto [known, fresh] = ledger.by_seq.emplace(row.seq, text);
    if (!fresh && known->second != text) violation("replay", person.name + ": an event changed");
    if (!fresh) return;
  }
  ledger.events.push_back(event);
  if (row.type == WHERRY_EVENT_EVIDENCE) {
    int32_t& evidence = ledger.evidence[row.message];
    if (row.value <= evidence) violation("evidence", person.name + ": evidence did not rise");
    evidence = static_cast<int32_t>(row.value);
  }
  if (row.type != WHERRY_EVENT_MESSAGE || !event.message) return;
  if (!ledger.message_ids.insert(event.message->mid).second) {
    violation("once", person.name + " was told of a message twice");
  }
  const std::vector<store::ContactRow> author = store::contacts(*person.reader, row.contact - 1, 1);
  if (author.size() != 1 || author.front().id != row.contact) {
    violation("author", person.name + " was told of a message without an author");
    return;
  }
  ledger.received[author.front().identity].emplace_back(as_text(event.message->body));
}

}  // namespace wherry::test
