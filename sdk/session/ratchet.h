// The Double Ratchet with header encryption (Signal, revision 4, §4; PROTOCOL §5) as a value: a
// step takes a state and returns the next one. The caller stores the next state together with what
// the step gave, and only then lets anything out; a step that fails leaves the old state valid.
//
// Message keys of skipped numbers, and marks of used ones, are rows beside the state: the caller
// stores those that a step adds, erases those below the floor, and lets steps read them by
// KeyLookup.
//
// The sending half of a turn (new key pair, KDF_RK) is made by the seal after it, not at receipt.
#ifndef WHERRY_SESSION_RATCHET_H
#define WHERRY_SESSION_RATCHET_H

#include <optional>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/agreement.h"
#include "session/envelope.h"

namespace wherry::session {

// A header key and what it splits into (PROTOCOL §5.2).
struct HeaderKey {
  Secret<32> key;  // HK
  Secret<32> tag;  // HKtag
  Secret<32> enc;  // HKenc

  HeaderKey() = default;
  explicit HeaderKey(ByteView key32);
  HeaderKey clone() const;
  Tag tag_for(uint32_t n) const;
};

struct Ratchet {
  Bytes32 ad{};                   // of the handshake; its hash
  Secret<32> root;                // RK
  crypto::AgreementPair ours;     // DHs
  crypto::AgreementKey theirs;    // DHr
  Secret<32> send_chain;          // CKs
  Secret<32> receive_chain;       // CKr
  HeaderKey send_header;          // HKs
  HeaderKey receive_header;       // HKr
  Secret<32> send_header_next;    // NHKs
  HeaderKey receive_header_next;  // NHKr
  uint32_t send_n = 0;            // Ns
  uint32_t receive_n = 0;         // Nr
  uint32_t send_previous = 0;     // PN
  uint64_t send_base = 0;         // g of number 0 in the sending chain
  uint64_t receive_base = 0;      // g of number 0 in the receiving chain
  uint64_t received = 0;          // lowest g of the peer neither received nor below their floor
  uint64_t peer_received = 0;     // theirs, of my numbers: what is below is settled
  uint64_t peer_floor = 0;        // lowest g that may still come from them
  uint32_t skipped = 0;           // rows of unused keys at or above peer_floor
  uint32_t receive_chains = 0;    // receiving chains begun; 0: nothing was received yet
  bool can_send = false;          // send_chain is set
  bool turn_due = false;          // the next seal begins a new sending chain

  Ratchet clone() const;

  // The number of the next envelope to be sealed: how many were.
  uint64_t next_g() const { return send_base + send_n; }
  // The number after the highest received.
  uint64_t next_receive_g() const { return receive_base + receive_n; }
  // Envelopes sealed that the peer is not known to have received.
  uint64_t unsettled() const { return next_g() - peer_received; }
  bool can_seal() const { return can_send || turn_due; }

  // For the store: see ratchet_bytes.cpp for the grammar.
  SecretBytes to_bytes() const;
  static Result<Ratchet> from_bytes(ByteView stored);
};

// The two ends after a handshake.
Result<Ratchet> initiator_ratchet(const Secret<96>& secrets, const Bytes32& ad,
                                  const crypto::AgreementKey& their_prekey, Random& random);
Ratchet responder_ratchet(const Secret<96>& secrets, const Bytes32& ad,
                          const crypto::AgreementPair& my_prekey);

// What is kept of a number at or above the peer's floor: the message key while it was skipped, a
// mark once it is used. Unique by g and by tag within a session.
struct KeyRow {
  uint64_t g = 0;
  Tag tag{};
  uint32_t n = 0;
  bool used = false;
  Secret<32> header_key;   // HKenc of its chain
  Secret<32> message_key;  // unless used
  Id128 mark{};  // if used: plain_hash of tag ‖ salt ‖ header of the envelope that was opened

  KeyRow clone() const;

  // For the store, without g and tag: version u8 = 1 ‖ used u8 ‖ n u32 ‖ header key[32] ‖
  // (message key[32] or mark[16]).
  SecretBytes to_bytes() const;
  static Result<KeyRow> from_bytes(uint64_t g, const Tag& tag, ByteView stored);
};

// The rows of one session, as they were before the step.
class KeyLookup {
 public:
  virtual ~KeyLookup() = default;
  virtual std::optional<KeyRow> find(const Tag& tag) = 0;
  // The lowest g of an unused row at or above `from`. Asked only when a gap closes.
  virtual std::optional<uint64_t> first_skipped(uint64_t from) = 0;
  // How many unused rows are below `g`. Asked only when the floor passes a gap.
  virtual uint32_t count_skipped(uint64_t below) = 0;
};

// Where an envelope belongs in a session, as its tag tells (TagIndex).
struct Place {
  enum class Kind : uint8_t {
    kTrial,    // not known: try the stored rows, then both header keys
    kCurrent,  // number n of the current receiving chain
    kNext,     // number n of the next one
    kStored,   // a row
  };
  Kind kind = Kind::kTrial;
  uint32_t n = 0;
};

struct SealStep {
  Ratchet next;
  Bytes envelope;
  uint64_t g = 0;
};

// Seals a payload. `floor` is the lowest g that may still come, sent again or late; it is
// taken as no lower than what the peer has received, and no higher than this envelope's own.
// `size` is the envelope's size in bytes; 0 means the least bucket that fits. E_STATE: nothing was
// received yet by the responder, or the chain is used up. E_TOO_LARGE: it does not fit.
Result<SealStep> seal(const Ratchet& state, uint64_t floor, ByteView payload, size_t size,
                      Random& random);

enum class Outcome {
  kOpened,
  kDuplicate,       // these very bytes were opened before: acknowledge again
  kBelowFloor,      // its sender no longer needs it: drop it
  kPeerRolledBack,  // authentic, but contradicts what was received: the peer runs from an old disk
};

struct OpenStep {
  Outcome outcome = Outcome::kOpened;
  uint64_t g = 0;  // unless kBelowFloor or kPeerRolledBack

  // Set if, and only if, outcome is kOpened:
  std::optional<Ratchet> next;
  Bytes payload;
  std::vector<KeyRow> add;  // to be stored, in place of a row of the same g
  // Rows below next->peer_floor are to be erased.

  // The peer says that it received what this device never sealed: this device runs from an old
  // disk.
  bool own_rollback = false;
};

// Opens an envelope. Refusals: MALFORMED, VERSION, PROTOCOL (a limit or rule is broken),
// CANNOT_OPEN (not for this session, or damaged).
Result<OpenStep> open(const Ratchet& state, const Place& place, ByteView envelope, KeyLookup& keys);

}  // namespace wherry::session

#endif  // WHERRY_SESSION_RATCHET_H
