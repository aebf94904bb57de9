// The handshake, PQXDH, and the first envelope (PROTOCOL §4).
//
// Initiator: start(), then seal_first() once; the same bytes are sent until the peer's first
//   envelope was opened.
// Responder: peek_first() tells whether it is a first envelope, and for which prekey; accept()
//   makes the session and opens what came with it.
#ifndef WHERRY_SESSION_HANDSHAKE_H
#define WHERRY_SESSION_HANDSHAKE_H

#include "identity/bundle.h"
#include "session/ratchet.h"

namespace wherry::session {

struct Started {
  Ratchet ratchet;
  Bytes prefix;  // `inner` up to the ratchet envelope; needed by seal_first() alone
  Bytes32 hash;  // of the handshake: AD
};

// `theirs` was parsed and has not expired. FORGED: one of its keys is of small order or invalid.
Result<Started> start(const identity::Device& mine, const identity::DeviceList& my_list,
                      const identity::Bundle& theirs, Random& random);

// The largest payload that seal_first() takes for a first envelope of this size, bytes.
size_t first_payload_room(ByteView prefix, size_t size);

// Seals the first payload and wraps it under the fetch (or reset) secret. `size` as in seal(), of
// the whole. Number 0 of the session: g and floor are 0.
Result<SealStep> seal_first(const Ratchet& state, ByteView prefix, const Secret<32>& fetch_secret,
                            ByteView payload, size_t size, Random& random);

// The same first envelope under a fresh wrap, for another endpoint: equal bytes in two places would
// link them. CANNOT_OPEN: it was not made for this secret.
Result<Bytes> rewrap_first(const Secret<32>& fetch_secret, ByteView first, Random& random);

// A first envelope with its outer wrap taken off. Nothing of it is authentic yet, except that its
// author holds the card (or reset bundle).
struct FirstEnvelope {
  uint32_t prekey_id = 0;
  crypto::AgreementKey ephemeral;    // EK
  crypto::KemCiphertext ciphertext;  // CT
  Bytes who;                         // sealed
  Bytes envelope;  // of the ratchet: for a repeat, open() it in the session known by `seen`
  Id128 seen{};    // H("", "seen" ‖ EK, 16)
};

// Refusals: CANNOT_OPEN (not made for this secret), VERSION, MALFORMED.
Result<FirstEnvelope> peek_first(const Secret<32>& fetch_secret, ByteView bytes);

struct Accepted {
  identity::DeviceList list;      // the initiator's
  identity::DevicePublic device;  // the one that wrote
  Bytes32 hash{};                 // of the handshake: AD
  OpenStep step;                  // kOpened: its `next` is the new session's state
};

// `prekey` is the one that the envelope names. Refusals: CANNOT_OPEN, FORGED, MALFORMED, VERSION,
// PROTOCOL.
Result<Accepted> accept(const FirstEnvelope& first, const crypto::VerifyKey& my_identity,
                        const identity::Device& mine, const identity::Prekey& prekey);

}  // namespace wherry::session

#endif  // WHERRY_SESSION_HANDSHAKE_H
