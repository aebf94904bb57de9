// What is on its way to readers: each one's window, and the budget of all windows.
#include "relay_core_fixture.h"

namespace wherry::relay {
namespace {

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

// Many readers at one core, each with an inbox of its own; what they were given and have not let go
// of is what the relay holds in memory for them.
class RelayReaders : public RelayCore {
 protected:
  static constexpr std::size_t kBudget = std::size_t{16} * 1024 * 1024;
  static constexpr std::size_t kReaders = 200;
  static constexpr std::size_t kEnvelopes = 12;
  static constexpr std::size_t kSize = 20'000;
  static constexpr SessionId kFirst = 100;

  void SetUp() override {
    windows_bytes_max_ = kBudget;
    make();
  }

  static SessionId session(std::size_t reader) { return kFirst + reader; }
  static InboxId inbox_of(std::size_t reader) {
    return {static_cast<std::uint8_t>(reader), static_cast<std::uint8_t>(reader >> 8U), 9};
  }
  static std::string envelope(std::size_t reader, std::size_t number, std::size_t size = kSize) {
    std::string text = std::to_string(reader) + "/" + std::to_string(number) + "/";
    text.resize(size, '.');
    return text;
  }

  void open_all(std::size_t from, std::size_t to) {
    for (std::size_t reader = from; reader < to; ++reader) {
      apply(Open{session(reader), 1, inbox_of(reader), token(1), true, 0});
    }
  }
  Submit to(std::size_t reader, std::size_t number, std::size_t size = kSize) const {
    Submit::Group group;
    group.inbox = inbox_of(reader);
    group.token_hash = token(1);
    group.envelopes = {envelope(reader, number, size)};
    group.hashes = {static_cast<std::int64_t>(number)};
    return {kSender, {group}, std::nullopt, 0};
  }
  // The next envelope for each of the first `readers`, in one batch.
  void send_all(std::size_t readers, std::size_t number, std::size_t size = kSize) {
    std::vector<Input> batch;
    for (std::size_t reader = 0; reader < readers; ++reader) {
      batch.emplace_back(to(reader, number, size));
    }
    core_->apply(std::move(batch), now_);
  }

  // Bytes that were delivered and are not acknowledged.
  std::size_t held() const {
    std::size_t sum = 0;
    for (const auto& [session, deliveries] : answers_.deliveries) {
      for (const Delivery& one : deliveries) sum += one.envelope.size();
    }
    return sum;
  }
  std::size_t held_by(std::size_t reader) { return answers_.deliveries[session(reader)].size(); }

  void acknowledge(std::size_t reader) {
    std::vector<Input> batch;
    for (Delivery& one : std::exchange(answers_.deliveries[session(reader)], {})) {
      EXPECT_EQ(one.envelope, envelope(reader, taken_[reader], one.envelope.size()));
      ++taken_[reader];
      batch.emplace_back(Ack{session(reader), one.slot, one.number, one.number, 0});
    }
    core_->apply(std::move(batch), now_);
  }

  // All from `first` on acknowledge round after round until they have everything, in order, while
  // no more than `most` bytes are in memory.
  void expect_everything(std::size_t first, std::size_t most) {
    for (std::size_t round = 0; round < kEnvelopes; ++round) {
      for (std::size_t reader = first; reader < kReaders; ++reader) acknowledge(reader);
      ASSERT_LE(held(), most);
    }
    for (std::size_t reader = first; reader < kReaders; ++reader) {
      EXPECT_EQ(taken_[reader], kEnvelopes) << reader;
    }
  }

