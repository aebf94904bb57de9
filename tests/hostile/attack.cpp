// What holds after every attack.
#include "attack.h"

#include "base/limits.h"
#include "engine/commands.h"

namespace wherry::test {
namespace {

constexpr int64_t kSettle_ms = 60'000;
// Retries, housekeeping, what a timer owes: nothing that comes every second.
constexpr uint64_t kTurnsAtRest = 60;

}  // namespace

Attack::Attack()
    : more(&world.add_net(FakeKind::kDirect)),
      ann(world.add("ann")),
      bob(world.add("bob")),
      mallory(world, "mallory") {
  world.connect(bob, ann);
  world.run_for(2'000);
}

void Attack::TearDown() {
  if (talks) expect_heard("still here");
  Texts to_bob;
  for (const std::string& text : numbered("after ", 5)) {
    world.submit(ann, bob, text);
    world.submit(bob, ann, text);
    to_ann_.push_back(text);
    to_bob.push_back(text);
    world.run_for(300);
  }
  EXPECT_TRUE(world.until([&] { return world.outbox(ann, bob) + world.outbox(bob, ann) == 0; },
                          kSettle_ms));
  EXPECT_EQ(world.received(ann, bob), to_ann_);
  EXPECT_EQ(world.received(bob, ann), to_bob);
  EXPECT_EQ(world.violations(), Texts());

  EXPECT_LE(number("SELECT count(*) FROM contact"), limits::kRequestsMax + 2);
  // One to send in, one that is unanswered, and the superseded ones.
  EXPECT_LE(
      number("SELECT ifnull(max(n), 0) FROM (SELECT count(*) n FROM session GROUP BY contact)"),
      6u);
  EXPECT_LE(
      number("SELECT ifnull(max(n), 0) FROM (SELECT count(*) n FROM ratchet_key GROUP BY session)"),
      limits::kKeysKeptMax);
  EXPECT_LE(
      number("SELECT ifnull(max(n), 0) FROM (SELECT count(*) n FROM stream GROUP BY conversation)"),
      limits::kStreamsPerContact);
  EXPECT_LE(
      number("SELECT ifnull(max(n), 0) FROM (SELECT count(*) n FROM sealed GROUP BY contact)"),
      limits::kWindowMessages + 2);

  world.run_for(10 * kMinute);
  const uint64_t before = world.turns(ann);
  world.run_for(10 * kMinute);
  EXPECT_LE(world.turns(ann) - before, kTurnsAtRest);
}

void Attack::meet() {
  mallory.take_card(world.card(ann));
  message::Payload first = mallory.say("hello");
  first.endpoints = mallory.endpoints();
  mallory.greet(first);
  ASSERT_TRUE(world.until([&] { return contact() != 0; }, kSettle_ms));
  ASSERT_TRUE(accept());
  world.run_for(1'000);
  ASSERT_TRUE(mallory.offer());
  mallory.offer_reset();
  world.run_for(1'000);
  mallory.listen();
  talks = true;
}

void Attack::add_mallory() {
  ASSERT_TRUE(world.add_by_card(ann, mallory.card_text()));
  write("first");
}

Status Attack::accept() {
  return world.run(ann, [id = contact()](engine::Turn& turn) {
    return engine::accept_contact(turn, id, std::nullopt);
  });
}

void Attack::expect_heard(const std::string& text) {
  mallory.listen();
  mallory.send(mallory.say(text));
  world.run_for(500);
  mallory.listen();
  ASSERT_FALSE(from_mallory().empty());
  EXPECT_EQ(from_mallory().back(), text);
}

void Attack::expect_bob_is_heard() {
  to_ann_.emplace_back("in between");
  world.submit(bob, ann, to_ann_.back());
  world.run_for(1'000);
  EXPECT_EQ(world.received(ann, bob), to_ann_);
}

uint64_t Attack::contact() const {
  for (const store::ContactRow& row : store::contacts(world.database(ann), 0, UINT32_MAX)) {
    if (row.identity == mallory.identity.public_key().bytes) return row.id;
  }
  return 0;
}

void Attack::at_ann(const std::function<void(engine::Turn&, engine::Contact&)>& look) {
  ASSERT_TRUE(world.run(ann, [&, id = contact()](engine::Turn& turn) -> Status {
    look(turn, *turn.profile.contact(id));
    return {};
  }));
}

void Attack::write(const std::string& text) {
  at_ann([&](engine::Turn& turn, engine::Contact& contact) {
    const ByteView body = as_bytes(text);
    EXPECT_TRUE(engine::add_message(turn, {contact.conversation.id, std::nullopt,
                                           WHERRY_CONTENT_TEXT, Bytes(body.begin(), body.end())}));
  });
}

Texts Attack::from_mallory() const {
  const auto& texts = world.ledger(ann).received;
  const auto found = texts.find(mallory.identity.public_key().bytes);
  return found == texts.end() ? Texts() : found->second;
}

Texts Attack::history() const {
  Texts texts;
  for (const store::ContactRow& row : store::contacts(world.database(ann), contact() - 1, 1)) {
    for (const store::MessageRow& message :
         store::history(world.database(ann), row.conversation, 0, false, UINT32_MAX)) {
      texts.emplace_back(as_text(message.body));
    }
  }
  return texts;
}

int32_t Attack::waiting() const {
  const uint64_t id = contact();
  for (const store::ConversationRow& row :
       store::conversations(world.database(ann), 0, UINT32_MAX)) {
    if (row.contact == id) return row.waiting;
  }
  return -1;
}

uint64_t Attack::number(const char* sql) const {
  store::Query query = world.database(ann).query(sql);
  return query.next() ? query.number(0) : UINT64_MAX;
}

std::vector<uint64_t> Attack::kept() const {
  return {number("SELECT count(*) FROM contact"),     number("SELECT count(*) FROM session"),
          number("SELECT count(*) FROM seen"),        number("SELECT count(*) FROM stream"),
          number("SELECT count(*) FROM early"),       number("SELECT count(*) FROM message"),
          number("SELECT count(*) FROM ratchet_key"), number("SELECT count(*) FROM inbox")};
}

}  // namespace wherry::test
