// PQXDH and the first envelope:
//   first = nonce[24] ‖ XChaCha20-Poly1305(H(F, "first", 32), nonce, ad = "", inner)
//   inner = version[1] = 1 ‖ prekey id u32 ‖ EK[32] ‖ CT[1088] ‖ who ‖ ratchet envelope
//   who   = u16 length ‖ XChaCha20-Poly1305(ID, nonce = 0[24], ad = EK, CBOR {1: list, 2: device
//   id})
#include "session/handshake.h"

#include <algorithm>

#include "base/limits.h"
#include "codec/cbor.h"
#include "codec/fields.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "session/secrets.h"

namespace wherry::session {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kNonceSize = sizeof(crypto::Nonce);
constexpr size_t kWrapOverhead = kNonceSize + crypto::kAeadOverhead;

Error cannot_open() {
  return refuse(WHERRY_REASON_CANNOT_OPEN, "This is not a first envelope for this key.");
}
Error malformed() {
  return refuse(WHERRY_REASON_MALFORMED, "The first envelope is malformed.");
}

Secret<32> wrap_key(const Secret<32>& fetch_secret) {
  return crypto::derive_key(fetch_secret.view(), "first");
}

Bytes wrap(const Secret<32>& fetch_secret, ByteView inner, Random& random) {
  const auto nonce = random.array<kNonceSize>();
  Bytes first(kWrapOverhead + inner.size());
  std::copy(nonce.begin(), nonce.end(), first.begin());
  crypto::aead_seal_into(first.data() + kNonceSize, wrap_key(fetch_secret).view(), nonce, {},
                         inner);
  return first;
}

std::optional<Bytes> unwrap(const Secret<32>& fetch_secret, ByteView first) {
  if (first.size() < kWrapOverhead || first.size() > limits::kEnvelopeSizeMax) return std::nullopt;
  return crypto::aead_open(wrap_key(fetch_secret).view(), to_array<kNonceSize>(first), {},
                           first.subspan(kNonceSize));
}

// `ID` seals one plaintext, so its nonce is fixed.
constexpr crypto::Nonce kWhoNonce{};

Bytes seal_who(const Secret<32>& key, const crypto::AgreementKey& ephemeral,
               const identity::DeviceList& list, const Id128& device_id) {
  codec::CborWriter out;
  out.map(2).key(1).bytes(list.bytes()).key(2).bytes(device_id);
  return crypto::aead_seal(key.view(), kWhoNonce, ephemeral.view(), out.view());
}

struct Who {
  identity::DeviceList list;
  identity::DevicePublic device;
};

Result<Who> open_who(const Secret<32>& key, const FirstEnvelope& first) {
  const std::optional<Bytes> plain =
      crypto::aead_open(key.view(), kWhoNonce, first.ephemeral.view(), first.who);
  if (!plain) return cannot_open();
  codec::CborReader in(*plain);
  ByteView list_bytes;
  std::optional<Id128> device_id;
  for (codec::CborMap map = in.map(); map.next();) {
    switch (map.key()) {
      case 1:
        list_bytes = in.bytes();
        break;
      case 2:
        device_id = in.fixed<16>();
        break;
      default:
        in.skip();
    }
  }
  if (!in.done() || !device_id) return malformed();
  Result<identity::DeviceList> list = identity::DeviceList::parse(list_bytes);
  if (!list) return list.error();
  const identity::DevicePublic* device = list->find(*device_id);
  if (device == nullptr) {
    return refuse(WHERRY_REASON_FORGED, "The device is not in its owner's list.");
  }
  const identity::DevicePublic found = *device;
  return Who{list.take(), found};
}

// A first envelope comes before any row.
class NoKeys : public KeyLookup {
 public:
  std::optional<KeyRow> find(const Tag&) override { return std::nullopt; }
  std::optional<uint64_t> first_skipped(uint64_t) override { return std::nullopt; }
  uint32_t count_skipped(uint64_t) override { return 0; }
};

}  // namespace

Result<Started> start(const identity::Device& mine, const identity::DeviceList& my_list,
                      const identity::Bundle& theirs, Random& random) {
  const crypto::AgreementPair ephemeral = crypto::AgreementPair::make(random);
  const auto dh1 = crypto::agree(mine.agreement.secret, theirs.agreement);
  const auto dh2 = crypto::agree(ephemeral.secret, theirs.device.agreement);
  const auto dh3 = crypto::agree(ephemeral.secret, theirs.agreement);
  const auto kem = crypto::encapsulate(theirs.kem, random);
  if (!dh1 || !dh2 || !dh3 || !kem) {
    return refuse(WHERRY_REASON_FORGED, "The bundle holds an invalid key.");
  }

  Transcript transcript;
  transcript.initiator_identity = my_list.identity();
  transcript.responder_identity = theirs.list.identity();
  transcript.initiator = mine.public_part();
  transcript.responder = theirs.device;
  transcript.ephemeral = ephemeral.public_key;
  transcript.prekey = theirs.agreement;
  const Bytes32 hash = transcript.hash(theirs.kem, kem->ciphertext);
  const Secret<96> secrets = session_secrets(*dh1, *dh2, *dh3, kem->shared);
  Result<Ratchet> ratchet = initiator_ratchet(secrets, hash, theirs.agreement, random);
  if (!ratchet) return ratchet.error();

  const Bytes who =
      seal_who(identity_secret(*dh2, *dh3, kem->shared), ephemeral.public_key, my_list, mine.id());
  Bytes prefix;
  prefix.push_back(kVersion);
  codec::append_le(prefix, theirs.prekey_id);
  append(prefix, ephemeral.public_key.view());
  append(prefix, kem->ciphertext.view());
  codec::append_le(prefix, static_cast<uint16_t>(who.size()));
  append(prefix, who);
  return Started{ratchet.take(), std::move(prefix), hash};
}

