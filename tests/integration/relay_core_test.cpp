// The relay's core over its real store: who may send and read, what is kept, what a full disk does.
#include <gtest/gtest.h>

#include <map>

#include "failing_store.h"
#include "relay_fixture.h"
#include "transports/common/crypto.h"
#include "transports/relay/core.h"
#include "transports/relay/sqlite_store.h"

namespace wherry::relay {
namespace {

using test::FailingStore;
using test::TemporaryDirectory;

// Collects what the core answers.
struct Answers final : Output {
  std::map<SessionId, std::vector<Outcome>> outcomes;
  std::map<SessionId, std::vector<Delivery>> deliveries;
  std::map<std::uint32_t, Outcome> opens;
  std::map<std::uint64_t, std::pair<Outcome, std::string>> bundles;
  std::vector<bool> disk;

  void results(SessionId session, const std::vector<ResultRun>& runs, std::size_t) override {
    for (const ResultRun& run : runs) {
      outcomes[session].insert(outcomes[session].end(), run.count, run.outcome);
    }
  }
  void opened(SessionId, std::uint32_t slot, Outcome outcome, bool) override {
    opens[slot] = outcome;
  }
  void deliver(SessionId session, std::vector<Delivery> some) override {
    for (Delivery& one : some) deliveries[session].push_back(std::move(one));
  }
  void bundle(SessionId, std::uint64_t request, Outcome outcome, std::string bytes) override {
    bundles[request] = {outcome, std::move(bytes)};
  }
  void disk_failed(bool failed) override { disk.push_back(failed); }
};

class RelayCore : public ::testing::Test {
 protected:
  static constexpr SessionId kSender = 1;
  static constexpr SessionId kReader = 2;
  static constexpr std::int64_t kStart = 1'800'000'000;

  void SetUp() override { make(); }

  void make(const Quotas& quotas = {}, std::uint32_t pages_max = 0) {
    core_.reset();
    store_.reset();
    std::string error;
    auto store = open_sqlite_store(directory_.path() / "relay.db", {pages_max, false}, error);
    ASSERT_NE(store, nullptr) << error;
    store_ = std::make_unique<FailingStore>(std::move(store));
    core_ = std::make_unique<Core>(*store_, quotas, answers_);
  }

  static InboxId inbox(std::uint8_t which) { return InboxId{which, 1, 2, 3, 4, 5, 6, 7, 8}; }
  static TokenHash token(std::uint8_t which) { return TokenHash{which}; }

  void apply(Input input) {
    std::vector<Input> batch;
    batch.push_back(std::move(input));
    core_->apply(std::move(batch), now_);
  }

  void open(std::uint8_t which, SessionId session = kReader) {
    apply(Open{session, which, inbox(which), token(which), true, 0});
  }

  static Submit submit(std::uint8_t which, const std::vector<std::string>& envelopes,
                       SessionId session = kSender) {
    Submit::Group group;
    group.inbox = inbox(which);
    group.token_hash = token(which);
    group.envelopes = envelopes;
    for (const std::string& envelope : envelopes) {
      group.hashes.push_back(static_cast<std::int64_t>(std::hash<std::string>{}(envelope)));
    }
    return {session, {group}, std::nullopt, 0};
  }

  Outcome send(std::uint8_t which, const std::string& envelope) {
    answers_.outcomes[kSender].clear();
    apply(submit(which, {envelope}));
    EXPECT_EQ(answers_.outcomes[kSender].size(), 1U);
    return answers_.outcomes[kSender].empty() ? Outcome::kLater : answers_.outcomes[kSender][0];
  }

  std::vector<std::string> got(SessionId session = kReader) {
    std::vector<std::string> out;
    for (const Delivery& one : answers_.deliveries[session]) out.push_back(one.envelope);
    return out;
  }

  void acknowledge_all(SessionId session = kReader) {
    for (const Delivery& one : std::exchange(answers_.deliveries[session], {})) {
      apply(Ack{session, one.slot, one.number, one.number, 0});
    }
  }

  void reconnect() {
    apply(Hangup{kReader});
    answers_.deliveries.clear();
  }

  TemporaryDirectory directory_;
  Answers answers_;
  std::unique_ptr<FailingStore> store_;
  std::unique_ptr<Core> core_;
  std::int64_t now_ = kStart;
};

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

TEST_F(RelayCore, AReaderHasAtMostItsWindowOnTheWay) {
  Quotas quotas;
  quotas.inbox_envelopes_max = 5000;
  make(quotas);
  open(1);
  std::vector<std::string> all;
  for (int i = 0; i < 3000; ++i) all.push_back("envelope " + std::to_string(i));
  apply(submit(1, all));
  EXPECT_EQ(answers_.deliveries[kReader].size(), kReaderWindowEnvelopes);
  std::vector<std::string> seen;
  for (int round = 0; round < 3000 && seen.size() < all.size(); ++round) {
    for (const std::string& text : got()) seen.push_back(text);
    const auto batch = std::exchange(answers_.deliveries[kReader], {});
    ASSERT_FALSE(batch.empty());
    ASSERT_LE(batch.size(), kReaderWindowEnvelopes);
    apply(Ack{kReader, 1, batch.front().number, batch.back().number, 0});
  }
  EXPECT_EQ(seen, all);
}

TEST_F(RelayCore, TheWindowBoundsBytesToo) {
  open(1);
  std::vector<std::string> all;
  for (int i = 0; i < 300; ++i) all.push_back(std::string(kEnvelopeSizeMax, static_cast<char>(i)));
  for (int i = 0; i < 300; ++i) all[static_cast<std::size_t>(i)][0] = static_cast<char>(i / 200);
  apply(submit(1, all));
  EXPECT_LE(answers_.deliveries[kReader].size() * kEnvelopeSizeMax,
            kReaderWindowBytes + kEnvelopeSizeMax);
}

TEST_F(RelayCore, ALaterReaderReplacesAnEarlierOne) {
  open(1, 7);
  open(1, 8);
  send(1, "one");
  EXPECT_TRUE(got(7).empty());
  EXPECT_EQ(got(8), std::vector<std::string>{"one"});
  apply(Hangup{7});
  send(1, "two");
  EXPECT_EQ(got(8), (std::vector<std::string>{"one", "two"}));
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
