// The key derivations of the ratchet, and the sealing of a header and a body under given keys: what
// seal() and open() have in common.
#ifndef WHERRY_SESSION_CHAIN_H
#define WHERRY_SESSION_CHAIN_H

#include <optional>

#include "base/secret.h"
#include "crypto/agreement.h"
#include "session/envelope.h"

namespace wherry::session {

// KDF_RK: RK' ‖ CK ‖ NHK.
struct RootStep {
  Secret<32> root;
  Secret<32> chain;
  Secret<32> next_header;
};
// Empty when the other's key is of small order.
std::optional<RootStep> root_step(const Secret<32>& root, const Secret<32>& ours,
                                  const crypto::AgreementKey& theirs);

// KDF_CK: moves the chain key on, and returns the message key MK.
Secret<32> chain_step(Secret<32>& chain);

// tag ‖ salt.
crypto::Nonce nonce_of(ByteView envelope);

// Whether the header is authentic under HKenc; `head` is its plaintext then.
bool open_header(std::array<uint8_t, kHeadSize>& head, const Secret<32>& key, ByteView envelope);

// Seals head and payload into an envelope of `size` bytes, which has room for both.
Bytes seal_envelope(const crypto::Nonce& nonce, const Secret<32>& header_key, const Head& head,
                    const Secret<32>& message_key, const Bytes32& ad, ByteView payload,
                    size_t size);

enum class BodyResult { kOk, kNotAuthentic, kMalformed };
BodyResult open_body(Bytes& payload, const Secret<32>& message_key, const Bytes32& ad,
                     ByteView envelope);

}  // namespace wherry::session

#endif  // WHERRY_SESSION_CHAIN_H
