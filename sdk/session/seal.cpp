// Sealing: the sending half of a turn when one is due, then one step of the sending chain.
#include <algorithm>

#include "base/limits.h"
#include "session/chain.h"
#include "session/ratchet.h"

namespace wherry::session {
namespace {

// A new key pair and sending chain. The peer's key was found valid when it was received.
bool begin_sending_chain(Ratchet& state, Random& random) {
  crypto::AgreementPair ours = crypto::AgreementPair::make(random);
  std::optional<RootStep> step = root_step(state.root, ours.secret, state.theirs);
  if (!step) return false;
  state.ours = std::move(ours);
  state.root = std::move(step->root);
  state.send_chain = std::move(step->chain);
  state.send_header = HeaderKey(state.send_header_next.view());
  state.send_header_next = std::move(step->next_header);
  state.send_previous = state.send_n;
  state.send_base += state.send_n;
  state.send_n = 0;
  state.can_send = true;
  state.turn_due = false;
  return true;
}

}  // namespace

Result<SealStep> seal(const Ratchet& state, uint64_t floor, ByteView payload, size_t size,
                      Random& random) {
  const size_t size_needed = payload.size() + kEnvelopeOverhead;
  if (size == 0) size = least_bucket(size_needed).value_or(0);
  if (size < size_needed || size > limits::kEnvelopeSizeMax) {
    return fail(WHERRY_E_TOO_LARGE, "The payload does not fit the envelope.");
  }
  if (!state.can_seal() || state.send_n == UINT32_MAX) {
    return fail(WHERRY_E_STATE, "This session can not send now.");
  }

  SealStep out;
  out.next = state.clone();
  Ratchet& next = out.next;
  if (next.turn_due && !begin_sending_chain(next, random)) {
    return fail(WHERRY_E_INTERNAL, "The session holds an invalid key.");
  }
  const Secret<32> message_key = chain_step(next.send_chain);
  out.g = next.next_g();

  Head head;
  head.ratchet_key = next.ours.public_key;
  head.previous_length = next.send_previous;
  head.n = next.send_n;
  head.received = next.received;
  head.floor = std::min(std::max(floor, next.peer_received), out.g);

  const Tag tag = next.send_header.tag_for(next.send_n);
  crypto::Nonce nonce;
  std::memcpy(nonce.data(), tag.data(), kTagSize);
  random.fill(nonce.data() + kTagSize, kSaltSize);
  out.envelope =
      seal_envelope(nonce, next.send_header.enc, head, message_key, next.ad, payload, size);
  ++next.send_n;
  return out;
}

}  // namespace wherry::session
