// People, their engines' turns on the virtual clock, and their apps.

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "crypto/init.h"
#include "engine/cards.h"
#include "engine/running.h"
#include "store/schema.h"
#include "tests/support/world_person.h"

namespace wherry::test {
namespace {

constexpr int64_t kCommand_ms = 30'000;
// More turns than this within one millisecond are a loop that does not end.
constexpr int kTurnsPerMillisecond = 2000;
constexpr int kTurnsPerMinute = 20'000;

// A test can not go on without its world.
void must(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
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

World::World(uint64_t seed, FakeKind kind, Disks disks)
    : net_(clock_, seed * 2 + 1, kind), random_(seed * 2 + 2), seed_(seed), disks_(disks) {
  must(crypto::init(), "no cryptography");
  set_current(this);
}

World::~World() {
  for (const auto& person : people_) end(*person);
  people_.clear();
  set_current(nullptr);
}

void World::violation(const std::string& name, const std::string& what) {
  violations_.push_back(name + ": " + what + " (at " + std::to_string(now_ms()) + " ms)");
}

int World::add(const std::string& name) {
  auto& person = *people_.emplace_back(std::make_unique<Person>(name, sink(clock_, name)));
  const int who = static_cast<int>(people_.size()) - 1;
  person.index = who;
  person.clock.clock = &clock_;
  person.executor.on_wake = [this, &person] { ask(person, clock_.now_ms()); };
  if (disks_ == Disks::kFaulty) {
    person.disk = std::make_unique<FaultDisk>(seed_ * 1000 + people_.size());
    auto db = connect(person, false);
    must(db.ok() && store::migrate(**db).ok() && engine::Profile::found(**db, random_).ok(),
         "no profile");
  } else {
    auto files = store::ProfileFiles::create(
        folder(who), raw_key(), false, random_,
        [this](store::Connection& db) { return engine::Profile::found(db, random_); });
    must(files.ok(), "no profile");
    files.take().reset();
  }
  must(open(who).ok(), "the profile does not open");
  person.identity = person.core->identity();
  for (const FakeNet* net : nets()) {
    const uint64_t id = join(who, *net);
    if (net == &net_) person.transport = id;
  }
  run_for(20);
  return who;
}

uint64_t World::join(int who, const FakeNet& net) {
  const Person& person = this->person(who);
  const plugin::Settings settings{{"net", net.name()}, {"node", person.name}};
  uint64_t id = 0;
  const Status added = run(who, [&](engine::Turn& turn) -> Status {
    Result<uint64_t> made = engine::add_transport(
        turn, person.core->plugins(), watched_plugin(net.kind())->describe()->name, settings);
    if (!made) return made.error();
    id = *made;
    return {};
  });
  const Status started =
      !added ? added
             : run(who, [id](engine::Turn& turn) { return engine::run_transport(turn, id, true); });
  must(started.ok(), "no transport");
  return id;
}

FakeNet& World::add_net(FakeKind kind) {
  return *more_nets_.emplace_back(
      std::make_unique<FakeNet>(clock_, seed_ * 2 + 3 + more_nets_.size(), kind));
}

const FakeNet* World::net_of(std::string_view endpoint) const {
  for (const FakeNet* net : nets()) {
    if (endpoint.starts_with(FakeNet::scheme(net->kind()))) return net;
  }
  return nullptr;
}

std::vector<const FakeNet*> World::nets() const {
  std::vector<const FakeNet*> all{&net_};
  for (const auto& net : more_nets_) all.push_back(net.get());
  return all;
}

Status World::open(int who) {
  Person& person = this->person(who);
  const Status opened = start(person);
  if (!opened) end(person);
  return opened;
}

Status World::start(Person& person) {
  person.unsynced = person.disk != nullptr && !person.disk->logs_synced();
  if (disks_ == Disks::kFiles) {
    auto files = store::ProfileFiles::open(folder(person), raw_key(), false);
    if (!files) return files.error();
    person.files = files.take();
  }
  auto writer = connect(person, false);
  if (!writer) return writer.error();
  auto feed_reader = connect(person, true);
  auto reader = connect(person, true);
  if (!feed_reader) return feed_reader.error();
  if (!reader) return reader.error();
  person.reader = reader.take();
  auto feed = engine::Feed::make(feed_reader.take());
  if (!feed) return feed.error();
  person.feed = feed.take();
  std::vector<const wherry_transport_plugin*> tables;
  for (const FakeNet* net : nets()) tables.push_back(watched_plugin(net->kind()));
  auto core = engine::Core::make(writer.take(), {&person.clock, &random_, &person.executor},
                                 person.log, plugin::PluginSet::make(tables).take(), *person.feed);
  if (!core) return core.error();
  person.core = core.take();
  ask(person, now_ms());
  return {};
}

Result<std::unique_ptr<store::Connection>> World::connect(Person& person, bool read_only) const {
  if (disks_ == Disks::kFiles) return person.files->connect(read_only);
  store::OpenOptions options;
  options.path = "store.db";
  options.cipher = store::Cipher::kAegis256;
  options.create = !read_only;
  options.read_only = read_only;
  options.vfs = person.disk->vfs();
  return store::Connection::open(options, Secret<32>(raw_key().bytes));
}

// Whatever the engine had in memory is gone.
void World::end(Person& person) {
  must(!person.in_turn, "an end within a turn");
  ++person.life;
  person.asked_at = Executor::kNever;
  person.taken.clear();
  person.core.reset();
  person.feed.reset();
  person.reader.reset();
  person.files.reset();
}

void World::crash(int who) {
  if (disks_ == Disks::kFaulty) disk(who).kill();
  end(person(who));
}

void World::cut_power(int who) {
  disk(who).crash();
  end(person(who));
}

FaultDisk& World::disk(int who) const {
  return *person(who).disk;
}

void World::suspend(int who, bool suspended) {
  Person& person = this->person(who);
  person.suspended = suspended;
  if (suspended || person.core == nullptr) return;
  person.asked_at = Executor::kNever;
  ask(person, now_ms());
}

void World::restart(int who) {
  crash(who);
  must(open(who).ok(), "the profile does not open again");
}

bool World::running(int who) const {
  return person(who).core != nullptr;
}

bool World::restored(int who) const {
  return person(who).restored;
}

std::filesystem::path World::folder(int who) const {
  return folder(person(who));
}

std::filesystem::path World::folder(const Person& person) const {
  return folder_.path() / person.name;
}

void World::save_image(int who) {
  if (disks_ == Disks::kFaulty) {
    person(who).image = disk(who).save();
    return;
  }
  const std::filesystem::path image = folder(who).string() + ".image";
  std::filesystem::remove_all(image);
  std::filesystem::copy(folder(who), image, std::filesystem::copy_options::recursive);
  std::filesystem::remove(image / "store.db-shm");
}

void World::restore_image(int who) {
  put_image(who);
  must(open(who).ok(), "the restored profile does not open");
}

void World::put_image(int who) {
  crash(who);
  if (disks_ == Disks::kFaulty) {
    disk(who).restore(*person(who).image);
  } else {
    std::filesystem::remove_all(folder(who));
    std::filesystem::copy(folder(who).string() + ".image", folder(who),
                          std::filesystem::copy_options::recursive);
  }
  // What it will tell from now on is another history under the same numbers.
  person(who).ledger = {};
  person(who).restored = person(who).reuses_keys = true;
}

void World::forgive_restored(int who) {
  person(who).reuses_keys = false;
}

void World::jump_clock(int who, int64_t by_ms) {
  person(who).clock.wall_offset_ms += by_ms;
}

void World::acknowledge_events(int who, bool acknowledge) {
  person(who).acknowledge = acknowledge;
}

void World::delay_app(int who, int64_t delay_ms) {
  person(who).app_delay_ms = delay_ms;
}

// A turn at `at`, unless an earlier one comes before it, which asks again.
void World::ask(Person& person, int64_t at) {
  if (person.core == nullptr || at >= person.asked_at) return;
  person.asked_at = at;
  clock_.schedule(at, [this, &person, at, life = person.life] {
    if (person.life != life || person.asked_at != at || person.suspended) return;
    person.asked_at = Executor::kNever;
    take_turn(person);
  });
}

void World::take_turn(Person& person) {
  if (person.turn_ms != now_ms()) person.turns_this_ms = 0;
  person.turn_ms = now_ms();
  ++person.turns;
  if (now_ms() / 60'000 != person.turn_minute) person.turns_this_minute = 0;
  person.turn_minute = now_ms() / 60'000;
  if (++person.turns_this_ms > kTurnsPerMillisecond ||
      ++person.turns_this_minute > kTurnsPerMinute) {
    violation("busy", person.name + " is in a loop without end");
    throw std::runtime_error("a loop without end");
  }
  person.in_turn = true;
  const int64_t next = person.core->turn();
  person.in_turn = false;
  person.unsynced = person.unsynced && !person.disk->logs_synced();
  if (person.disk != nullptr && person.disk->stopped()) {
    if (on_disk_stopped) {
      on_disk_stopped(person.index);
    } else {
      cut_power(person.index);
    }
    return;
  }
  if (next != Executor::kNever) {
    ask(person, std::max(now_ms(), next - person.clock.steady_ms() + now_ms()));
  }
  take_events(person);
}

void World::push(int who, std::function<Status(engine::Turn&)> command,
                 std::function<void(const Status&)> done) {
  Person& person = this->person(who);
  person.core->inputs().push(
      engine::Command{std::move(command),
                      [&person, life = person.life, done = std::move(done)](const Status& outcome) {
                        if (person.life == life) done(outcome);
                      }});
}

Status World::run(int who, std::function<Status(engine::Turn&)> command) {
  auto answer = std::make_shared<std::optional<Status>>();
  push(who, std::move(command), [answer](const Status& outcome) { *answer = outcome; });
  must(until([&] { return answer->has_value(); }, kCommand_ms), "a command was not answered");
  return **answer;
}

store::Connection& World::database(int who) const {
  person(who).reader->forgive();
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

void World::connect(int one, int other, Met met) {
  if (met == Met::kAtOnce) {
    connect_at_once(one, other);
    return;
  }
  const std::string text = card(other);
  must(add_by_card(one, text).ok(), "the card is refused");
  must(send(one, other, "hello").ok(), "nothing can be sent");
  must(until([&] { return contact(other, one) != 0; }, 60'000), "no request came");
  must(accept(other, one).ok(), "the request can not be accepted");
  must(until([&] { return outbox(one, other) == 0; }, 3'600'000), "no answer came");
}

void World::connect_at_once(int one, int other) {
  const std::string mine = card(one);
  must(add_by_card(one, card(other)).ok() && add_by_card(other, mine).ok(), "a card is refused");
  must(send(one, other, "hello").ok() && send(other, one, "hello").ok(), "nothing can be sent");
  must(until([&] { return outbox(one, other) == 0 && outbox(other, one) == 0; }, 3'600'000),
       "no answer came");
}

Status World::accept(int who, int other) {
  const uint64_t id = contact(who, other);
  return run(who,
             [id](engine::Turn& turn) { return engine::accept_contact(turn, id, std::nullopt); });
}

uint64_t World::contact(int who, int other) const {
  return met(who, other).first;
}

uint64_t World::conversation(int who, int other) const {
  return met(who, other).second;
}

// Ids that were given do not change.
std::pair<uint64_t, uint64_t> World::met(int who, int other) const {
  auto& known = person(who).met[other];
  if (known.first == 0) {
    if (const auto row = contact_row(who, identity(other))) known = {row->id, row->conversation};
  }
  return known;
}

Result<uint64_t> World::send(int who, int other, const std::string& text,
                             std::optional<Id128> ref) {
  const ByteView body = as_bytes(text);
  const engine::Outbound message{conversation(who, other), ref, WHERRY_CONTENT_TEXT,
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
  engine::Outbound message{conversation(who, other), std::nullopt, WHERRY_CONTENT_TEXT,
                           Bytes(body.begin(), body.end())};
  push(
      who,
      [message = std::move(message)](engine::Turn& turn) -> Status {
        Result<uint64_t> added = engine::add_message(turn, message);
        if (!added) return added.error();
        return {};
      },
      [](const Status& outcome) { must(outcome.ok(), "a message was refused"); });
}

void World::submit_ref(int who, int other, const std::string& text, const Id128& ref,
                       std::function<void(bool durable)> done) {
  const ByteView body = as_bytes(text);
  const engine::Outbound message{conversation(who, other), ref, WHERRY_CONTENT_TEXT,
                                 Bytes(body.begin(), body.end())};
  push(
      who,
      [message](engine::Turn& turn) -> Status {
        Result<uint64_t> added = engine::add_message(turn, message);
        if (!added) return added.error();
        return {};
      },
      [done = std::move(done)](const Status& outcome) { done(outcome.ok()); });
}

void World::after(int who, int64_t delay_ms, std::function<void()> action) {
  Person& person = this->person(who);
  clock_.schedule_in(delay_ms, [&person, life = person.life, action = std::move(action)] {
    if (person.life == life) action();
  });
}

Status World::start_transport(int who, bool started) {
  const uint64_t id = person(who).transport;
  return run(
      who, [id, started](engine::Turn& turn) { return engine::run_transport(turn, id, started); });
}

Status World::set_route(int who, int other, const std::string& route) {
  return run(who, [this, who, other, &route](engine::Turn& turn) {
    return engine::set_route(turn, conversation(who, other), route);
  });
}

engine::RouteView World::route(int who, int other) {
  engine::RouteView view;
  const Status found = run(who, [&](engine::Turn& turn) -> Status {
    Result<engine::RouteView> standing = engine::route_of(turn, conversation(who, other));
    if (!standing) return standing.error();
    view = standing.take();
    return {};
  });
  must(found.ok(), "no route");
  return view;
}

Status World::set_transport(int who, const plugin::Settings& changes) {
  return run(who, [&](engine::Turn& turn) {
    return engine::set_transport(turn, person(who).core->plugins(), person(who).transport, changes);
  });
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
