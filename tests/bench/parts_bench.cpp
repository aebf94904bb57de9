// How fast the parts are: ratchet, handshake, formats, the order of a stream. Google Benchmark.
//
// Beside each ratchet step stands `..._primitives`: the hashes, seals and agreements that the
// protocol asks of that step, and nothing else. Their ratio is what our own code costs.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/init.h"
#include "crypto/system_random.h"
#include "delivery/stream.h"
#include "identity/card.h"
#include "message/payload.h"
#include "session/chain.h"
#include "session/handshake.h"
#include "session/tag_index.h"

namespace wherry {
namespace {

constexpr size_t kMessageSize = 256;
constexpr int64_t kFarFuture_s = 4'000'000'000;
constexpr session::TagIndex::SessionId kSession = 1;

crypto::SystemRandom system_random;

Bytes random_bytes(size_t size) {
  Bytes out(size);
  system_random.fill(out.data(), size);
  return out;
}

// A benchmark that measures a refusal would be fast and wrong.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) std::abort();
  return result.take();
}

// No row is ever found: everything comes in order.
class NoKeys : public session::KeyLookup {
 public:
  std::optional<session::KeyRow> find(const session::Tag&) override { return std::nullopt; }
  std::optional<uint64_t> first_skipped(uint64_t) override { return std::nullopt; }
  uint32_t count_skipped(uint64_t) override { return 0; }
};

struct Ends {
  session::Ratchet alice;
  session::Ratchet bob;
};

void pass(session::Ratchet& from, session::Ratchet& to) {
  NoKeys keys;
  session::SealStep sealed = must(session::seal(from, 0, as_bytes("x"), 0, system_random));
  session::OpenStep opened = must(session::open(to, {}, sealed.envelope, keys));
  from = std::move(sealed.next);
  to = std::move(*opened.next);
}

// After a handshake and an envelope each way: Alice's next envelope begins a chain.
Ends make_ends() {
  Secret<96> secrets;
  system_random.fill(secrets.data(), secrets.size());
  const Bytes32 ad = system_random.array<32>();
  const crypto::AgreementPair prekey = crypto::AgreementPair::make(system_random);
  Ends ends{must(session::initiator_ratchet(secrets, ad, prekey.public_key, system_random)),
            session::responder_ratchet(secrets, ad, prekey)};
  pass(ends.alice, ends.bob);
  pass(ends.bob, ends.alice);
  return ends;
}

// Alice's next envelope is one more of her chain.
Ends make_ends_within_chain() {
  Ends ends = make_ends();
  pass(ends.alice, ends.bob);
  return ends;
}

// ---- Ratchet ------------------------------------------------------------------------------------

void ratchet_seal(benchmark::State& state) {
  Ends ends = make_ends_within_chain();
  const Bytes payload = random_bytes(kMessageSize);
  for (auto _ : state) {
    session::SealStep step = must(session::seal(ends.alice, 0, payload, 0, system_random));
    ends.alice = std::move(step.next);
    benchmark::DoNotOptimize(step.envelope.data());
  }
}
BENCHMARK(ratchet_seal);

// What one sealing in a chain takes: a chain step, a tag, a salt, the header, the body.
void ratchet_seal_primitives(benchmark::State& state) {
  Secret<32> chain(random_bytes(32));
  const Secret<32> key(random_bytes(32));
  const Bytes payload = random_bytes(512 - session::kBodyAt - crypto::kAeadOverhead);
  const Bytes head = random_bytes(session::kHeadSize);
  const Bytes ad = random_bytes(sizeof(Bytes32) + session::kBodyAt);
  Bytes out(512);
  crypto::Nonce nonce{};
  uint32_t number = 0;
  for (auto _ : state) {
    const Secret<32> message_key = session::chain_step(chain);
    ++number;
    crypto::blake2b({nonce.data(), session::kTagSize}, key.view(),
                    ByteView(reinterpret_cast<const uint8_t*>(&number), sizeof number));
    system_random.fill(nonce.data() + session::kTagSize, session::kSaltSize);
    crypto::aead_seal_into(out.data() + session::kHeaderAt, key.view(), nonce, {}, head);
    crypto::aead_seal_into(out.data() + session::kBodyAt, message_key.view(), nonce, ad, payload);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(ratchet_seal_primitives);

constexpr int kBatch = 256;

// Envelopes are made and indexed outside of the time that counts, a batch at once.
void ratchet_open(benchmark::State& state) {
  Ends ends = make_ends_within_chain();
  NoKeys keys;
  const Bytes payload = random_bytes(kMessageSize);
  std::vector<std::pair<Bytes, session::Place>> batch;
  size_t at = 0;
  for (auto _ : state) {
    if (at == batch.size()) {
      state.PauseTiming();
      batch.clear();
      at = 0;
      for (int i = 0; i < kBatch; ++i) {
        session::SealStep step = must(session::seal(ends.alice, 0, payload, 0, system_random));
        batch.emplace_back(std::move(step.envelope),
                           session::Place{session::Place::Kind::kCurrent, step.next.send_n - 1});
        // The floor follows at once, as after an acknowledgement.
        step.next.peer_received = step.g + 1;
        ends.alice = std::move(step.next);
      }
      state.ResumeTiming();
    }
    const auto& [envelope, place] = batch[at++];
    session::OpenStep step = must(session::open(ends.bob, place, envelope, keys));
    ends.bob = std::move(*step.next);
    benchmark::DoNotOptimize(step.payload.data());
  }
}
BENCHMARK(ratchet_open);

// What one opening in a chain takes: header, chain step, body, and the mark of a used number.
void ratchet_open_primitives(benchmark::State& state) {
  Secret<32> chain(random_bytes(32));
  const Secret<32> key(random_bytes(32));
  const crypto::Nonce nonce = system_random.array<24>();
  const Bytes plain = random_bytes(512 - session::kBodyAt - crypto::kAeadOverhead);
  const Bytes ad = random_bytes(sizeof(Bytes32) + session::kBodyAt);
  const Bytes head = crypto::aead_seal(key.view(), nonce, {}, random_bytes(session::kHeadSize));
  const Bytes body = crypto::aead_seal(key.view(), nonce, ad, plain);
  const Bytes start = random_bytes(session::kBodyAt);
  Bytes out(512);
  for (auto _ : state) {
    const Secret<32> message_key = session::chain_step(chain);
    benchmark::DoNotOptimize(message_key.data());
    const bool opened = crypto::aead_open_into(out.data(), key.view(), nonce, {}, head) &&
                        crypto::aead_open_into(out.data(), key.view(), nonce, ad, body);
    if (!opened) std::abort();
    benchmark::DoNotOptimize(crypto::plain_hash<16>(start));
  }
}
BENCHMARK(ratchet_open_primitives);

// One envelope after which the other side answers: a turn at both ends, sealed and opened.
void ratchet_turn(benchmark::State& state) {
  Ends ends = make_ends();
  NoKeys keys;
  const Bytes payload = random_bytes(kMessageSize);
  const session::Place next{session::Place::Kind::kNext, 0};
  for (auto _ : state) {
    session::SealStep sealed = must(session::seal(ends.alice, 0, payload, 0, system_random));
    session::OpenStep opened = must(session::open(ends.bob, next, sealed.envelope, keys));
    ends.alice = std::move(sealed.next);
    ends.bob = std::move(*opened.next);
    std::swap(ends.alice, ends.bob);
  }
}
BENCHMARK(ratchet_turn);

// What a turn adds to a sealing and an opening: a key pair, two agreements, two KDF_RK, and the two
// halves of a header key at each end.
void ratchet_turn_extra_primitives(benchmark::State& state) {
  const crypto::AgreementPair theirs = crypto::AgreementPair::make(system_random);
  const Secret<32> root(random_bytes(32));
  for (auto _ : state) {
    const crypto::AgreementPair ours = crypto::AgreementPair::make(system_random);
    for (int end = 0; end < 2; ++end) {
      const auto shared = crypto::agree(ours.secret, theirs.public_key);
      const Secret<96> keys = crypto::hkdf<96>(root.view(), {shared->view()}, "wherry/1/root");
      const Secret<32> tag = crypto::derive_key(keys.view().first(32), "tag");
      const Secret<32> enc = crypto::derive_key(keys.view().first(32), "enc");
      benchmark::DoNotOptimize(tag.data());
      benchmark::DoNotOptimize(enc.data());
    }
  }
}
BENCHMARK(ratchet_turn_extra_primitives);

void symmetric_step(benchmark::State& state) {
  Secret<32> chain(random_bytes(32));
  for (auto _ : state) {
    const Secret<32> message_key = session::chain_step(chain);
    benchmark::DoNotOptimize(message_key.data());
  }
}
BENCHMARK(symmetric_step);

void tag_index_pass(benchmark::State& state) {
  Ends ends = make_ends_within_chain();
  session::TagIndex index;
  index.load(kSession, ends.bob, {});
  for (auto _ : state) {
    benchmark::DoNotOptimize(index.find(ends.bob.receive_header.tag_for(ends.bob.receive_n)));
    ++ends.bob.receive_n;
    index.update(kSession, ends.bob, {});
  }
}
BENCHMARK(tag_index_pass);

// ---- Handshake ----------------------------------------------------------------------------------

struct Person {
  identity::Identity identity = identity::Identity::make(system_random);
  identity::Device device = identity::Device::make(system_random);
  identity::DeviceList list = identity::DeviceList::make(identity, 1, {device.public_part()});
};

struct Meeting {
  Person alice;
  Person bob;
  identity::Prekey prekey = identity::Prekey::make(7, kFarFuture_s, system_random);
  Secret<32> fetch_secret{random_bytes(32)};
  Bytes bundle = must(identity::Bundle::make(bob.device, bob.list, prekey));

  identity::Bundle parse() const {
    return must(identity::Bundle::parse(bundle, bob.identity.public_key()));
  }
};

void handshake_start(benchmark::State& state) {
  const Meeting meeting;
  const identity::Bundle bundle = meeting.parse();
  for (auto _ : state) {
    const session::Started started =
        must(session::start(meeting.alice.device, meeting.alice.list, bundle, system_random));
    benchmark::DoNotOptimize(started.prefix.data());
  }
}
BENCHMARK(handshake_start);

void handshake_accept(benchmark::State& state) {
  const Meeting meeting;
  const session::Started started = must(
      session::start(meeting.alice.device, meeting.alice.list, meeting.parse(), system_random));
  const session::SealStep first =
      must(session::seal_first(started.ratchet, started.prefix, meeting.fetch_secret,
                               random_bytes(kMessageSize), 0, system_random));
  for (auto _ : state) {
    const session::FirstEnvelope peeked =
        must(session::peek_first(meeting.fetch_secret, first.envelope));
    const session::Accepted accepted = must(session::accept(
        peeked, meeting.bob.identity.public_key(), meeting.bob.device, meeting.prekey));
    benchmark::DoNotOptimize(accepted.step.payload.data());
  }
}
BENCHMARK(handshake_accept);

void bundle_parse(benchmark::State& state) {
  const Meeting meeting;
  for (auto _ : state) benchmark::DoNotOptimize(meeting.parse().prekey_id);
}
BENCHMARK(bundle_parse);

void card_parse(benchmark::State& state) {
  const identity::Identity signer = identity::Identity::make(system_random);
  identity::Card card;
  card.fetch_secret = Secret<32>(random_bytes(32));
  card.transport = "centralized";
  card.endpoint = std::string(100, 'e');
  card.expires_s = kFarFuture_s;
  const std::string text = must(card.text(signer));
  for (auto _ : state) benchmark::DoNotOptimize(must(identity::Card::parse(text)).expires_s);
}
BENCHMARK(card_parse);

// ---- Formats and order --------------------------------------------------------------------------

message::Payload one_message() {
  message::Payload payload;
  message::Record& record = payload.records.emplace_back();
  record.seq = 123'456;
  record.incarnation = system_random.number();
  record.id = system_random.array<16>();
  record.clock = 123'456;
  record.sent_ms = 1'795'000'000'000;
  record.content = WHERRY_CONTENT_DATA;
  record.body = random_bytes(kMessageSize);
  payload.acks.push_back({record.incarnation, 123'000, {}, std::nullopt, std::nullopt});
  return payload;
}

void payload_encode(benchmark::State& state) {
  const message::Payload payload = one_message();
  for (auto _ : state) {
    const Bytes bytes = message::encode(payload);
    benchmark::DoNotOptimize(bytes.data());
  }
}
BENCHMARK(payload_encode);

void payload_decode(benchmark::State& state) {
  const Bytes bytes = message::encode(one_message());
  for (auto _ : state) {
    benchmark::DoNotOptimize(must(message::decode_payload(bytes)).records.size());
  }
}
BENCHMARK(payload_decode);

void stream_admit_next(benchmark::State& state) {
  delivery::Stream stream;
  for (auto _ : state) {
    const uint64_t seq = stream.next;
    if (delivery::classify(stream, seq) != delivery::Arrival::kNext) std::abort();
    delivery::admit(stream, seq);
  }
}
BENCHMARK(stream_admit_next);

// Every second number first, then the gaps between: the most ranges that a window can have.
void stream_admit_gaps(benchmark::State& state) {
  constexpr uint64_t kNumbers = 64;
  for (auto _ : state) {
    delivery::Stream stream;
    for (uint64_t seq = 2; seq <= kNumbers; seq += 2) delivery::admit(stream, seq);
    for (uint64_t seq = 1; seq <= kNumbers; seq += 2) delivery::admit(stream, seq);
    if (stream.next != kNumbers + 1) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kNumbers));
}
BENCHMARK(stream_admit_gaps);

}  // namespace
}  // namespace wherry

int main(int argc, char** argv) {
  if (!wherry::crypto::init()) return 1;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
