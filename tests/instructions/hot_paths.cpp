// What is done for each message, and for each person: ten paths, run as often as asked, for
// cmake/check_instructions.py, which counts their instructions.
//
//   hot_paths NAME TIMES
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "crypto/init.h"
#include "delivery/stream.h"
#include "identity/bundle.h"
#include "identity/card.h"
#include "message/payload.h"
#include "session/handshake.h"
#include "tests/support/world.h"
#include "tests/unit/session/end.h"

namespace {

using namespace wherry;
using test::SeededRandom;

void must(bool condition) {
  if (!condition) std::abort();
}

struct Person {
  explicit Person(SeededRandom& random)
      : identity(identity::Identity::make(random)), device(identity::Device::make(random)) {}
  identity::Identity identity;
  identity::Device device;
  identity::DeviceList list = identity::DeviceList::make(identity, 1, {device.public_part()});
};

message::Payload payload_of(size_t size) {
  message::Payload payload;
  message::Record record;
  record.seq = 1'000;
  record.incarnation = 0x1234567890;
  record.clock = 2'000;
  record.sent_ms = 1'800'000'000'000;
  record.content = WHERRY_CONTENT_TEXT;
  record.body = Bytes(size, 'x');
  payload.records.push_back(record);
  payload.acks.push_back({0x987654321, 900, {{902, 910}, {912, 920}}, {}, {}});
  return payload;
}

void seal(int times) {
  SeededRandom random(1);
  auto [one, other] = test::make_ends(random);
  const Bytes payload(256, 'x');
  for (int i = 0; i < times; ++i) (void)one.seal(payload, one.state().next_g(), random);
}

void seal_and_open(int times) {
  SeededRandom random(1);
  auto [one, other] = test::make_ends(random);
  const Bytes payload(256, 'x');
  for (int i = 0; i < times; ++i) {
    must(other.open(one.seal(payload, one.state().next_g(), random).envelope).ok());
  }
}

void ratchet_turns(int times) {
  SeededRandom random(1);
  auto [one, other] = test::make_ends(random);
  const Bytes payload(256, 'x');
  for (int i = 0; i < times; ++i) {
    must(other.open(one.seal(payload, one.state().next_g(), random).envelope).ok());
    must(one.open(other.seal(payload, other.state().next_g(), random).envelope).ok());
  }
}

void handshakes(int times) {
  SeededRandom random(1);
  const Person ann(random);
  const Person bob(random);
  const identity::Prekey prekey = identity::Prekey::make(7, 2'000'000'000, random);
  const Secret<32> fetch(random.bytes(32));
  const auto made = identity::Bundle::make(bob.device, bob.list, prekey);
  for (int i = 0; i < times; ++i) {
    const auto bundle = identity::Bundle::parse(*made, bob.identity.public_key());
    const auto started = session::start(ann.device, ann.list, *bundle, random);
    const auto sealed = session::seal_first(started->ratchet, started->prefix, fetch,
                                            message::encode(payload_of(100)), 0, random);
    const auto first = session::peek_first(fetch, sealed->envelope);
    must(session::accept(*first, bob.identity.public_key(), bob.device, prekey).ok());
  }
}

void encode_payload(int times) {
  const message::Payload payload = payload_of(256);
  for (int i = 0; i < times; ++i) must(!message::encode(payload).empty());
}

void decode_payload(int times) {
  const Bytes encoded = message::encode(payload_of(256));
  for (int i = 0; i < times; ++i) must(message::decode_payload(encoded).ok());
}

void parse_card(int times) {
  SeededRandom random(1);
  const Person ann(random);
  identity::Card card;
  card.fetch_secret = Secret<32>(random.bytes(32));
  card.transport = "centralized";
  card.endpoint = "wr1:relay.example:4433/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv";
  card.expires_s = 2'000'000'000;
  const auto text = card.text(ann.identity);
  must(text.ok());
  for (int i = 0; i < times; ++i) must(identity::Card::parse(*text).ok());
}

void admit_to_stream(int times) {
  delivery::Stream stream;
  for (int i = 0; i < times; ++i) {
    // Pairs come in the wrong order.
    const auto seq = static_cast<uint64_t>(i % 2 == 0 ? i + 2 : i);
    must(delivery::classify(stream, seq) != delivery::Arrival::kDuplicate);
    delivery::admit(stream, seq);
  }
}

// Two people who have met, on disks in memory.
struct Pair {
  Pair() : world(1, test::FakeKind::kStored, test::Disks::kFaulty) {
    ann = world.add("ann");
    bob = world.add("bob");
    world.connect(ann, bob);
  }
  test::World world;
  int ann = 0;
  int bob = 0;
};

void send_for_an_absent_one(int times) {
  Pair pair;
  pair.world.crash(pair.bob);
  for (int i = 0; i < times; ++i) must(pair.world.send(pair.ann, pair.bob, "a message").ok());
}

void send_and_be_told(int times) {
  Pair pair;
  for (int i = 0; i < times; ++i) {
    must(pair.world.send(pair.ann, pair.bob, "a message").ok());
    pair.world.run_for(1'000);
  }
  must(pair.world.outbox(pair.ann, pair.bob) == 0);
}

const std::map<std::string, std::function<void(int)>> kPaths = {
    {"seal", seal},
    {"seal-and-open", seal_and_open},
    {"ratchet-turns", ratchet_turns},
    {"handshakes", handshakes},
    {"encode-payload", encode_payload},
    {"decode-payload", decode_payload},
    {"parse-card", parse_card},
    {"admit-to-stream", admit_to_stream},
    {"send-for-an-absent-one", send_for_an_absent_one},
    {"send-and-be-told", send_and_be_told}};

}  // namespace

int main(int count, char** words) {
  const auto path = count == 3 ? kPaths.find(words[1]) : kPaths.end();
  if (path == kPaths.end() || !crypto::init()) {
    std::fputs("Usage: hot_paths NAME TIMES; the names:\n", stderr);
    for (const auto& [name, run] : kPaths) std::fprintf(stderr, "%s\n", name.c_str());
    return 2;
  }
  path->second(std::atoi(words[2]));
  return 0;
}