  std::map<std::size_t, std::size_t> taken_;  // reader -> envelopes, in order
};

// 48 MB for readers who are slow: 16 MiB of it are in memory, everybody has a share of them, and
// who never acknowledges keeps nobody from getting everything.
TEST_F(RelayReaders, ManySlowOnesShareOneBudget) {
  open_all(0, kReaders);
  for (std::size_t number = 0; number < kEnvelopes; ++number) {
    send_all(kReaders, number);
    ASSERT_LE(held(), kBudget);
  }
  EXPECT_GT(held(), kBudget / 2) << "the budget is used";
  for (std::size_t reader = 0; reader < kReaders; ++reader) {
    EXPECT_GE(held_by(reader) * kSize, kBudget / (2 * kReaders)) << "a fair share";
  }
  constexpr std::size_t kStuck = 50;  // until the others have everything
  expect_everything(kStuck, kBudget);
  EXPECT_EQ(taken_[0], 0U);
  expect_everything(0, kBudget);
  EXPECT_EQ(held(), 0U);
}

// Those who come when others have filled the budget have at least the smallest share beyond it.
TEST_F(RelayReaders, LateOnesHaveAShareToo) {
  open_all(0, kReaders);
  for (std::size_t reader = kReaders / 2; reader < kReaders; ++reader) {
    apply(Hangup{session(reader)});
  }
  for (std::size_t number = 0; number < kEnvelopes; ++number) {
    send_all(kReaders, number);
  }
  ASSERT_LE(held(), kBudget);
  open_all(kReaders / 2, kReaders);
  const std::size_t most = kBudget + kReaders / 2 * kReaderShareMin;
  ASSERT_LE(held(), most);
  expect_everything(kReaders / 2, most);
  expect_everything(0, most);
}

// So many that the budget has not even an envelope for each: one envelope each is always given.
TEST_F(RelayReaders, NobodyIsStarvedHoweverManyThereAre) {
  windows_bytes_max_ = 100'000;
  make();
  constexpr std::size_t kMany = 20;
  open_all(0, kMany);
  for (std::size_t number = 0; number < 3; ++number) {
    send_all(kMany, number, kEnvelopeSizeMax);
  }
  EXPECT_LE(held(), kMany * kReaderShareMin);
  for (std::size_t number = 0; number < 3; ++number) {
    for (std::size_t reader = 0; reader < kMany; ++reader) {
      ASSERT_EQ(held_by(reader), 1U) << reader;
      acknowledge(reader);
    }
  }
  for (std::size_t reader = 0; reader < kMany; ++reader) EXPECT_EQ(taken_[reader], 3U);
}

// Small envelopes cost more than their bytes.
TEST_F(RelayReaders, TheBudgetCountsWhatSmallEnvelopesCost) {
  windows_bytes_max_ = 100 * (kDeliveryCost + 20);
  make();
  open_all(0, 1);
  for (std::size_t number = 0; number < 300; ++number) apply(to(0, number, 20));
  EXPECT_LE(held_by(0), kReaderShareMin / (kDeliveryCost + 20));
  for (int round = 0; round < 300 && taken_[0] < 300; ++round) acknowledge(0);
  EXPECT_EQ(taken_[0], 300U);
}

// What one reader gives back goes to who waits, though nobody of them says anything.
TEST_F(RelayReaders, RoomThatAReaderLeavesGoesToThoseThatWait) {
  open_all(0, kReaders);
  for (std::size_t number = 0; number < kEnvelopes; ++number) {
    send_all(kReaders, number);
  }
  for (std::size_t reader = 1; reader < kReaders; ++reader) {
    apply(Hangup{session(reader)});
    answers_.deliveries.erase(session(reader));
  }
  EXPECT_EQ(held_by(0), kEnvelopes);
}

// An inbox that is taken over again and again: what its readers had before is still in memory.
TEST_F(RelayReaders, WhatATakenOverInboxHadDeliveredCountsUntilItIsDropped) {
  windows_bytes_max_ = std::size_t{1} * 1024 * 1024;
  make();
  open_all(0, 1);
  apply(Hangup{session(0)});
  for (std::size_t number = 0; number < 60; ++number) apply(to(0, number));
  constexpr std::size_t kTakers = 30;
  for (SessionId taker = 1; taker <= kTakers; ++taker) {
    apply(Open{1000 + taker, 1, inbox_of(0), token(1), true, 0});
  }
  EXPECT_LE(held(), windows_bytes_max_ + kTakers * kReaderShareMin);
  const SessionId last = 1000 + kTakers;
  EXPECT_LE(answers_.deliveries[last].size(), kReaderShareMin / kSize);
  const std::size_t before = answers_.deliveries[last].size();
  for (SessionId taker = 1; taker < kTakers; ++taker) {
    EXPECT_GT(answers_.dropped[1000 + taker], 0U);
    apply(Dropped{1000 + taker, answers_.dropped[1000 + taker]});
  }
  EXPECT_GT(answers_.deliveries[last].size(), 5 * before);
}

}  // namespace
}  // namespace wherry::relay
