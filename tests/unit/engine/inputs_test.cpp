// What is taken in which order, and what is bounded.
#include "engine/inputs.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "wherry/transport.h"

namespace wherry::engine {
namespace {

// Counts how often it was woken; nothing runs.
class NoExecutor : public Executor {
 public:
  void start(Turn) override {}
  void wake() override { ++woken; }
  void stop() override {}
  int woken = 0;
};

class InputsTest : public testing::Test {
 protected:
  static Incoming envelope(uint64_t receipt, size_t size = 512) {
    return {1, 1, receipt, Bytes(size)};
  }
  static SentReport report(uint64_t id) { return {1, id, WHERRY_OUTCOME_STORED, 0}; }
  // Its weight tells which one it is.
  static Command command(size_t number) { return {nullptr, nullptr, number}; }

  static std::vector<size_t> commands_of(const std::vector<Input>& taken) {
    std::vector<size_t> numbers;
    for (const Input& input : taken) {
      if (const auto* one = std::get_if<Command>(&input)) numbers.push_back(one->weight);
    }
    return numbers;
  }
  static std::vector<uint64_t> reports_of(const std::vector<Input>& taken) {
    std::vector<uint64_t> ids;
    for (const Input& input : taken) {
      if (const auto* one = std::get_if<SentReport>(&input)) ids.push_back(one->send_id);
      if (const auto* one = std::get_if<Incoming>(&input)) ids.push_back(one->receipt);
    }
    return ids;
  }

  NoExecutor executor;
  Inputs inputs{executor};
};

TEST_F(InputsTest, EachQueueKeepsItsOrder) {
  for (uint64_t i = 1; i <= 3; ++i) {
    inputs.push(command(i));
    inputs.push(report(i));
  }
  EXPECT_EQ(executor.woken, 6);
  const std::vector<Input> taken = inputs.take(false);
  EXPECT_EQ(commands_of(taken), (std::vector<size_t>{1, 2, 3}));
  EXPECT_EQ(reports_of(taken), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_TRUE(inputs.empty());
}

TEST_F(InputsTest, NeitherQueueWaitsBehindTheOther) {
  for (size_t i = 0; i < 2 * limits::kTurnInputs; ++i) {
    inputs.push(command(1));
    inputs.push(report(i));
  }
  const std::vector<Input> taken = inputs.take(false);
  EXPECT_EQ(commands_of(taken).size(), limits::kTurnInputs / 2);
  EXPECT_EQ(reports_of(taken).size(), limits::kTurnInputs / 2);
}

TEST_F(InputsTest, ReportsTakeTheRoomThatCommandsLeave) {
  for (size_t i = 0; i < 2 * limits::kTurnInputs; ++i) inputs.push(report(i));
  const std::vector<uint64_t> taken = reports_of(inputs.take(false));
  ASSERT_EQ(taken.size(), limits::kTurnInputs);
  for (size_t i = 0; i < taken.size(); ++i) EXPECT_EQ(taken[i], i);
}

TEST_F(InputsTest, ATurnHasItsBytes) {
  for (int i = 0; i < 4; ++i) inputs.push(command(limits::kTurnBytes / 2));
  EXPECT_EQ(inputs.take(false).size(), 2u);
  inputs.push(command(2 * limits::kTurnBytes));
  EXPECT_EQ(inputs.take(false).size(), 2u);
  EXPECT_EQ(inputs.take(false).size(), 1u);  // one alone may have more
}

TEST_F(InputsTest, WhereCommandsAloneAreTakenReportsStay) {
  inputs.push(report(1));
  inputs.push(command(1));
  EXPECT_EQ(reports_of(inputs.take(true)).size(), 0u);
  EXPECT_FALSE(inputs.empty());
  EXPECT_EQ(reports_of(inputs.take(false)), (std::vector<uint64_t>{1}));
}

TEST_F(InputsTest, EnvelopesAreBoundedInNumber) {
  constexpr size_t size = limits::kTurnBytes / (limits::kIncomingWaiting / 4);  // four turns
  for (uint64_t i = 0; i < limits::kIncomingWaiting; ++i) {
    ASSERT_TRUE(inputs.offer(envelope(i, size)));
  }
  EXPECT_FALSE(inputs.room_again());  // nobody was refused
  EXPECT_FALSE(inputs.offer(envelope(0)));
  EXPECT_FALSE(inputs.room_again());  // and now there is no room
  size_t left = limits::kIncomingWaiting;
  while (left > limits::kIncomingWaiting / 2) {
    EXPECT_FALSE(inputs.room_again());
    left -= inputs.take(false).size();
  }
  EXPECT_EQ(left, limits::kIncomingWaiting / 2);
  EXPECT_TRUE(inputs.room_again());
  EXPECT_FALSE(inputs.room_again());  // said once
  EXPECT_TRUE(inputs.offer(envelope(0)));
}

TEST_F(InputsTest, EnvelopesAreBoundedInBytes) {
  const size_t size = limits::kIncomingWaitingBytes / 4;
  for (uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(inputs.offer(envelope(i, size)));
  EXPECT_FALSE(inputs.offer(envelope(4, 1)));
  while (!inputs.empty()) inputs.take(false);
  EXPECT_TRUE(inputs.room_again());
  EXPECT_TRUE(inputs.offer(envelope(4, size)));
}

TEST_F(InputsTest, WhatWasNotCommittedComesFirstAgainAndCounts) {
  for (uint64_t i = 0; i < limits::kIncomingWaiting; ++i) {
    ASSERT_TRUE(inputs.offer(envelope(i)));
  }
  std::vector<Input> taken = inputs.take(false);
  const size_t count = taken.size();
  ASSERT_TRUE(inputs.offer(envelope(9'999)));
  inputs.put_back(std::move(taken));
  EXPECT_FALSE(inputs.offer(envelope(0)));
  const std::vector<uint64_t> again = reports_of(inputs.take(false));
  ASSERT_EQ(again.size(), count);
  for (size_t i = 0; i < count; ++i) EXPECT_EQ(again[i], i);
}

}  // namespace
}  // namespace wherry::engine
