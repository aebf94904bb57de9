// The relay's core over its real store, with transactions that can be made to fail.
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "failing_store.h"
#include "relay_fixture.h"
#include "transports/common/crypto.h"
#include "transports/relay/core.h"
#include "transports/relay/sqlite_store.h"

namespace wherry::relay {

using test::FailingStore;
using test::TemporaryDirectory;

// Collects what the core answers.
struct Answers final : Output {
  std::map<SessionId, std::vector<Outcome>> outcomes;
  std::map<SessionId, std::vector<Delivery>> deliveries;
  std::map<SessionId, std::size_t> dropped;
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
  void drop(SessionId session, std::uint32_t, std::size_t bytes) override {
    dropped[session] += bytes;
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
    core_ = std::make_unique<Core>(*store_, quotas, windows_bytes_max_, answers_);
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
  std::size_t windows_bytes_max_ = std::size_t{64} * 1024 * 1024;
};

}  // namespace wherry::relay
