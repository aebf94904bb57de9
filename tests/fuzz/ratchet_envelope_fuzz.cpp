// Envelopes of a session: any bytes; and any head and plaintext under good keys, which is what a
// hostile contact can make. The input is head[124] ‖ what the body holds. And states and key rows
// of a damaged store.
#include <algorithm>

#include "base/limits.h"
#include "fuzz.h"
#include "seeded_random.h"
#include "session/chain.h"
#include "session/ratchet.h"

namespace {

using wherry::ByteView;
using namespace wherry::session;

struct Ends {
  wherry::test::SeededRandom random{1};
  wherry::Secret<96> secrets{random.bytes(96)};
  wherry::crypto::AgreementPair prekey = wherry::crypto::AgreementPair::make(random);
  wherry::Bytes32 ad = random.array<32>();
  Ratchet sender = initiator_ratchet(secrets, ad, prekey.public_key, random).take();
  Ratchet receiver = responder_ratchet(secrets, ad, prekey);
};

const Ends& ends() {
  static const Ends instance;
  return instance;
}

// Rows that were never stored.
class NoKeys : public KeyLookup {
 public:
  std::optional<KeyRow> find(const Tag&) override { return std::nullopt; }
  std::optional<uint64_t> first_skipped(uint64_t) override { return std::nullopt; }
  uint32_t count_skipped(uint64_t) override { return 0; }
};

void receive(const Ratchet& state, ByteView envelope) {
  NoKeys keys;
  const wherry::Result<OpenStep> step = open(state, {}, envelope, keys);
  if (!step || step->outcome != Outcome::kOpened) return;
  const Ratchet& next = *step->next;
  must(next.peer_floor <= next.received && next.received <= next.next_receive_g());
  must(next.peer_received <= next.next_g());
  must(next.skipped <= wherry::limits::kKeysKeptMax);
  must(step->add.size() <= wherry::limits::kKeysKeptMax);
  must(Ratchet::from_bytes(next.to_bytes().view()).ok());
}

// What a damaged store could give: what is accepted is what would be stored, and can be worked
// with.
void check_stored(ByteView input) {
  if (const auto state = Ratchet::from_bytes(input)) {
    must(wherry::equal(state->to_bytes().view(), input));
    must(state->peer_received <= state->next_g());
    must(state->peer_floor <= state->received && state->received <= state->next_receive_g());
  }
  if (const auto row = KeyRow::from_bytes(0, Tag{}, input)) {
    must(wherry::equal(row->to_bytes().view(), input));
  }
}

// Seals any head under the keys that the sender has for its number 0.
wherry::Bytes forge(const Ratchet& sender, ByteView head, ByteView payload) {
  const Head decoded = Head::decode(wherry::to_array<kHeadSize>(head)).value_or(Head());
  wherry::Secret<32> chain = sender.send_chain.clone();
  wherry::Secret<32> message_key = chain_step(chain);
  for (uint32_t n = 0; n < decoded.n % 64; ++n) message_key = chain_step(chain);
  wherry::crypto::Nonce nonce{};
  const Tag tag = sender.send_header.tag_for(decoded.n);
  std::copy(tag.begin(), tag.end(), nonce.begin());
  Head sent = decoded;
  if (decoded.n % 2 == 0) sent.ratchet_key = sender.ours.public_key;
  return seal_envelope(nonce, sender.send_header.enc, sent, message_key, sender.ad, payload,
                       kEnvelopeOverhead + payload.size());
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  receive(ends().receiver, input);
  check_stored(input);
  if (size < kHeadSize || size > 4096) return 0;
  const ByteView head = input.first(kHeadSize);
  const ByteView payload = input.subspan(kHeadSize);
  const wherry::Bytes forged = forge(ends().sender, head, payload);
  receive(ends().receiver, forged);

  // And once the session has begun.
  NoKeys keys;
  wherry::test::SeededRandom random(2);
  static const wherry::Result<SealStep> first = seal(ends().sender, 0, {}, 0, random);
  static const wherry::Result<OpenStep> begun = open(ends().receiver, {}, first->envelope, keys);
  must(begun.ok());
  receive(*begun->next, forged);
  return 0;
}
