// The checks.
#include "tests/sim/invariants.h"

#include <algorithm>

#include "base/limits.h"
#include "policy/permits.h"
#include "policy/reveals.h"
#include "store/meta.h"
#include "tests/sim/plan.h"

namespace wherry::sim {
namespace {

using test::World;

std::vector<store::MessageRow> rows(World& world, int who, int other) {
  return store::history(world.database(who), world.conversation(who, other), 0, false, UINT32_MAX);
}

std::string pair_name(int who, int other) {
  return name_of(who) + " and " + name_of(other);
}

void check_contact(World& world, const std::string& name, engine::Turn& turn,
                   const engine::Contact& contact) {
  const auto expect = [&](bool holds, const char* invariant, const std::string& what) {
    if (!holds) world.violation(invariant, name + ": " + what);
  };
  expect(contact.outbox.window_messages <= limits::kWindowMessages, "limits",
         "messages of the window");
  expect(contact.outbox.window_bytes <= limits::kWindowBytes, "limits", "bytes of the window");
  expect(contact.streams.size() <= limits::kStreamsPerContact, "limits", "streams");
  // But for a few with control members.
  expect(contact.outbox.copies.size() <= limits::kWindowEnvelopes + 16, "limits", "sealed copies");
  for (const engine::IncomingStream& stream : contact.streams) {
    const auto& beyond = stream.stream.beyond;
    expect(beyond.empty() || beyond.back().to < stream.stream.next + limits::kReceiveAhead,
           "limits", "messages before their turn");
  }
  const engine::Outbox& outbox = contact.outbox;
  const engine::Outbox stored =
      engine::read_outbox(turn.db, contact.row.id, contact.conversation.next_seq);
  expect(outbox.waiting == stored.waiting, "cache", "messages that wait");
  expect(outbox.unsealed_from <= stored.unsealed_from, "cache", "where to look for those");
  expect(outbox.copies.size() == stored.copies.size(), "cache", "sealed copies");
  expect(outbox.window_messages == stored.window_messages, "cache", "messages of the window");
  expect(outbox.window_bytes == stored.window_bytes, "cache", "bytes of the window");
  expect(outbox.beyond_gap_messages == stored.beyond_gap_messages, "cache", "beyond a gap");
  expect(outbox.beyond_gap_bytes == stored.beyond_gap_bytes, "cache", "bytes beyond a gap");
  expect(outbox.waiting + outbox.window_messages + outbox.beyond_gap_messages ==
             store::outbox_count(turn.db, contact.row.id),
         "cache", "the outbox");
}

void check_session(World& world, const std::string& name, engine::Turn& turn,
                   const engine::Session& session) {
  const session::Ratchet& ratchet = session.ratchet;
  const auto expect = [&](bool holds, const char* invariant, const char* what) {
    if (!holds) world.violation(invariant, name + ": " + what);
  };
  uint64_t skipped = 0;
  uint64_t kept = 0;
  for (const store::RatchetKeyRow& row : store::ratchet_keys(turn.db, session.id)) {
    ++kept;
    skipped += row.used ? 0 : 1;
  }
  const uint64_t end = ratchet.next_receive_g();
  const uint64_t wanted = end > ratchet.peer_floor ? end - ratchet.peer_floor : 0;
  expect(kept == wanted, "keys", "not every number above the floor has a key or a mark");
  expect(skipped == ratchet.skipped, "keys", "the count of skipped keys");
  expect(skipped <= limits::kKeysKeptMax, "limits", "skipped keys");
  expect(ratchet.unsettled() <= limits::kUnsettledMax, "limits", "unsettled numbers");
}

// The message that an author's history and the other's have in common must be in the same order.
void check_order(World& world, int author, int reader, const Forgotten& forgotten) {
  std::vector<store::MessageRow> said;
  for (store::MessageRow& row : rows(world, author, reader)) {
    if (row.author == 0) said.push_back(std::move(row));
  }
  std::ranges::sort(said, {}, &store::MessageRow::id);
  std::vector<store::MessageRow> heard;
  for (store::MessageRow& row : rows(world, reader, author)) {
    if (row.author != 0) heard.push_back(std::move(row));
  }
  std::ranges::sort(heard, {}, &store::MessageRow::id);

  std::map<Id128, size_t> places;
  for (size_t i = 0; i < heard.size(); ++i) places.emplace(heard[i].mid, i);
  size_t last = 0;
  for (const store::MessageRow& row : said) {
    const auto place = places.find(row.mid);
    const std::string text(as_text(row.body).substr(0, 24));
    if (place == places.end()) {
      if (!forgotten.may_lack(reader, author, row.mid)) {
        world.violation("delivery", name_of(reader) + " never got '" + text + "'");
      }
      continue;
    }
    // Who runs from an old disk seals a few under used numbers: they are said again after the
    // reset.
    if (place->second < last && !world.restored(author)) {
      world.violation("order", name_of(reader) + " got '" + text + "' late");
    }
    last = place->second;
  }
  if (world.restored(author) || world.restored(reader)) return;
  if (heard.size() != said.size()) {
    world.violation("delivery", name_of(reader) + " got " + std::to_string(heard.size()) + " of " +
                                    std::to_string(said.size()) + " of " + name_of(author));
  }
  // To the app, not only to the store.
  std::vector<std::string> texts;
  for (const store::MessageRow& row : said) texts.emplace_back(as_text(row.body));
  if (world.received(reader, author) != texts) {
    world.violation("order", name_of(reader) + "'s app was not told all of " + name_of(author) +
                                 "'s messages in order");
  }
  for (const store::MessageRow& row : said) {
    if (row.evidence != WHERRY_EVIDENCE_DELIVERED) {
      world.violation("evidence", name_of(author) + " does not know that all was delivered");
      break;
    }
  }
}

void check_refs(World& world, const Apps& apps, int author, int other) {
  std::map<std::string, int> counts;
  for (const store::MessageRow& row : rows(world, author, other)) {
    if (row.author == 0) ++counts[std::string(as_text(row.body))];
  }
  for (const std::string& text : apps.said(author, other)) {
    const int count = counts[text];
    if (count > 1 || (count == 0 && !world.restored(author))) {
      world.violation("ref", name_of(author) + "'s history has '" + text.substr(0, 24) + "' " +
                                 std::to_string(count) + " times");
    }
  }
}

void check_history(World& world, int one, int other, const Boasts& boasts) {
  if (boasts.contains({one, other}) || world.restored(one) || world.restored(other)) return;
  const std::vector<store::MessageRow> mine = rows(world, one, other);
  for (const store::MessageRow& row : mine) {
    if (row.clock > mine.size() + 1) {
      world.violation("clock", pair_name(one, other) + ": a clock runs ahead of the conversation");
      break;
    }
  }
  if (other < one || boasts.contains({other, one})) return;
  const std::vector<store::MessageRow> theirs = rows(world, other, one);
  const bool equal =
      std::ranges::equal(mine, theirs, {}, &store::MessageRow::mid, &store::MessageRow::mid);
  if (!equal) world.violation("history", pair_name(one, other) + " see another order");
}

// What the relay learns of whoever is online there.
bool relay_permitted(const wherry_reveals& permits) {
  return (permits.facts[WHERRY_OBSERVER_HOME_OPERATOR] & WHERRY_FACT_MY_IP) != 0;
}

// What was permitted before still is for the last word on it.
bool relay_left(const store::ConversationRow& conversation) {
  return !relay_permitted(conversation.permits) &&
         !(conversation.leaving && relay_permitted(conversation.leaving->before));
}

bool is_last_word(store::Connection& db, uint64_t contact, ByteView envelope) {
  return std::ranges::any_of(store::sealed_of(db, contact), [&](const store::SealedRow& copy) {
    if (!copy.control || copy.first_seq != 0) return false;
    const std::optional<Bytes> sealed = store::sealed_envelope(db, copy.id);
    return sealed && equal(*sealed, envelope);
  });
}

// With the profile's permits among its own.
store::ConversationRow conversation_row(store::Connection& db, uint64_t id) {
  store::ConversationRow row = store::conversations(db, id - 1, 1).front();
  if (const auto bytes = store::meta_get(db, engine::kProfilePermits)) {
    if (const auto profile = policy::from_bytes(*bytes)) {
      row.permits = policy::intersect(row.permits, *profile);
    }
  }
  return row;
}

}  // namespace

void check_departure(World& world, int who, const std::string& endpoint, ByteView envelope) {
  store::Connection& db = world.database(who);
  for (const store::ContactRow& contact : store::contacts(db, 0, UINT32_MAX)) {
    const auto theirs = message::Endpoints::from_bytes(contact.endpoints);
    const bool to_them =
        theirs &&
        std::ranges::find(theirs->list, endpoint, &message::Endpoint::text) != theirs->list.end();
    if (!to_them || !endpoint.starts_with(test::FakeNet::scheme(test::FakeKind::kStored))) continue;
    const store::ConversationRow conversation = conversation_row(db, contact.conversation);
    if (relay_left(conversation) ||
        (!relay_permitted(conversation.permits) && !is_last_word(db, contact.id, envelope))) {
      world.violation("permits", name_of(who) + " sends what they do not permit");
    }
    // In the other's words: my home operator is their far one, my address the other's.
    if (theirs->permits &&
        ((*theirs->permits)[WHERRY_OBSERVER_FAR_OPERATOR] & WHERRY_FACT_OTHER_IP) == 0) {
      world.violation("permits", name_of(who) + " sends what the other does not permit");
    }
  }
}

void check_listening(World& world, int who) {
  store::Connection& db = world.database(who);
  for (const store::InboxRow& inbox : store::inboxes(db)) {
    if (inbox.kind != store::InboxKind::kContact || !world.net().read_at(inbox.endpoint)) continue;
    for (const store::ContactRow& contact : store::contacts(db, inbox.owner - 1, 1)) {
      if (!relay_left(conversation_row(db, contact.conversation))) continue;
      world.violation("permits", name_of(who) + " listens where they do not permit it");
    }
  }
}

void check_leaving(World& world, int who, int other) {
  const auto uses_relay = [&](int one, int another) {
    return std::ranges::any_of(store::inboxes(world.database(one)), [&](const auto& inbox) {
      return inbox.kind == store::InboxKind::kContact &&
             inbox.owner == world.contact(one, another) &&
             inbox.endpoint.starts_with(test::FakeNet::scheme(test::FakeKind::kStored));
    });
  };
  if (!uses_relay(who, other) || !uses_relay(other, who)) {
    world.violation("left", "they were to be at the relay");
  }
  if (!conversation_row(world.database(who), world.conversation(who, other)).leaving) {
    world.violation("left", name_of(who) + " leaves without a word");
  }
}

void check_left(World& world, int who, int other) {
  store::Connection& db = world.database(who);
  if (conversation_row(db, world.conversation(who, other)).leaving) {
    world.violation("left", name_of(who) + " never left the relay that they do not permit");
  }
  for (const store::InboxRow& inbox : store::inboxes(db)) {
    if (inbox.kind == store::InboxKind::kContact && inbox.owner == world.contact(who, other) &&
        world.net().read_at(inbox.endpoint)) {
      world.violation("left", name_of(who) + " listens at the relay that was left");
    }
  }
}

void check_told(World& world, int who, int other) {
  const uint64_t contact = world.contact(other, who);
  for (const store::ContactRow& row : store::contacts(world.database(other), contact - 1, 1)) {
    const auto theirs = message::Endpoints::from_bytes(row.endpoints);
    const bool told = theirs && theirs->permits && (*theirs->permits)[WHERRY_OBSERVER_PUSH] == 0;
    if (!told)
      world.violation("permits", name_of(other) + " was not told of " + name_of(who) + "'s");
  }
}

void check_state(World& world, int who, engine::Turn& turn) {
  const std::string name = name_of(who);
  for (const auto& [id, contact] : turn.profile.contacts) {
    check_contact(world, name, turn, *contact);
  }
  for (const auto& [id, session] : turn.profile.sessions) {
    check_session(world, name, turn, *session);
  }
  for (const auto& [id, network] : turn.runtime.networks) {
    if (network->flights.size() > limits::kInFlight || network->handed.size() > limits::kInFlight) {
      world.violation("limits", name + ": envelopes under way");
    }
  }
}

void Forgotten::note(World& world, int who) {
  for (int author = 0; author < static_cast<int>(world.people()); ++author) {
    if (author == who) continue;
    if (world.running(who)) {
      for (const store::MessageRow& row : rows(world, who, author)) {
        if (row.author != 0) messages_[{who, author}].insert(row.mid);
      }
    } else if (world.running(author)) {
      note_author(world, who, author);
    } else {
      unknown_.emplace(who, author);
    }
  }
}

void Forgotten::opened(World& world, int author) {
  for (int who = 0; who < static_cast<int>(world.people()); ++who) {
    if (unknown_.erase({who, author}) != 0) note_author(world, who, author);
  }
}

void Forgotten::note_author(World& world, int who, int author) {
  for (const store::MessageRow& row : rows(world, author, who)) {
    if (row.author == 0 && row.evidence == WHERRY_EVIDENCE_DELIVERED) {
      messages_[{who, author}].insert(row.mid);
    }
  }
}

bool Forgotten::may_lack(int who, int author, const Id128& message) const {
  const auto found = messages_.find({who, author});
  return found != messages_.end() && found->second.contains(message);
}

void check_rest(World& world, const Apps& apps, const Forgotten& forgotten, const Boasts& boasts) {
  const int people = static_cast<int>(world.people());
  for (int one = 0; one < people; ++one) {
    for (int other = 0; other < people; ++other) {
      if (one == other) continue;
      check_order(world, one, other, forgotten);
      check_refs(world, apps, one, other);
      check_history(world, one, other, boasts);
    }
  }
}

}  // namespace wherry::sim
