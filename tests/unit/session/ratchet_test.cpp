// The ratchet, case by case (PROTOCOL §5).
#include <gtest/gtest.h>

#include "base/limits.h"
#include "session/end.h"

namespace wherry::test {
namespace {

using session::OpenStep;
using session::Outcome;
using session::Place;
using session::SealStep;

class RatchetTest : public testing::Test {
 protected:
  RatchetTest() : random_(1), ends_(make_ends(random_)) {}

  End& alice() { return ends_.first; }
  End& bob() { return ends_.second; }
  SealStep seal(End& from, std::string_view text, uint64_t floor = 0) {
    return from.seal(as_bytes(text), floor, random_);
  }
  static std::string opened(End& by, const SealStep& sealed) {
    Result<OpenStep> step = by.open(sealed.envelope);
    if (!step) return "refused: " + step.error().text;
    if (step->outcome != Outcome::kOpened) return "not opened";
    EXPECT_EQ(step->g, sealed.g);
    return std::string(as_text(step->payload));
  }
  static int32_t refusal(End& by, ByteView envelope) {
    Result<OpenStep> step = by.open(envelope);
    EXPECT_FALSE(step.ok());
    return step.ok() ? -1 : step.error().reason;
  }
  static Outcome outcome(End& by, ByteView envelope) {
    Result<OpenStep> step = by.open(envelope);
    EXPECT_TRUE(step.ok()) << (step.ok() ? "" : step.error().text);
    return step.ok() ? step->outcome : Outcome::kOpened;
  }

