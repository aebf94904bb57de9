// The relay's core over its real store: who may send and read, what is kept, what a full disk does.
#include "relay_core_fixture.h"

namespace wherry::relay {
namespace {

TEST_F(RelayCore, DeliversToAnOnlineReader) {
  open(1);
  EXPECT_EQ(answers_.opens[1], Outcome::kStored);
  EXPECT_EQ(send(1, "one"), Outcome::kStored);
  EXPECT_EQ(got(), std::vector<std::string>{"one"});
}

TEST_F(RelayCore, KeepsForAnAbsentReaderInOrderAcrossARestart) {
  open(1);
  reconnect();
  for (const char* text : {"one", "two", "three"}) EXPECT_EQ(send(1, text), Outcome::kStored);
  make();
  open(1);
  EXPECT_EQ(got(), (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(RelayCore, DeletesWhatWasAcknowledgedAndOnlyThat) {
  open(1);
  send(1, "one");
  send(1, "two");
  apply(Ack{kReader, 1, 1, 1, 0});
  reconnect();
  open(1);
  EXPECT_EQ(got(), std::vector<std::string>{"two"});
}

TEST_F(RelayCore, NobodyAcknowledgesWhatWasNotDeliveredToThem) {
  open(1);
  reconnect();
  send(1, "one");
  apply(Ack{kReader, 1, 1, 1, 0});  // hung up
  open(2, 7);
  apply(Ack{7, 1, 0, UINT32_MAX, 0});  // a slot that is not theirs
  apply(Ack{7, 2, 0, UINT32_MAX, 0});  // theirs, but nothing came on it
  open(1);
  EXPECT_EQ(got(), std::vector<std::string>{"one"});
}

TEST_F(RelayCore, RefusesUnknownInboxesAndWrongTokens) {
  open(1);
  EXPECT_EQ(send(9, "x"), Outcome::kNotFound);
  Submit wrong = submit(1, {"x", "y"});
  wrong.groups[0].token_hash = token(3);
  apply(wrong);
  EXPECT_EQ(answers_.outcomes[kSender].back(), Outcome::kNotAllowed);
  EXPECT_TRUE(got().empty());
}

TEST_F(RelayCore, AClosedInboxIsGoneAndItsOwnerMayReturn) {
  open(1);
  reconnect();
  send(1, "one");
  open(1);
  apply(Close{kReader, 1, 0});
  EXPECT_EQ(send(1, "two"), Outcome::kGone);
  answers_.deliveries.clear();
  open(1);
  EXPECT_TRUE(got().empty());
  EXPECT_EQ(send(1, "three"), Outcome::kStored);
}

TEST_F(RelayCore, StoresEqualBytesOnceWhileTheyAreStored) {
  open(1);
  reconnect();
  EXPECT_EQ(send(1, "same"), Outcome::kStored);
  EXPECT_EQ(send(1, "same"), Outcome::kStored);
  open(1);
  EXPECT_EQ(got(), std::vector<std::string>{"same"});
  acknowledge_all();
  EXPECT_EQ(send(1, "same"), Outcome::kStored);  // acknowledged: a new one
  EXPECT_EQ(got(), std::vector<std::string>{"same"});
}

TEST_F(RelayCore, AFullInboxSaysLaterAndDropsNothing) {
  Quotas quotas;
  quotas.inbox_envelopes_max = 3;
  make(quotas);
  open(1);
  open(2);
  reconnect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send(1, std::to_string(i)), Outcome::kStored);
  EXPECT_EQ(send(1, "too many"), Outcome::kFull);
  EXPECT_EQ(send(2, "another inbox"), Outcome::kStored);
  open(1);
  EXPECT_EQ(got(), (std::vector<std::string>{"0", "1", "2"}));
  acknowledge_all();
  EXPECT_EQ(send(1, "room again"), Outcome::kStored);
}

TEST_F(RelayCore, BytesOfAnInboxAreBoundedToo) {
  Quotas quotas;
  quotas.inbox_bytes_max = 100;
  make(quotas);
  open(1);
  EXPECT_EQ(send(1, std::string(60, 'a')), Outcome::kStored);
  EXPECT_EQ(send(1, std::string(60, 'b')), Outcome::kFull);
  EXPECT_EQ(send(1, std::string(40, 'c')), Outcome::kStored);
}

TEST_F(RelayCore, EnvelopesExpireAndFreeTheirRoom) {
  Quotas quotas;
  quotas.inbox_envelopes_max = 2;
  make(quotas);
  open(1);
  reconnect();
  send(1, "old");
  now_ += 10 * 86400;
  send(1, "new");
  EXPECT_EQ(send(1, "no room"), Outcome::kFull);
  now_ += 11 * 86400 + 1;
  core_->sweep(now_);
  EXPECT_EQ(send(1, "room"), Outcome::kStored);
  open(1);
  EXPECT_EQ(got(), (std::vector<std::string>{"new", "room"}));
}

TEST_F(RelayCore, ForgetsInboxesThatNobodyOpens) {
  open(1);
  reconnect();
  open(2);
  now_ += 181LL * 86400;
  core_->sweep(now_);
  EXPECT_EQ(send(1, "x"), Outcome::kNotFound);
  EXPECT_EQ(send(2, "x"), Outcome::kStored);  // its reader is there
}

TEST_F(RelayCore, AFailedCommitAnswersDiskAndStoresNothing) {
  open(1);
  reconnect();
  store_->fail = true;
  EXPECT_EQ(send(1, "lost"), Outcome::kDisk);
  EXPECT_EQ(answers_.disk, std::vector<bool>{true});
  store_->fail = false;
  EXPECT_EQ(send(1, "too soon"), Outcome::kDisk);  // for a second the disk is left alone
  now_ += 2;
  EXPECT_EQ(send(1, "kept"), Outcome::kStored);
  EXPECT_EQ(answers_.disk, (std::vector<bool>{true, false}));
  open(1);
  EXPECT_EQ(got(), std::vector<std::string>{"kept"});
}

TEST_F(RelayCore, NumbersAreNotReusedAfterAFailedCommit) {
  open(1);
  store_->fail = true;
  EXPECT_EQ(send(1, "not stored"), Outcome::kDisk);
  ASSERT_EQ(got(), std::vector<std::string>{"not stored"});  // forwarded before the commit
  const Delivery early = answers_.deliveries[kReader][0];
  store_->fail = false;
  now_ += 2;
  EXPECT_EQ(send(1, "stored"), Outcome::kStored);
  apply(Ack{kReader, early.slot, early.number, early.number, 0});
  reconnect();
  open(1);
  EXPECT_EQ(got(), std::vector<std::string>{"stored"});
}

TEST_F(RelayCore, DeletionsOfAFailedCommitAreMadeUpFor) {
  open(1);
  send(1, "one");
  store_->fail = true;
  acknowledge_all();
  store_->fail = false;
  apply(Hangup{99});
  reconnect();
  open(1);
  EXPECT_TRUE(got().empty());
}

TEST_F(RelayCore, ASweepMakesUpForThemToo) {
  open(1);
  send(1, "one");
  store_->fail = true;
  acknowledge_all();
  store_->fail = false;
  core_->sweep(now_ += 2);
  reconnect();
  open(1);
  EXPECT_TRUE(got().empty());
}

TEST_F(RelayCore, AnInboxMadeInAFailedCommitIsNotOpen) {
  store_->fail = true;
  open(1);
  EXPECT_EQ(answers_.opens[1], Outcome::kDisk);
  store_->fail = false;
  now_ += 2;
  EXPECT_EQ(send(1, "x"), Outcome::kNotFound);
  open(1);
  EXPECT_EQ(answers_.opens[1], Outcome::kStored);
}

// What could not be read may be there, and what could not be written is as it was.
TEST_F(RelayCore, AFailedStoreClaimsNothing) {
  open(1);
  open(2);
  apply(PutBundle{kSender, 1, Locator{1}, PublicKey{1}, 100, "bundle"});
  reconnect();
  store_->fail = true;
  send(2, "leaves only this inbox in the cache");
  store_->fail = false;
  now_ += 2;
  store_->fail_at_once = true;
  std::vector<Input> batch;
  batch.emplace_back(Open{kReader, 3, inbox(1), token(1), true, 0});
  batch.emplace_back(submit(1, {"x"}));
  batch.emplace_back(GetBundle{kSender, 2, Locator{1}});
  answers_.outcomes.clear();
  core_->apply(std::move(batch), now_);
  EXPECT_EQ(answers_.opens[3], Outcome::kDisk);
  EXPECT_EQ(answers_.outcomes[kSender], std::vector<Outcome>{Outcome::kDisk});
  EXPECT_EQ(answers_.bundles[2].first, Outcome::kDisk);
}

// What a failed transaction could not read waits for the next one.
TEST_F(RelayCore, AReaderWhoComesWhileTheStoreFailsGetsWhatIsThere) {
  open(1);
  send(1, "one");
  reconnect();
  store_->fail_at_once = true;
  open(1);
  EXPECT_EQ(answers_.opens[1], Outcome::kStored);
  EXPECT_TRUE(got().empty());
  now_ += 2;
  core_->sweep(now_);
  EXPECT_EQ(got(), std::vector<std::string>{"one"});
}

// "Open" is not said of an inbox that stays closed, or keeps another token.
TEST_F(RelayCore, AnOwnerWhoReturnsToAFailedStoreIsNotAwaited) {
  open(1);
  open(2);
  apply(Close{kReader, 1, 0});
  const auto try_both = [&] {
    answers_.opens.clear();
    apply(Open{kReader, 11, inbox(1), token(1), true, 0});
    apply(Open{kReader, 12, inbox(2), token(9), true, 0});
    EXPECT_EQ(answers_.opens[11], Outcome::kDisk);
    EXPECT_EQ(answers_.opens[12], Outcome::kDisk);
  };
  store_->fail = true;
  try_both();
  store_->fail = false;
  try_both();  // the disk is left alone for a second
  EXPECT_EQ(send(1, "x"), Outcome::kGone);
  now_ += 2;
  open(1);
  EXPECT_EQ(send(1, "y"), Outcome::kStored);
}

TEST_F(RelayCore, AFullDiskLosesNothingThatWasAcknowledged) {
  make({}, 40);  // 160 KiB
  open(1);
  reconnect();
  std::vector<std::string> stored;
  Outcome outcome = Outcome::kStored;
  for (int i = 0; i < 100 && outcome == Outcome::kStored; ++i) {
    const std::string envelope = std::to_string(i) + std::string(4000, 'x');
    outcome = send(1, envelope);
    if (outcome == Outcome::kStored) stored.push_back(envelope);
  }
  ASSERT_EQ(outcome, Outcome::kDisk);
  ASSERT_GT(stored.size(), 10U);
  open(1);
  EXPECT_EQ(got(), stored);
  acknowledge_all();
  now_ += 2;
  EXPECT_EQ(send(1, "room again"), Outcome::kStored);
}

TEST_F(RelayCore, OnlyItsOwnerReplacesABundleUntilItExpires) {
  const Locator locator{5};
  apply(PutBundle{kSender, 1, locator, PublicKey{1}, 100, "first"});
  EXPECT_EQ(answers_.bundles[1].first, Outcome::kStored);
  apply(PutBundle{kSender, 2, locator, PublicKey{2}, 100, "thief's"});
  EXPECT_EQ(answers_.bundles[2].first, Outcome::kNotAllowed);
  apply(PutBundle{kSender, 3, locator, PublicKey{1}, 100, "second"});
  apply(GetBundle{kReader, 4, locator});
  EXPECT_EQ(answers_.bundles[4].second, "second");
  now_ += 101;
  apply(GetBundle{kReader, 5, locator});
  EXPECT_EQ(answers_.bundles[5].first, Outcome::kNotFound);
  core_->sweep(now_);
  apply(PutBundle{kSender, 6, locator, PublicKey{2}, 100, "another's"});
  EXPECT_EQ(answers_.bundles[6].first, Outcome::kStored);
}

TEST_F(RelayCore, TheStoreIdStaysWithTheDatabase) {
  const StoreId first = store_->id();
  make();
  EXPECT_EQ(store_->id(), first);
  const TemporaryDirectory other;
  std::string error;
  const auto fresh = open_sqlite_store(other.path() / "relay.db", {}, error);
  ASSERT_NE(fresh, nullptr);
  EXPECT_NE(fresh->id(), first);
}

}  // namespace
}  // namespace wherry::relay
