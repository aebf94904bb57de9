// The ratchet and its key rows as the store keeps them:
//   state = version u8 = 1 ‖ flags u8 (1: can_send, 2: turn_due) ‖ AD[32] ‖ RK[32] ‖ DHs secret[32]
//           ‖ DHs public[32] ‖ DHr[32] ‖ CKs[32] ‖ CKr[32] ‖ HKs[32] ‖ HKr[32] ‖ NHKs[32] ‖
//           NHKr[32] ‖ Ns u32 ‖ Nr u32 ‖ PN u32 ‖ send base u64 ‖ receive base u64 ‖ received u64
//           ‖ peer's received u64 ‖ peer's floor u64 ‖ skipped u32 ‖ receive chains u32
//   row   = version u8 = 1 ‖ used u8 ‖ n u32 ‖ HKenc[32] ‖ (MK[32] if not used, mark[16] if used)
#include "base/limits.h"
#include "codec/fields.h"
#include "session/ratchet.h"

namespace wherry::session {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kCanSend = 1;
constexpr uint8_t kTurnDue = 2;
constexpr size_t kStateSize = 2 + 11 * 32 + 3 * 4 + 5 * 8 + 2 * 4;
constexpr size_t kRowSizeMax = 2 + 4 + 32 + 32;

Error damaged() {
  return fail(WHERRY_E_CORRUPT, "A stored session is damaged.");
}

}  // namespace

SecretBytes Ratchet::to_bytes() const {
  Bytes out;
  out.reserve(kStateSize);
  out.push_back(kVersion);
  out.push_back(static_cast<uint8_t>((can_send ? kCanSend : 0) | (turn_due ? kTurnDue : 0)));
  for (ByteView field :
       {ByteView(ad), root.view(), ours.secret.view(), ours.public_key.view(), theirs.view(),
        send_chain.view(), receive_chain.view(), send_header.key.view(), receive_header.key.view(),
        send_header_next.view(), receive_header_next.key.view()}) {
    append(out, field);
  }
  for (uint32_t field : {send_n, receive_n, send_previous}) codec::append_le(out, field);
  for (uint64_t field : {send_base, receive_base, received, peer_received, peer_floor}) {
    codec::append_le(out, field);
  }
  for (uint32_t field : {skipped, receive_chains}) codec::append_le(out, field);
  return SecretBytes(std::move(out));
}

Result<Ratchet> Ratchet::from_bytes(ByteView stored) {
  if (stored.size() != kStateSize) return damaged();
  codec::FieldReader in(stored);
  if (in.number<uint8_t>() != kVersion) return damaged();
  const auto flags = in.number<uint8_t>();
  if ((flags & ~(kCanSend | kTurnDue)) != 0) return damaged();
  Ratchet state;
  state.can_send = (flags & kCanSend) != 0;
  state.turn_due = (flags & kTurnDue) != 0;
  state.ad = in.fixed<32>();
  state.root = Secret<32>(in.take(32));
  state.ours.secret = Secret<32>(in.take(32));
  state.ours.public_key = crypto::AgreementKey(in.fixed<32>());
  state.theirs = crypto::AgreementKey(in.fixed<32>());
  state.send_chain = Secret<32>(in.take(32));
  state.receive_chain = Secret<32>(in.take(32));
  state.send_header = HeaderKey(in.take(32));
  state.receive_header = HeaderKey(in.take(32));
  state.send_header_next = Secret<32>(in.take(32));
  state.receive_header_next = HeaderKey(in.take(32));
  state.send_n = in.number<uint32_t>();
  state.receive_n = in.number<uint32_t>();
  state.send_previous = in.number<uint32_t>();
  state.send_base = in.number<uint64_t>();
  state.receive_base = in.number<uint64_t>();
  state.received = in.number<uint64_t>();
  state.peer_received = in.number<uint64_t>();
  state.peer_floor = in.number<uint64_t>();
  state.skipped = in.number<uint32_t>();
  state.receive_chains = in.number<uint32_t>();
  const bool sane = state.peer_floor <= state.received &&
                    state.received <= state.next_receive_g() &&
                    state.peer_received <= state.next_g() && state.skipped <= limits::kKeysKeptMax;
  if (!in.done() || !sane) return damaged();
  return state;
}

SecretBytes KeyRow::to_bytes() const {
  Bytes out;
  out.reserve(kRowSizeMax);
  out.push_back(kVersion);
  out.push_back(used ? 1 : 0);
  codec::append_le(out, n);
  append(out, header_key.view());
  append(out, used ? ByteView(mark) : message_key.view());
  return SecretBytes(std::move(out));
}

Result<KeyRow> KeyRow::from_bytes(uint64_t g, const Tag& tag, ByteView stored) {
  codec::FieldReader in(stored);
  if (in.number<uint8_t>() != kVersion) return damaged();
  KeyRow row;
  row.g = g;
  row.tag = tag;
  const auto used = in.number<uint8_t>();
  row.used = used == 1;
  row.n = in.number<uint32_t>();
  const ByteView header_key = in.take(32);
  const ByteView rest = in.take(row.used ? row.mark.size() : row.message_key.size());
  if (!in.done() || used > 1) return damaged();
  row.header_key = Secret<32>(header_key);
  if (row.used) {
    row.mark = to_array<16>(rest);
  } else {
    row.message_key = Secret<32>(rest);
  }
  return row;
}

}  // namespace wherry::session
