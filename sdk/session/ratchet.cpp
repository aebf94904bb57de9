// The ratchet's state: its two beginnings, and copies.
#include "session/ratchet.h"

#include "crypto/hash.h"
#include "session/chain.h"

namespace wherry::session {
namespace {

// What a handshake gives: root ‖ HK_i ‖ NHK_r.
ByteView root_of(const Secret<96>& secrets) {
  return secrets.view().first(32);
}
ByteView initiator_header_of(const Secret<96>& secrets) {
  return secrets.view().subspan(32, 32);
}
ByteView responder_header_of(const Secret<96>& secrets) {
  return secrets.view().last(32);
}

}  // namespace

HeaderKey::HeaderKey(ByteView key32)
    : key(key32), tag(crypto::derive_key(key32, "tag")), enc(crypto::derive_key(key32, "enc")) {}

HeaderKey HeaderKey::clone() const {
  HeaderKey out;
  out.key = key.clone();
  out.tag = tag.clone();
  out.enc = enc.clone();
  return out;
}

Tag HeaderKey::tag_for(uint32_t n) const {
  const uint8_t number[4] = {static_cast<uint8_t>(n), static_cast<uint8_t>(n >> 8),
                             static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 24)};
  Tag out;
  crypto::blake2b(out, tag.view(), ByteView(number));
  return out;
}

Ratchet Ratchet::clone() const {
  Ratchet out;
  out.ad = ad;
  out.root = root.clone();
  out.ours = ours.clone();
  out.theirs = theirs;
  out.send_chain = send_chain.clone();
  out.receive_chain = receive_chain.clone();
  out.send_header = send_header.clone();
  out.receive_header = receive_header.clone();
  out.send_header_next = send_header_next.clone();
  out.receive_header_next = receive_header_next.clone();
  out.send_n = send_n;
  out.receive_n = receive_n;
  out.send_previous = send_previous;
  out.send_base = send_base;
  out.receive_base = receive_base;
  out.received = received;
  out.peer_received = peer_received;
  out.peer_floor = peer_floor;
  out.skipped = skipped;
  out.receive_chains = receive_chains;
  out.can_send = can_send;
  out.turn_due = turn_due;
  return out;
}

Result<Ratchet> initiator_ratchet(const Secret<96>& secrets, const Bytes32& ad,
                                  const crypto::AgreementKey& their_prekey, Random& random) {
  Ratchet state;
  state.ad = ad;
  state.ours = crypto::AgreementPair::make(random);
  state.theirs = their_prekey;
  std::optional<RootStep> step =
      root_step(Secret<32>(root_of(secrets)), state.ours.secret, their_prekey);
  if (!step) return refuse(WHERRY_REASON_FORGED, "The prekey is not a valid key.");
  state.root = std::move(step->root);
  state.send_chain = std::move(step->chain);
  state.send_header_next = std::move(step->next_header);
  state.send_header = HeaderKey(initiator_header_of(secrets));
  state.receive_header_next = HeaderKey(responder_header_of(secrets));
  state.can_send = true;
  return state;
}

Ratchet responder_ratchet(const Secret<96>& secrets, const Bytes32& ad,
                          const crypto::AgreementPair& my_prekey) {
  Ratchet state;
  state.ad = ad;
  state.ours = my_prekey.clone();
  state.root = Secret<32>(root_of(secrets));
  state.send_header_next = Secret<32>(responder_header_of(secrets));
  state.receive_header_next = HeaderKey(initiator_header_of(secrets));
  return state;
}

KeyRow KeyRow::clone() const {
  return {g, tag, n, used, header_key.clone(), message_key.clone(), mark};
}

}  // namespace wherry::session
