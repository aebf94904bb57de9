// One end of a session.
#include "session/end.h"

#include <gtest/gtest.h>

namespace wherry::test {

using session::KeyRow;
using session::OpenStep;
using session::Outcome;
using session::Place;
using session::Ratchet;
using session::SealStep;
using session::TagIndex;

namespace {

constexpr TagIndex::SessionId kSession = 7;

}  // namespace

std::optional<KeyRow> MemoryKeys::find(const session::Tag& tag) {
  for (const auto& [g, row] : rows_) {
    if (row.tag == tag) return row.clone();
  }
  return std::nullopt;
}

std::optional<uint64_t> MemoryKeys::first_skipped(uint64_t from) {
  for (auto at = rows_.lower_bound(from); at != rows_.end(); ++at) {
    if (!at->second.used) return at->first;
  }
  return std::nullopt;
}

uint32_t MemoryKeys::count_skipped(uint64_t below) {
  uint32_t count = 0;
  for (const auto& [g, row] : rows_) count += g < below && !row.used ? 1 : 0;
  return count;
}

void MemoryKeys::commit(const OpenStep& step) {
  for (const KeyRow& row : step.add) rows_.insert_or_assign(row.g, row.clone());
  rows_.erase(rows_.begin(), rows_.lower_bound(step.next->peer_floor));
}

void MemoryKeys::reload() {
  for (auto& [g, row] : rows_) {
    Result<KeyRow> read = KeyRow::from_bytes(g, row.tag, row.to_bytes().view());
    ASSERT_TRUE(read.ok());
    row = read.take();
  }
}

End::End(Ratchet state) : state_(std::move(state)) {
  tags_.load(kSession, state_, {});
}

SealStep End::seal(ByteView payload, uint64_t floor, Random& random, size_t size) {
  Result<SealStep> step = session::seal(state_, floor, payload, size, random);
  EXPECT_TRUE(step.ok()) << step.error().text;
  state_ = step->next.clone();
  return step.take();
}

Result<OpenStep> End::open(ByteView envelope) {
  Place place;
  placed_ = false;
  if (envelope.size() >= session::kTagSize) {
    if (const auto found = tags_.find(session::tag_of(envelope))) {
      place = found->place;
      placed_ = true;
    }
  }
  Result<OpenStep> step = session::open(state_, place, envelope, keys_);
  if (step.ok() && step->outcome == Outcome::kOpened) {
    state_ = step->next->clone();
    keys_.commit(*step);
    tags_.update(kSession, state_, step->add);
  }
  return step;
}

void End::reload() {
  Result<Ratchet> state = Ratchet::from_bytes(state_.to_bytes().view());
  ASSERT_TRUE(state.ok());
  state_ = state.take();
  keys_.reload();
  std::vector<TagIndex::StoredTag> rows;
  for (const auto& [g, row] : keys_.rows()) rows.push_back({g, row.tag});
  tags_ = TagIndex();
  tags_.load(kSession, state_, rows);
}

std::pair<End, End> make_ends(Random& random) {
  Secret<96> secrets;
  random.fill(secrets.data(), secrets.size());
  const Bytes32 ad = random.array<32>();
  const crypto::AgreementPair prekey = crypto::AgreementPair::make(random);
  Result<Ratchet> initiator = session::initiator_ratchet(secrets, ad, prekey.public_key, random);
  EXPECT_TRUE(initiator.ok());
  return {End(initiator.take()), End(session::responder_ratchet(secrets, ad, prekey))};
}

}  // namespace wherry::test