size_t first_payload_room(ByteView prefix, size_t size) {
  const size_t around = kWrapOverhead + prefix.size();
  return size < around ? 0 : payload_room(size - around);
}

Result<SealStep> seal_first(const Ratchet& state, ByteView prefix, const Secret<32>& fetch_secret,
                            ByteView payload, size_t size, Random& random) {
  const size_t around = kWrapOverhead + prefix.size();
  if (size == 0) {
    size = least_bucket(around + kEnvelopeOverhead + payload.size()).value_or(0);
  }
  if (size < around + kEnvelopeOverhead) {
    return fail(WHERRY_E_TOO_LARGE, "The payload does not fit the envelope.");
  }
  Result<SealStep> step = seal(state, 0, payload, size - around, random);
  if (!step) return step;

  Bytes inner;
  inner.reserve(size);
  append(inner, prefix);
  append(inner, step->envelope);
  step->envelope = wrap(fetch_secret, inner, random);
  return step;
}

Result<Bytes> rewrap_first(const Secret<32>& fetch_secret, ByteView first, Random& random) {
  const std::optional<Bytes> inner = unwrap(fetch_secret, first);
  if (!inner) return cannot_open();
  return wrap(fetch_secret, *inner, random);
}

Result<FirstEnvelope> peek_first(const Secret<32>& fetch_secret, ByteView bytes) {
  const std::optional<Bytes> inner = unwrap(fetch_secret, bytes);
  if (!inner) return cannot_open();

  codec::FieldReader in(*inner);
  const auto version = in.number<uint8_t>();
  if (!in.failed() && version != kVersion) {
    return refuse(WHERRY_REASON_VERSION, "The first envelope is of a newer version.");
  }
  FirstEnvelope first;
  first.prekey_id = in.number<uint32_t>();
  first.ephemeral = crypto::AgreementKey(in.fixed<32>());
  first.ciphertext = crypto::KemCiphertext(in.fixed<crypto::KemCiphertext::kSize>());
  const ByteView who = in.take(in.number<uint16_t>());
  const ByteView envelope = in.rest();
  if (in.failed() || envelope.size() < kEnvelopeOverhead) return malformed();
  first.who.assign(who.begin(), who.end());
  first.envelope.assign(envelope.begin(), envelope.end());
  first.seen = crypto::hash<16>({}, "seen", {first.ephemeral.view()});
  return first;
}

Result<Accepted> accept(const FirstEnvelope& first, const crypto::VerifyKey& my_identity,
                        const identity::Device& mine, const identity::Prekey& prekey) {
  const crypto::KemPair kem = crypto::KemPair::from_seed(prekey.kem_seed);
  const auto dh2 = crypto::agree(mine.agreement.secret, first.ephemeral);
  const auto dh3 = crypto::agree(prekey.agreement.secret, first.ephemeral);
  const auto shared = crypto::decapsulate(kem, first.ciphertext);
  if (!dh2 || !dh3 || !shared) return malformed();
  Result<Who> who = open_who(identity_secret(*dh2, *dh3, *shared), first);
  if (!who) return who.error();
  const auto dh1 = crypto::agree(prekey.agreement.secret, who->device.agreement);
  if (!dh1) return malformed();

  Transcript transcript;
  transcript.initiator_identity = who->list.identity();
  transcript.responder_identity = my_identity;
  transcript.initiator = who->device;
  transcript.responder = mine.public_part();
  transcript.ephemeral = first.ephemeral;
  transcript.prekey = prekey.agreement.public_key;
  const Bytes32 hash = transcript.hash(kem.public_key, first.ciphertext);
  const Ratchet state =
      responder_ratchet(session_secrets(*dh1, *dh2, *dh3, *shared), hash, prekey.agreement);

  NoKeys keys;
  Result<OpenStep> step = open(state, Place{}, first.envelope, keys);
  if (!step) return step.error();
  return Accepted{std::move(who->list), who->device, hash, step.take()};
}

}  // namespace wherry::session