  SeededRandom random_;
  std::pair<End, End> ends_;
};

TEST_F(RatchetTest, CarriesBothWays) {
  EXPECT_EQ(opened(bob(), seal(alice(), "one")), "one");
  EXPECT_EQ(opened(bob(), seal(alice(), "two")), "two");
  EXPECT_EQ(opened(alice(), seal(bob(), "three")), "three");
  EXPECT_EQ(opened(bob(), seal(alice(), "four")), "four");
  EXPECT_EQ(opened(bob(), seal(alice(), "")), "");
}

TEST_F(RatchetTest, NumbersRunOverAllChains) {
  for (uint64_t round = 0; round < 5; ++round) {
    for (uint64_t i = 0; i < 3; ++i) {
      const SealStep step = seal(alice(), "ping");
      EXPECT_EQ(step.g, round * 3 + i);
      EXPECT_EQ(opened(bob(), step), "ping");
    }
    const SealStep answer = seal(bob(), "pong");
    EXPECT_EQ(answer.g, round);
    EXPECT_EQ(opened(alice(), answer), "pong");
  }
  EXPECT_EQ(bob().state().received, 15u);
  EXPECT_EQ(alice().state().received, 5u);
  EXPECT_EQ(alice().state().peer_received, 15u);
  EXPECT_EQ(alice().state().unsettled(), 0u);
}

TEST_F(RatchetTest, ResponderCannotSendFirst) {
  Result<SealStep> step = session::seal(bob().state(), 0, {}, 0, random_);
  ASSERT_FALSE(step.ok());
  EXPECT_EQ(step.error().status, WHERRY_E_STATE);
}

TEST_F(RatchetTest, EveryBucketIsFilledExactly) {
  for (size_t bucket : limits::kBuckets) {
    const Bytes payload = random_.bytes(session::payload_room(bucket));
    const SealStep step = alice().seal(payload, 0, random_);
    EXPECT_EQ(step.envelope.size(), bucket);
    Result<OpenStep> open = bob().open(step.envelope);
    ASSERT_TRUE(open.ok());
    EXPECT_EQ(open->payload, payload);
  }
  EXPECT_EQ(session::payload_room(512), 330u);
  const Bytes too_large(session::payload_room(limits::kEnvelopeSizeMax) + 1);
  EXPECT_EQ(session::seal(alice().state(), 0, too_large, 0, random_).error().status,
            WHERRY_E_TOO_LARGE);
  EXPECT_EQ(session::seal(alice().state(), 0, Bytes(331), 512, random_).error().status,
            WHERRY_E_TOO_LARGE);
}

TEST_F(RatchetTest, OutOfOrderWithinAndAcrossChains) {
  const SealStep first = seal(alice(), "first");
  const SealStep second = seal(alice(), "second");
  EXPECT_EQ(opened(bob(), second), "second");
  EXPECT_EQ(bob().state().received, 0u);
  EXPECT_EQ(bob().state().skipped, 1u);
  EXPECT_EQ(opened(alice(), seal(bob(), "answer")), "answer");
  const SealStep third = seal(alice(), "third");
  const SealStep fourth = seal(alice(), "fourth");
  EXPECT_EQ(opened(bob(), fourth), "fourth");
  EXPECT_EQ(opened(bob(), first), "first");
  EXPECT_EQ(bob().state().received, 2u);
  EXPECT_EQ(opened(bob(), third), "third");
  EXPECT_EQ(bob().state().received, 4u);
  EXPECT_EQ(bob().state().skipped, 0u);
}

TEST_F(RatchetTest, DuplicatesAreKnown) {
  const SealStep first = seal(alice(), "first");
  const SealStep second = seal(alice(), "second");
  EXPECT_EQ(opened(bob(), second), "second");
  EXPECT_EQ(outcome(bob(), second.envelope), Outcome::kDuplicate);
  EXPECT_EQ(opened(alice(), seal(bob(), "turn")), "turn");
  EXPECT_EQ(opened(bob(), seal(alice(), "turned")), "turned");
  EXPECT_EQ(outcome(bob(), second.envelope), Outcome::kDuplicate);
  EXPECT_EQ(opened(bob(), first), "first");
  EXPECT_EQ(outcome(bob(), first.envelope), Outcome::kDuplicate);
}

TEST_F(RatchetTest, BelowTheFloorNothingIsKept) {
  const SealStep lost = seal(alice(), "lost");
  const SealStep used = seal(alice(), "used");
  EXPECT_EQ(opened(bob(), used), "used");
  EXPECT_EQ(bob().keys().rows().size(), 2u);
  const SealStep later = seal(alice(), "later", 2);
  EXPECT_EQ(opened(bob(), later), "later");
  EXPECT_EQ(bob().state().received, 3u);
  EXPECT_EQ(bob().state().skipped, 0u);
  EXPECT_EQ(bob().keys().rows().size(), 1u);
  EXPECT_EQ(outcome(bob(), used.envelope), Outcome::kBelowFloor);
  EXPECT_EQ(outcome(bob(), lost.envelope), Outcome::kBelowFloor);
}

TEST_F(RatchetTest, FloorIsBoundByOwnNumberAndRisesWithWhatIsReceived) {
  EXPECT_EQ(opened(bob(), seal(alice(), "0", 1000)), "0");
  EXPECT_EQ(bob().state().peer_floor, 0u);
  EXPECT_EQ(opened(bob(), seal(alice(), "1")), "1");
  EXPECT_EQ(opened(alice(), seal(bob(), "answer")), "answer");
  EXPECT_EQ(opened(bob(), seal(alice(), "2")), "2");
  EXPECT_EQ(bob().state().peer_floor, 2u);
}

TEST_F(RatchetTest, TamperingWithAnyByteFailsAndLeavesTheStateUsable) {
  const SealStep sealed = seal(alice(), "precious");
  const Bytes before = bob().state().to_bytes().bytes();
  for (size_t i = 0; i < sealed.envelope.size(); ++i) {
    Bytes altered = sealed.envelope;
    altered[i] ^= static_cast<uint8_t>(1 + random_.below(255));
    EXPECT_EQ(refusal(bob(), altered), WHERRY_REASON_CANNOT_OPEN) << "byte " << i;
  }
  for (size_t size = 0; size < sealed.envelope.size(); size += 7) {
    EXPECT_NE(refusal(bob(), ByteView(sealed.envelope).first(size)), WHERRY_REASON_NONE);
  }
  EXPECT_EQ(bob().state().to_bytes().bytes(), before);
  EXPECT_EQ(opened(bob(), sealed), "precious");
}

TEST_F(RatchetTest, AlteredRepeatRaisesNoAlarm) {
  const SealStep sealed = seal(alice(), "once");
  EXPECT_EQ(opened(bob(), sealed), "once");
  for (size_t i = session::kTagSize; i < sealed.envelope.size(); ++i) {
    Bytes altered = sealed.envelope;
    altered[i] ^= 1;
    Result<OpenStep> step = bob().open(altered);
    if (i < session::kBodyAt) {
      EXPECT_FALSE(step.ok()) << "byte " << i;
    } else {
      ASSERT_TRUE(step.ok());
      EXPECT_EQ(step->outcome, Outcome::kDuplicate);
    }
  }
}

TEST_F(RatchetTest, OldDiskOfThePeerIsSuspected) {
  EXPECT_EQ(opened(bob(), seal(alice(), "0")), "0");
  EXPECT_EQ(opened(alice(), seal(bob(), "0")), "0");
  End old_alice(alice().state().clone());
  EXPECT_EQ(opened(bob(), seal(alice(), "1")), "1");
  // The old copy begins the same chain with another key.
  EXPECT_EQ(outcome(bob(), seal(old_alice, "again 1").envelope), Outcome::kPeerRolledBack);

  End older_alice(alice().state().clone());
  EXPECT_EQ(opened(bob(), seal(alice(), "2")), "2");
  // The old copy goes on in the same chain at a used number.
  EXPECT_EQ(outcome(bob(), seal(older_alice, "again 2").envelope), Outcome::kPeerRolledBack);
  EXPECT_EQ(opened(bob(), seal(alice(), "3")), "3");
}

TEST_F(RatchetTest, OldDiskOfThePeerIsSuspectedByAShorterChain) {
  EXPECT_EQ(opened(bob(), seal(alice(), "0")), "0");
  End old_alice(alice().state().clone());
  EXPECT_EQ(opened(bob(), seal(alice(), "1")), "1");
  const SealStep answer = seal(bob(), "answer");
  EXPECT_EQ(opened(old_alice, answer), "answer");
  EXPECT_EQ(outcome(bob(), seal(old_alice, "2").envelope), Outcome::kPeerRolledBack);
}

TEST_F(RatchetTest, OwnOldDiskIsToldByThePeer) {
  End old_alice(alice().state().clone());
  EXPECT_EQ(opened(bob(), seal(alice(), "0")), "0");
  Result<OpenStep> step = old_alice.open(seal(bob(), "answer").envelope);
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->outcome, Outcome::kOpened);
  EXPECT_TRUE(step->own_rollback);
  EXPECT_EQ(old_alice.state().peer_received, 0u);
}

TEST_F(RatchetTest, SkipsAtMostTheLimit) {
  std::vector<SealStep> sealed;
  for (uint32_t i = 0; i <= limits::kSkipMax + 1; ++i) sealed.push_back(seal(alice(), "x", i));
  EXPECT_EQ(refusal(bob(), sealed[limits::kSkipMax + 1].envelope), WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(opened(bob(), sealed[limits::kSkipMax]), "x");
}

TEST_F(RatchetTest, KeepsAtMostTheLimit) {
  for (uint32_t i = 0; i < limits::kKeysKeptMax; ++i) {
    ASSERT_EQ(opened(bob(), seal(alice(), "x")), "x");
  }
  EXPECT_EQ(bob().keys().rows().size(), limits::kKeysKeptMax);
  EXPECT_EQ(refusal(bob(), seal(alice(), "x").envelope), WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(opened(bob(), seal(alice(), "x", 1000)), "x");
  EXPECT_LT(bob().keys().rows().size(), limits::kKeysKeptMax);
}

TEST_F(RatchetTest, AnotherSessionsEnvelopeIsRefused) {
  std::pair<End, End> others = make_ends(random_);
  EXPECT_EQ(refusal(bob(), seal(others.first, "x").envelope), WHERRY_REASON_CANNOT_OPEN);
  EXPECT_EQ(refusal(bob(), random_.bytes(512)), WHERRY_REASON_CANNOT_OPEN);
}

TEST_F(RatchetTest, WrongPlaceIsRefused) {
  const SealStep sealed = seal(alice(), "x");
  for (const Place place : {Place{Place::Kind::kCurrent, 0}, Place{Place::Kind::kNext, 1}}) {
    EXPECT_FALSE(session::open(bob().state(), place, sealed.envelope, bob().keys()).ok());
  }
  EXPECT_TRUE(session::open(bob().state(), Place{}, sealed.envelope, bob().keys()).ok());
}

TEST_F(RatchetTest, StoredFormsRoundTripAndRefuseDamage) {
  seal(alice(), "skipped");
  EXPECT_EQ(opened(bob(), seal(alice(), "0")), "0");
  for (End* end : {&alice(), &bob()}) {
    const SecretBytes stored = end->state().to_bytes();
    EXPECT_LE(stored.bytes().size(), 420u);
    Result<session::Ratchet> read = session::Ratchet::from_bytes(stored.view());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->to_bytes().bytes(), stored.bytes());
    for (size_t size = 0; size < stored.bytes().size(); ++size) {
      EXPECT_FALSE(session::Ratchet::from_bytes(stored.view().first(size)).ok());
    }
    Bytes newer = stored.bytes();
    newer[0] = 2;
    EXPECT_EQ(session::Ratchet::from_bytes(newer).error().status, WHERRY_E_CORRUPT);
  }
  for (const auto& [g, row] : bob().keys().rows()) {
    const SecretBytes stored = row.to_bytes();
    EXPECT_TRUE(session::KeyRow::from_bytes(g, row.tag, stored.view()).ok());
    EXPECT_FALSE(session::KeyRow::from_bytes(g, row.tag, stored.view().subspan(1)).ok());
  }
  bob().reload();
  EXPECT_EQ(opened(bob(), seal(alice(), "after")), "after");
}

}  // namespace
}  // namespace wherry::test
