// People, their engines' turns on the virtual clock, and their apps.
#include "tests/support/world.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "crypto/hash.h"
#include "crypto/init.h"
#include "engine/cards.h"
#include "engine/running.h"

namespace wherry::test {
namespace {

constexpr int64_t kWallStart_ms = 1'800'000'000'000;
constexpr int64_t kCommand_ms = 30'000;
// More turns than this within one millisecond are a loop that does not end.
constexpr int kTurnsPerMillisecond = 2000;
constexpr size_t kNonceSize = 24;

// A test can not go on without its world.
void must(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

World* current_world = nullptr;

struct PersonClock : Clock {
  FakeClock* clock = nullptr;
  int64_t wall_offset_ms = 0;
  int64_t wall_ms() override { return kWallStart_ms + clock->now_ms() + wall_offset_ms; }
  int64_t steady_ms() override { return clock->now_ms() + 1'000'000; }
};

struct PersonExecutor : Executor {
  std::function<void()> on_wake;
  void start(Turn) override {}
  void wake() override { on_wake(); }
  void stop() override {}
};

// The fake network's table, with every envelope shown to the world on its way.
template <FakeKind kKind>
int32_t send(wherry_transport* transport, const wherry_outgoing* envelopes, size_t count,
             size_t* accepted) {
  std::vector<Bytes> bytes;
  std::vector<wherry_outgoing> shown(envelopes, envelopes + count);
  bytes.reserve(count);
  for (wherry_outgoing& one : shown) {
    Bytes& copy = bytes.emplace_back(one.envelope.data, one.envelope.data + one.envelope.size);
    current_world->see_envelope(copy);
    one.envelope = {copy.data(), copy.size()};
  }
  return FakeNet::plugin(kKind)->send(transport, shown.data(), count, accepted);
}

const wherry_transport_plugin* table(FakeKind kind) {
  static const auto make = [](FakeKind which) {
    wherry_transport_plugin plugin = *FakeNet::plugin(which);
    plugin.send = which == FakeKind::kStored ? send<FakeKind::kStored> : send<FakeKind::kDirect>;
    return plugin;
  };
  static const wherry_transport_plugin stored = make(FakeKind::kStored);
  static const wherry_transport_plugin direct = make(FakeKind::kDirect);
  return kind == FakeKind::kStored ? &stored : &direct;
}

store::Key raw_key() {
  static constexpr std::array<uint8_t, 32> kKey{7};
  return {WHERRY_KEY_RAW, kKey, crypto::kPasswordCostMin};
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  // In memory where there is a place for that: the worlds of tests need not survive the machine.
  std::filesystem::path parent = "/dev/shm";
  if (::access(parent.c_str(), W_OK) != 0) parent = std::filesystem::temp_directory_path();
  std::string path = (parent / "wherry-test-XXXXXX").string();
  must(::mkdtemp(path.data()) != nullptr, "no temporary folder");
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

// With WHERRY_TEST_LOG set, what the engines log is seen, with the virtual time.
Log::Sink sink(FakeClock& clock, const std::string& name) {
  if (::getenv("WHERRY_TEST_LOG") == nullptr) return {};
  return [&clock, name](LogLevel, const std::string& line) {
    std::fprintf(stderr, "%8lld %s: %s\n", static_cast<long long>(clock.now_ms()), name.c_str(),
                 line.c_str());
  };
}

struct World::Person {
  Person(FakeClock& time, std::string called)
      : name(std::move(called)), log(LogLevel::kDebug, sink(time, name)) {
    clock.clock = &time;
  }

  std::string name;
  PersonClock clock;
  PersonExecutor executor;
  Log log;
  std::unique_ptr<store::ProfileFiles> files;
  std::unique_ptr<engine::Feed> feed;
  std::unique_ptr<engine::Core> core;
  std::unique_ptr<store::Connection> reader;
  Bytes32 identity{};
  uint64_t transport = 0;
  uint64_t life = 0;
  int64_t asked_at = Executor::kNever;
  int64_t turn_ms = -1;
  int turns_this_ms = 0;
  uint64_t turns = 0;
  bool acknowledge = true;
  bool in_turn = false;
  Ledger ledger;
};

World::World(uint64_t seed, FakeKind kind)
    : net_(clock_, seed * 2 + 1, kind), random_(seed * 2 + 2) {
  must(crypto::init(), "no cryptography");
  current_world = this;
}

World::~World() {
  people_.clear();
  current_world = nullptr;
}

void World::violation(const std::string& what) {
  violations_.push_back("at " + std::to_string(now_ms()) + " ms: " + what);
}

int World::add(const std::string& name) {
  auto& person = *people_.emplace_back(std::make_unique<Person>(clock_, name));
  const int who = static_cast<int>(people_.size()) - 1;
  person.executor.on_wake = [this, &person] { ask(person, clock_.now_ms()); };
  auto files = store::ProfileFiles::create(
      folder(who), raw_key(), false, random_,
      [this](store::Connection& db) { return engine::Profile::found(db, random_); });
  must(files.ok(), "no profile");
  files.take().reset();
  must(open(who).ok(), "the profile does not open");
  person.identity = person.core->identity();
  const Status added = run(who, [&](engine::Turn& turn) -> Status {
    plugin::Settings settings{{"net", net_.name()}, {"node", name}};
    Result<uint64_t> id = engine::add_transport(turn, person.core->plugins(),
                                                table(net_.kind())->describe()->name, settings);
    if (!id) return id.error();
    person.transport = *id;
    return {};
  });
  must(added.ok() && start_transport(who, true).ok(), "no transport");
  run_for(20);
  return who;
}

Status World::open(int who) {
  Person& person = this->person(who);
  auto files = store::ProfileFiles::open(folder(who), raw_key(), false);
  if (!files) return files.error();
  person.files = files.take();
  auto writer = person.files->connect(false);
  if (!writer) return writer.error();
  auto feed_reader = person.files->connect(true);
  auto reader = person.files->connect(true);
  if (!feed_reader) return feed_reader.error();
  if (!reader) return reader.error();
  person.reader = reader.take();
  auto feed = engine::Feed::make(feed_reader.take());
  if (!feed) return feed.error();
  person.feed = feed.take();
  const wherry_transport_plugin* tables[] = {table(net_.kind())};
  auto core = engine::Core::make(writer.take(), {&person.clock, &random_, &person.executor},
                                 person.log, plugin::PluginSet::make(tables).take(), *person.feed);
  if (!core) return core.error();
  person.core = core.take();
  person.core->resume_transports();
  ask(person, now_ms());
  return {};
}

void World::crash(int who) {
  Person& person = this->person(who);
  must(!person.in_turn, "a crash within a turn");
  ++person.life;
  person.asked_at = Executor::kNever;
  person.core.reset();
  person.feed.reset();
  person.reader.reset();
  person.files.reset();
}

void World::restart(int who) {
  crash(who);
  must(open(who).ok(), "the profile does not open again");
}

bool World::running(int who) const {
  return person(who).core != nullptr;
}

std::filesystem::path World::folder(int who) const {
  return folder_.path() / person(who).name;
}

void World::save_image(int who) {
  const std::filesystem::path image = folder(who).string() + ".image";
  std::filesystem::remove_all(image);
  std::filesystem::copy(folder(who), image, std::filesystem::copy_options::recursive);
  std::filesystem::remove(image / "store.db-shm");
}

void World::restore_image(int who) {
  crash(who);
  std::filesystem::remove_all(folder(who));
  std::filesystem::copy(folder(who).string() + ".image", folder(who),
                        std::filesystem::copy_options::recursive);
  // What it will tell from now on is another history under the same numbers.
  person(who).ledger = {};
  must(open(who).ok(), "the restored profile does not open");
}

void World::jump_clock(int who, int64_t by_ms) {
  person(who).clock.wall_offset_ms += by_ms;
}

void World::acknowledge_events(int who, bool acknowledge) {
  person(who).acknowledge = acknowledge;
}

// A turn at `at`, unless an earlier one comes before it, which asks again.
void World::ask(Person& person, int64_t at) {
  if (person.core == nullptr || at >= person.asked_at) return;
  person.asked_at = at;
  clock_.schedule(at, [this, &person, at, life = person.life] {
    if (person.life != life || person.asked_at != at) return;
    person.asked_at = Executor::kNever;
    if (person.turn_ms != now_ms()) person.turns_this_ms = 0;
    person.turn_ms = now_ms();
    ++person.turns;
    if (++person.turns_this_ms > kTurnsPerMillisecond) {
      violation(person.name + " is in a loop without end");
      return;
    }
    person.in_turn = true;
    const int64_t next = person.core->turn();
    person.in_turn = false;
    if (next != Executor::kNever) {
      ask(person, std::max(now_ms(), next - person.clock.steady_ms() + now_ms()));
    }
    take_events(person);
  });
}

void World::take_events(Person& person) {
  uint64_t given = 0;
  for (Result<engine::Event> event = person.feed->next(0); event; event = person.feed->next(0)) {
    note(person, *event);
    given = std::max(given, event->row.seq);
  }
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
    if (!fresh && known->second != text) violation(person.name + ": an event changed");
    if (!fresh) return;
  }
  ledger.events.push_back(event);
  if (row.type == WHERRY_EVENT_EVIDENCE) {
    int32_t& evidence = ledger.evidence[row.message];
    if (row.value <= evidence) violation(person.name + ": evidence did not rise");
    evidence = static_cast<int32_t>(row.value);
  }
  if (row.type != WHERRY_EVENT_MESSAGE || !event.message) return;
  if (!ledger.message_ids.insert(event.message->mid).second) {
    violation(person.name + " was told of a message twice");
  }
  const std::vector<store::ContactRow> author = store::contacts(*person.reader, row.contact - 1, 1);
  must(author.size() == 1 && author.front().id == row.contact, "a message without an author");
  ledger.received[author.front().identity].emplace_back(as_text(event.message->body));
}

void World::see_envelope(Bytes& envelope) {
  int who = -1;
  for (size_t i = 0; i < people_.size(); ++i) {
    if (people_[i]->in_turn) who = static_cast<int>(i);
  }
  if (envelope.size() >= kNonceSize) {
    const Bytes nonce(envelope.begin(), envelope.begin() + kNonceSize);
    const Bytes32 hash = crypto::plain_hash<32>(envelope);
    const auto [known, fresh] = nonces_.emplace(nonce, hash);
    if (!fresh && known->second != hash) violation("a nonce was used for two envelopes");
  }
  if (on_envelope) on_envelope(who, envelope);
}

Status World::run(int who, std::function<Status(engine::Turn&)> command) {
  Person& person = this->person(who);
  auto answer = std::make_shared<std::optional<Status>>();
  person.core->inputs().push(
      engine::Command{std::move(command), [answer](const Status& outcome) { *answer = outcome; }});
  must(until([&] { return answer->has_value(); }, kCommand_ms), "a command was not answered");
  return **answer;
}

store::Connection& World::database(int who) const {
  return *person(who).reader;
}

std::optional<store::ContactRow> World::contact_row(int who, const Bytes32& identity) const {
  for (store::ContactRow& row : store::contacts(database(who), 0, UINT32_MAX)) {
    if (row.identity == identity) return std::move(row);
  }
  return std::nullopt;
}

std::string World::card(int who, int64_t valid_s) {
  auto text = std::make_shared<std::optional<Result<std::string>>>();
  const Status made = run(who, [&](engine::Turn& turn) {
    return engine::make_card(turn, person(who).transport, valid_s,
                             [text](Result<std::string> answer) { *text = std::move(answer); });
  });
  must(made.ok() && until([&] { return text->has_value(); }, kCommand_ms), "no card");
  must((*text)->ok(), "no card: " + ((*text)->ok() ? "" : (*text)->error().text));
  return ***text;
}

Result<uint64_t> World::add_by_card(int who, const std::string& card) {
  uint64_t id = 0;
  const Status added = run(who, [&](engine::Turn& turn) -> Status {
    Result<uint64_t> contact = engine::add_by_card(turn, card, std::nullopt);
    if (!contact) return contact.error();
    id = *contact;
    return {};
  });
  if (!added) return added.error();
  return id;
}

void World::connect(int one, int other) {
  const std::string text = card(other);
  must(add_by_card(one, text).ok(), "the card is refused");
  must(send(one, other, "hello").ok(), "nothing can be sent");
  must(until([&] { return contact(other, one) != 0; }, 60'000), "no request came");
  must(accept(other, one).ok(), "the request can not be accepted");
  must(until([&] { return outbox(one, other) == 0; }, 3'600'000), "no answer came");
}

Status World::accept(int who, int other) {
  const uint64_t id = contact(who, other);
  return run(who,
             [id](engine::Turn& turn) { return engine::accept_contact(turn, id, std::nullopt); });
}

uint64_t World::contact(int who, int other) const {
  const std::optional<store::ContactRow> row = contact_row(who, identity(other));
  return row ? row->id : 0;
}

uint64_t World::conversation(int who, int other) const {
  const std::optional<store::ContactRow> row = contact_row(who, identity(other));
  return row ? row->conversation : 0;
}

Result<uint64_t> World::send(int who, int other, const std::string& text,
                             std::optional<Id128> ref) {
  const ByteView body = as_bytes(text);
  const engine::Engine::Outbound message{conversation(who, other), ref, WHERRY_CONTENT_TEXT,
                                         Bytes(body.begin(), body.end())};
  uint64_t id = 0;
  const Status sent = run(who, [&](engine::Turn& turn) -> Status {
    Result<uint64_t> added = engine::add_message(turn, message);
    if (!added) return added.error();
    id = *added;
    return {};
  });
  if (!sent) return sent.error();
  return id;
}

void World::submit(int who, int other, const std::string& text) {
  const ByteView body = as_bytes(text);
  engine::Engine::Outbound message{conversation(who, other), std::nullopt, WHERRY_CONTENT_TEXT,
                                   Bytes(body.begin(), body.end())};
  person(who).core->inputs().push(
      engine::Command{[message = std::move(message)](engine::Turn& turn) -> Status {
                        Result<uint64_t> added = engine::add_message(turn, message);
                        if (!added) return added.error();
                        return {};
                      },
                      [](const Status& outcome) { must(outcome.ok(), "a message was refused"); }});
}

Status World::start_transport(int who, bool started) {
  const uint64_t id = person(who).transport;
  return run(
      who, [id, started](engine::Turn& turn) { return engine::run_transport(turn, id, started); });
}

Bytes32 World::identity(int who) const {
  return person(who).identity;
}
const Ledger& World::ledger(int who) const {
  return person(who).ledger;
}
uint64_t World::turns(int who) const {
  return person(who).turns;
}

std::vector<std::string> World::received(int who, int from) const {
  const auto& texts = ledger(who).received;
  const auto found = texts.find(identity(from));
  return found == texts.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> World::history(int who, int other) const {
  std::vector<std::string> texts;
  for (const store::MessageRow& row :
       store::history(database(who), conversation(who, other), 0, false, UINT32_MAX)) {
    texts.emplace_back(as_text(row.body));
  }
  return texts;
}

int World::count_events(int who, int32_t type, int32_t reason) const {
  int count = 0;
  for (const engine::Event& event : ledger(who).events) {
    const int32_t its = event.row.seq == 0 ? event.ephemeral.reason : event.row.reason;
    count += event.row.type == type && (reason < 0 || its == reason) ? 1 : 0;
  }
  return count;
}

int32_t World::waiting_reason(int who, int other) const {
  const uint64_t id = conversation(who, other);
  const std::vector<store::ConversationRow> rows = store::conversations(database(who), id - 1, 1);
  return rows.empty() ? -1 : rows.front().waiting;
}

uint64_t World::outbox(int who, int other) const {
  return store::outbox_count(database(who), contact(who, other));
}

}  // namespace wherry::test
