// The contract: what becomes of envelopes.
#include <algorithm>
#include <set>

#include "tests/contract/contract.h"

namespace wherry::test {
namespace {

TEST_P(TransportContract, CarriesBytesUnchangedInEverySize) {
  connect();
  const std::size_t max = description().envelope_size_max;
  std::vector<Bytes> all;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{2}, std::size_t{255}, std::size_t{256}, std::size_t{257},
        std::size_t{512}, std::size_t{1024}, std::size_t{4096}, max - 1, max}) {
    all.push_back(envelope(size, static_cast<std::uint32_t>(size)));
  }
  all.emplace_back(300, std::uint8_t{0});  // bytes that a text would end at
  all.emplace_back(300, std::uint8_t{0xff});
  const std::vector<std::uint64_t> ids = send_all(alice(), kPeer, all);
  EXPECT_TRUE(arrives(bob(), all));
  for (const std::uint64_t id : ids) {
    EXPECT_LE(outcome(alice(), id).outcome, WHERRY_OUTCOME_STORED);
  }
  const std::set<Bytes> expected(all.begin(), all.end());
  for (const Received& one : bob().received()) EXPECT_TRUE(expected.contains(one.envelope));
}

TEST_P(TransportContract, RefusesEnvelopesThatAreEmptyOrTooLarge) {
  connect();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{description().envelope_size_max} + 1}) {
    // A call is refused whole: what was sound in it is offered again.
    const Bytes sound = envelope(100, 1);
    const Bytes unsound = envelope(size, 1);
    std::size_t accepted = 0;
    EXPECT_EQ(alice().send({{kPeer, 0, 1001, {sound.data(), sound.size()}},
                            {kPeer, 0, 1002, {unsound.data(), unsound.size()}}},
                           &accepted),
              WHERRY_TRANSPORT_E_ARGUMENT)
        << size;
    EXPECT_EQ(accepted, 0U) << size;
    EXPECT_EQ(alice().send_one(kPeer, unsound), 0U) << size;
  }
  exchange(2);
  EXPECT_FALSE(holds(bob(), envelope(description().envelope_size_max + 1U, 1)));
}

TEST_P(TransportContract, CarriesAThousandEnvelopes) {
  connect();
  std::vector<Bytes> all;
  all.reserve(1000);
  for (std::uint32_t i = 0; i < 1000; ++i) all.push_back(envelope(64 + i % 512, i));
  constexpr std::size_t kBatch = 100;
  std::vector<std::uint64_t> ids;
  std::size_t acked = 0;
  for (std::size_t from = 0; from < all.size(); from += kBatch) {
    const std::vector<Bytes> batch(all.begin() + static_cast<std::ptrdiff_t>(from),
                                   all.begin() + static_cast<std::ptrdiff_t>(from + kBatch));
    for (const std::uint64_t id : send_all(alice(), kPeer, batch)) ids.push_back(id);
    const std::vector<Received> fresh = bob().received_since(acked);
    if (!fresh.empty()) {
      EXPECT_EQ(bob().ack(fresh), WHERRY_TRANSPORT_OK);
    }
    acked += fresh.size();
  }
  EXPECT_TRUE(arrives(bob(), all));
  // TransportHost notes an attempt that ended twice; here each must have been answered.
  for (const std::uint64_t id : ids) EXPECT_LE(outcome(alice(), id).outcome, WHERRY_OUTCOME_STORED);
}

TEST_P(TransportContract, SaysWhatBecameOfAnEnvelope) {
  connect();
  const auto ids = send_all(alice(), kPeer, {envelope(100, 1)});
  ASSERT_TRUE(arrives(bob(), {envelope(100, 1)}));
  EXPECT_EQ(bob().ack(bob().received()), WHERRY_TRANSPORT_OK);
  // Who stores for absent receivers knows that it has stored; others may know no more than HANDED.
  const std::int32_t least =
      able(WHERRY_ABILITY_OFFLINE) ? WHERRY_OUTCOME_STORED : WHERRY_OUTCOME_HANDED;
  EXPECT_TRUE(until([&] {
    const auto last = alice().last_sent(ids.front());
    return last.has_value() && last->outcome >= least;
  }));
  EXPECT_LE(outcome(alice(), ids.front()).outcome, WHERRY_OUTCOME_STORED);
}

// Fills what the instance can queue: it accepts a part, says so, and goes on when there is room.
TEST_P(TransportContract, AcceptsWhatItCanAndAsksForMoreLater) {
  connect();
  constexpr std::size_t kCount = 900;  // within the smallest inbox quota, above every queue
  std::vector<Bytes> all;
  all.reserve(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) all.push_back(envelope(1024, i));
  send_all(alice(), kPeer, all);  // fails if on_writable does not follow a partial acceptance
  EXPECT_TRUE(arrives(bob(), all));
}

