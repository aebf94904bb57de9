// KDF_RK, KDF_CK, and the two seals of an envelope (PROTOCOL §5.1, §5.3).
#include "session/chain.h"

#include "codec/fields.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"

namespace wherry::session {
namespace {

// AD ‖ tag ‖ salt ‖ header: what the body is bound to.
std::array<uint8_t, sizeof(Bytes32) + kBodyAt> body_ad(const Bytes32& ad, const uint8_t* envelope) {
  std::array<uint8_t, sizeof(Bytes32) + kBodyAt> out;
  std::memcpy(out.data(), ad.data(), ad.size());
  std::memcpy(out.data() + ad.size(), envelope, kBodyAt);
  return out;
}

}  // namespace

std::optional<RootStep> root_step(const Secret<32>& root, const Secret<32>& ours,
                                  const crypto::AgreementKey& theirs) {
  const std::optional<Secret<32>> shared = crypto::agree(ours, theirs);
  if (!shared) return std::nullopt;
  const Secret<96> out = crypto::hkdf<96>(root.view(), {shared->view()}, "wherry/1/root");
  return RootStep{Secret<32>(out.view().first(32)), Secret<32>(out.view().subspan(32, 32)),
                  Secret<32>(out.view().last(32))};
}

Secret<32> chain_step(Secret<32>& chain) {
  static constexpr uint8_t kStep[] = {0x01};
  Secret<64> out;
  crypto::blake2b({out.data(), out.size()}, chain.view(), ByteView(kStep));
  std::memcpy(chain.data(), out.data(), 32);
  return Secret<32>(out.view().last(32));
}

crypto::Nonce nonce_of(ByteView envelope) {
  return to_array<kHeaderAt>(envelope);
}

bool open_header(std::array<uint8_t, kHeadSize>& head, const Secret<32>& key, ByteView envelope) {
  return crypto::aead_open_into(head.data(), key.view(), nonce_of(envelope), {},
                                envelope.subspan(kHeaderAt, kBodyAt - kHeaderAt));
}

Bytes seal_envelope(const crypto::Nonce& nonce, const Secret<32>& header_key, const Head& head,
                    const Secret<32>& message_key, const Bytes32& ad, ByteView payload,
                    size_t size) {
  Bytes out(size);
  std::memcpy(out.data(), nonce.data(), nonce.size());
  crypto::aead_seal_into(out.data() + kHeaderAt, header_key.view(), nonce, {}, head.encode());

  // The plaintext is laid out where its ciphertext goes; the zeros are there already.
  uint8_t* const body = out.data() + kBodyAt;
  codec::store_le(body, static_cast<uint16_t>(payload.size()));
  if (!payload.empty()) std::memcpy(body + kLengthSize, payload.data(), payload.size());
  const size_t plain_size = size - kBodyAt - crypto::kAeadOverhead;
  crypto::aead_seal_into(body, message_key.view(), nonce, body_ad(ad, out.data()),
                         {body, plain_size});
  return out;
}

BodyResult open_body(Bytes& payload, const Secret<32>& message_key, const Bytes32& ad,
                     ByteView envelope) {
  const ByteView sealed = envelope.subspan(kBodyAt);
  Bytes plain(sealed.size() - crypto::kAeadOverhead);
  if (!crypto::aead_open_into(plain.data(), message_key.view(), nonce_of(envelope),
                              body_ad(ad, envelope.data()), sealed)) {
    return BodyResult::kNotAuthentic;
  }
  const size_t size = codec::load_le<uint16_t>(plain.data());
  if (size > plain.size() - kLengthSize) return BodyResult::kMalformed;
  plain.erase(plain.begin(), plain.begin() + kLengthSize);
  plain.resize(size);
  payload = std::move(plain);
  return BodyResult::kOk;
}

}  // namespace wherry::session