TEST_P(TransportContract, ABusyHostLosesNothing) {
  connect();
  bob().set_room(3);
  std::vector<Bytes> all;
  all.reserve(60);
  for (std::uint32_t i = 0; i < 60; ++i) all.push_back(envelope(200, i));
  send_all(alice(), kPeer, all);
  ASSERT_TRUE(until([&] { return bob().received_count() == 3; }));
  quiet();
  EXPECT_EQ(bob().received_count(), 3U);
  const std::size_t offered = bob().offered_count();
  all.push_back(envelope(200, 60));  // what comes meanwhile waits like the rest
  send_all(alice(), kPeer, {all.back()});
  quiet();
  EXPECT_EQ(bob().offered_count(), offered) << "offers again without being asked";
  bob().set_room(10);
  bob().resume_receive();
  ASSERT_TRUE(until([&] { return bob().received_count() == 13; }));
  bob().set_room(std::nullopt);
  bob().resume_receive();
  EXPECT_TRUE(arrives(bob(), all));
}

TEST_P(TransportContract, RefusesToSendBeforeStartAndAfterStop) {
  const std::string endpoint = connect();
  ASSERT_TRUE(alice().stop_and_wait(kStopLimitMs));
  for (int round = 0; round < 2; ++round) {
    const std::uint64_t id = alice().send_one(kPeer, envelope(100, 1));
    quiet();
    if (id != 0) {
      ASSERT_TRUE(alice().last_sent(id).has_value()) << "accepted, and no word of it";
      EXPECT_EQ(alice().last_sent(id)->outcome, WHERRY_OUTCOME_FAILED_RETRY);
    }
    alice().destroy();
    renew(0);
    ASSERT_EQ(alice().create(), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(alice().add_peer(kPeer, endpoint), WHERRY_TRANSPORT_OK);
  }
  ASSERT_TRUE(alice().start_and_wait(kLimitMs));
  exchange(2);
  EXPECT_FALSE(holds(bob(), envelope(100, 1)));
}

TEST_P(TransportContract, KeepsEnvelopesForAnAbsentReceiver) {
  if (!able(WHERRY_ABILITY_OFFLINE)) GTEST_SKIP() << "no OFFLINE ability";
  connect();
  ASSERT_TRUE(bob().stop_and_wait(kStopLimitMs));
  bob().destroy();
  std::vector<Bytes> all;
  all.reserve(50);
  for (std::uint32_t i = 0; i < 50; ++i) all.push_back(envelope(300, i));
  for (const std::uint64_t id : send_all(alice(), kPeer, all)) {
    ASSERT_TRUE(until([&] {
      return alice().last_sent(id).value_or(SentReport{}).outcome == WHERRY_OUTCOME_STORED;
    }));
  }
  ASSERT_TRUE(alice().stop_and_wait(kStopLimitMs));
  alice().destroy();
  renew(1);
  ASSERT_EQ(bob().create(), WHERRY_TRANSPORT_OK);
  ASSERT_EQ(bob().open_inbox(kInbox, secret(1)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(bob().start_and_wait(kLimitMs));
  EXPECT_TRUE(arrives(bob(), all));
}

TEST_P(TransportContract, BringsBackWhatWasNotAcknowledgedAndNothingElse) {
  if (!able(WHERRY_ABILITY_OFFLINE)) GTEST_SKIP() << "no OFFLINE ability";
  connect();
  const std::string back = open(alice(), kInbox, 2);
  ASSERT_EQ(bob().add_peer(kPeer, back), WHERRY_TRANSPORT_OK);
  std::vector<Bytes> all;
  all.reserve(10);
  for (std::uint32_t i = 0; i < 10; ++i) all.push_back(envelope(200, i));
  send_all(alice(), kPeer, all);
  ASSERT_TRUE(arrives(bob(), all));
  std::vector<Received> acked;
  std::vector<Bytes> unacked;
  for (const Received& one : bob().received()) {
    if (one.envelope[0] % 2 == 0)
      acked.push_back(one);
    else
      unacked.push_back(one.envelope);
  }
  ASSERT_EQ(bob().ack(acked), WHERRY_TRANSPORT_OK);
  send_all(bob(), kPeer, {envelope(200, 500)});  // goes the way of the acknowledgements, after them
  ASSERT_TRUE(arrives(alice(), {envelope(200, 500)}));
  quiet();
  ASSERT_TRUE(bob().stop_and_wait(kStopLimitMs));
  const std::size_t from = bob().received_count();
  ASSERT_TRUE(bob().start_and_wait(kLimitMs));
  ASSERT_TRUE(until([&] {
    return std::all_of(unacked.begin(), unacked.end(),
                       [&](const Bytes& one) { return holds_since(bob(), from, one); });
  }));
  exchange(600);
  for (const Received& one : acked) EXPECT_FALSE(holds_since(bob(), from, one.envelope));
}

TEST_P(TransportContract, IgnoresAcknowledgementsOfWhatItDoesNotKnow) {
  connect();
  EXPECT_EQ(bob().ack(kInbox, 0xffff'ffff'ffffU), WHERRY_TRANSPORT_OK);
  exchange(1);
  EXPECT_EQ(bob().ack(bob().received()), WHERRY_TRANSPORT_OK);  // once more
  exchange(2);
}

}  // namespace
}  // namespace wherry::test
