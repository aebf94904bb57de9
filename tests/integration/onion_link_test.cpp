// Both halves of an onion link, over sockets of this machine: what a peer can do wrong at the other
// end of a stream. No tor takes part.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <vector>

#include "include/wherry/transport.h"
#include "transports/onion/callers.h"
#include "transports/onion/fetch.h"
#include "transports/onion/link.h"

namespace wherry::transports::onion {
namespace {

using links::Bytes;
using links::FrameKind;

constexpr std::uint64_t kService = 5;
constexpr std::uint64_t kInbox = 7;
const Clock::time_point kStart = Clock::time_point() + 1h;

std::array<Descriptor, 2> pair_of_streams() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Bytes frame(FrameKind kind, const Bytes& rest = {}) {
  Bytes bytes{static_cast<std::uint8_t>(kind)};
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

Bytes envelopes(std::uint32_t first, std::uint32_t count) {
  Bytes bytes;
  for (std::uint32_t i = 0; i < count; ++i) links::append(bytes, first + i, Bytes(50, 1));
  return bytes;
}

Bytes numbers(FrameKind kind, std::vector<std::uint32_t> of) {
  return links::pack_numbers(kind, of);
}

// The other end of a stream: says frames, and hears them.
class Other {
 public:
  explicit Other(Descriptor socket) : stream_(std::move(socket)) {}

  void say(const Bytes& bytes) {
    stream_.put(bytes);
    static_cast<void>(stream_.write());
  }
  void say_raw(const Bytes& bytes) {
    EXPECT_EQ(::send(stream_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  std::vector<FrameKind> heard() {
    std::vector<FrameKind> kinds;
    while (!gone_) {
      pollfd one{stream_.descriptor(), POLLIN, 0};
      if (::poll(&one, 1, 0) != 1) break;
      gone_ = !stream_.read();
      while (const auto got = stream_.next()) kinds.push_back(*links::kind_of(*got));
    }
    return kinds;
  }
  bool is_gone() {
    heard();
    return gone_;
  }

 private:
  Stream stream_;
  bool gone_ = false;
};

class OnionCallers : public ::testing::Test {
 protected:
  OnionCallers() { callers.allow(kService, kInbox, std::nullopt, false); }

  Other come(Clock::time_point now = kStart) {
    auto ends = pair_of_streams();
    callers.came(kService, std::move(ends[0]), now);
    return Other(std::move(ends[1]));
  }
  void turn(Clock::time_point now = kStart) {
    for (int i = 0; i < 4; ++i) {
      for (const Callers::Watched& one : callers.watched()) {
        pollfd item{one.descriptor, one.events, 0};
        if (::poll(&item, 1, 0) == 1) callers.on_ready(one.caller, item.revents, now);
      }
      callers.on_time(now);
      callers.flush(now);
    }
  }

  std::size_t room = 1'000'000;
  std::vector<std::uint64_t> taken;  // receipts
  Callers callers{[this](std::uint64_t inbox, const std::vector<Arrival>& arrivals) {
                    if (inbox != kInbox) return arrivals.size();
                    const std::size_t count = std::min(room, arrivals.size());
                    room -= count;
                    for (std::size_t i = 0; i < count; ++i) taken.push_back(arrivals[i].receipt);
                    return count;
                  },
                  [](std::span<const std::uint8_t> locator) -> std::optional<Bytes> {
                    if (locator[0] != 1) return std::nullopt;
                    return Bytes(100, 9);
                  }};
};

TEST_F(OnionCallers, TakesAndTells) {
  Other ann = come();
  ann.say(frame(FrameKind::kHello));
  ann.say(envelopes(1, 3));
  turn();
  EXPECT_EQ(taken.size(), 3u);
  EXPECT_EQ(ann.heard(), std::vector<FrameKind>{});
  turn(kStart + kTellTakenWithin);
  EXPECT_EQ(ann.heard(), std::vector{FrameKind::kTaken});
  callers.stored(taken[1]);
  turn(kStart + kTellTakenWithin + kTellEvery);
  EXPECT_EQ(ann.heard(), std::vector{FrameKind::kStored});
  ann.say(frame(FrameKind::kPing));
  turn();
  EXPECT_EQ(ann.heard(), std::vector{FrameKind::kPong});
}

TEST_F(OnionCallers, TellsManyNumbersAtOnce) {
  Other ann = come();
  ann.say(frame(FrameKind::kHello));
  const auto say_and_store = [&](std::uint32_t number, Clock::time_point now) {
    ann.say(envelopes(number, 1));
    turn(now);
    callers.stored(taken.back());
    turn(now);
  };
  say_and_store(1, kStart);
  EXPECT_EQ(ann.heard(), std::vector{FrameKind::kStored});  // who is alone does not wait
  for (std::uint32_t number = 2; number < 10; ++number) say_and_store(number, kStart + 1ms);
  EXPECT_EQ(ann.heard(), std::vector<FrameKind>{});
  EXPECT_EQ(callers.deadline(), kStart + kTellEvery);
  turn(kStart + kTellEvery);
  EXPECT_EQ(ann.heard(), std::vector{FrameKind::kStored});
  ann.say(envelopes(10, kTellAtOnce));
  turn(kStart + kTellEvery);
  EXPECT_EQ(ann.heard(), std::vector{FrameKind::kTaken});
}

TEST_F(OnionCallers, GarbageEndsItsStreamAlone) {
  Other honest = come();
  honest.say(frame(FrameKind::kHello));
  for (const Bytes& bytes : {
           Bytes{0, 0, 0, 0},                                // an empty frame
           Bytes{0xff, 0xff, 0xff, 0xff},                    // four gigabytes
           Bytes{0, 0, 0, 1, 0},                             // no kind
           Bytes{0, 0, 0, 1, 1},                             // envelopes before a hello
           Bytes{0, 0, 0, 2, 5, 5},                          // a hello with a token that nobody has
           Bytes{0, 0, 0, 1, 5, 0, 0, 0, 1, 1},              // then no envelopes
           Bytes{0, 0, 0, 1, 5, 0, 0, 0, 2, 6, 6},           // then a ping with something in it
           Bytes{0, 0, 0, 1, 5, 0, 0, 0, 2, 8, 1},           // then a question that is too short
           Bytes{0, 0, 0, 1, 5, 0, 0, 0, 5, 2, 0, 0, 0, 1},  // then what a listener says
       }) {
    Other mallory = come();
    mallory.say_raw(bytes);
    turn();
    EXPECT_TRUE(mallory.is_gone()) << testing::PrintToString(bytes);
  }
  honest.say(envelopes(1, 1));
  turn();
  EXPECT_EQ(taken.size(), 1u);
  EXPECT_FALSE(honest.is_gone());
}

TEST_F(OnionCallers, NumbersThatFallEndTheStream) {
  Other mallory = come();
  mallory.say(frame(FrameKind::kHello));
  mallory.say(envelopes(5, 1));
  mallory.say(envelopes(5, 1));
  turn();
  EXPECT_EQ(taken.size(), 1u);
  EXPECT_TRUE(mallory.is_gone());
}

TEST_F(OnionCallers, WhoSaysNothingHasToGo) {
  Other silent = come();
  turn(kStart + kSilenceLimit - 1s);
  EXPECT_FALSE(silent.is_gone());
  turn(kStart + kSilenceLimit);
  EXPECT_TRUE(silent.is_gone());
  Other much = come();
  much.say_raw(Bytes(kHelloMax + 20, 0));
  turn();
  EXPECT_TRUE(much.is_gone());
}

TEST_F(OnionCallers, WhoPingsStaysAndWhoDoesNotGoes) {
  Other ann = come();
  ann.say(frame(FrameKind::kHello));
  turn();
  for (int minute = 1; minute <= 10; ++minute) {
    ann.say(frame(FrameKind::kPing));
    turn(kStart + minute * 1min);
    EXPECT_FALSE(ann.is_gone()) << minute;
  }
  turn(kStart + 10min + kIdleLimit);
  EXPECT_TRUE(ann.is_gone());
}

TEST_F(OnionCallers, OfOneContactTheOldestHasToGo) {
  std::vector<Other> all;
  for (std::size_t i = 0; i <= kCallersPerInbox; ++i) {
    all.push_back(come());
    all.back().say(frame(FrameKind::kHello));
    turn();
  }
  EXPECT_TRUE(all.front().is_gone());
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_FALSE(all[i].is_gone()) << i;
}

TEST_F(OnionCallers, ManyWhoAreSilentKeepNobodyOut) {
  std::vector<Other> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(come());
  Other ann = come();
  ann.say(frame(FrameKind::kHello));
  ann.say(envelopes(1, 1));
  turn();
  EXPECT_EQ(taken.size(), 1u);
}

// Those who hold cards may fill what is for strangers, and never what is for contacts.
TEST_F(OnionCallers, WhoHoldsCardsKeepsNoContactOut) {
  constexpr std::uint64_t kCards = 6;
  std::vector<Other> strangers;
  for (std::uint64_t card = 0; card < kCards; ++card) {
    callers.allow(100 + card, 200 + card, std::nullopt, true);
    for (std::size_t i = 0; i < kCallersOfAnybody + kSilentPerService; ++i) {
      auto ends = pair_of_streams();
      callers.came(100 + card, std::move(ends[0]), kStart);
      strangers.emplace_back(std::move(ends[1]));
      if (i < kCallersOfAnybody) strangers.back().say(frame(FrameKind::kHello));
      turn();
    }
  }
  Other ann = come();
  ann.say(frame(FrameKind::kHello));
  ann.say(envelopes(1, 1));
  turn();
  EXPECT_EQ(taken.size(), 1u);
  EXPECT_FALSE(ann.is_gone());
}

// Its memory does not grow: what it should have heard it will ask for again.
TEST_F(OnionCallers, WhoNeverReadsIsToldNoMore) {
  Other mallory = come();
  mallory.say(frame(FrameKind::kHello));
  for (std::uint32_t i = 1; i <= 200'000; i += 100) {
    mallory.say(envelopes(i, 100));
    turn();
    taken.clear();
  }
  ASSERT_EQ(callers.watched().size(), 1u);
  Other ann = come();
  ann.say(frame(FrameKind::kHello));
  ann.say(envelopes(1, 1));
  turn();
  EXPECT_EQ(taken.size(), 1u);
}

TEST_F(OnionCallers, AHostWithoutRoomLosesNothing) {
  room = 2;
  Other ann = come();
  ann.say(frame(FrameKind::kHello));
  ann.say(envelopes(1, 5));
  ann.say(envelopes(6, 5));
  turn();
  EXPECT_EQ(taken.size(), 2u);
  turn(kStart + 1h);
  EXPECT_FALSE(ann.is_gone());  // that nobody listens is not her doing
  room = 1'000;
  callers.resume(kStart + 1h);
  turn(kStart + 1h);
  EXPECT_EQ(taken.size(), 10u);
}

TEST_F(OnionCallers, AnInboxThatIsGivenUpHangsUp) {
  Other ann = come();
  ann.say(frame(FrameKind::kHello));
  turn();
  callers.forbid(kInbox);
  EXPECT_TRUE(ann.is_gone());
  Other again = come();
  again.say(frame(FrameKind::kHello));
  turn();
  EXPECT_EQ(again.heard(), std::vector{FrameKind::kRefused});
  EXPECT_TRUE(again.is_gone());
}

TEST(OnionSharing, ATokenSaysForWhom) {
  std::vector<std::uint64_t> inboxes;
  Callers callers{[&](std::uint64_t inbox, const std::vector<Arrival>& arrivals) {
                    inboxes.push_back(inbox);
                    return arrivals.size();
                  },
                  [](std::span<const std::uint8_t>) { return std::nullopt; }};
  const Token tokens[] = {{1}, {2}, {3}};
  callers.allow(kService, 1, tokens[0], false);
  callers.allow(kService, 2, tokens[1], false);
  for (int who : {1, 0, 2}) {
    auto ends = pair_of_streams();
    callers.came(kService, std::move(ends[0]), kStart);
    Other other(std::move(ends[1]));
    other.say(hello_of(tokens[who]));
    other.say(envelopes(1, 1));
    for (const Callers::Watched& one : callers.watched()) {
      callers.on_ready(one.caller, POLLIN, kStart);
    }
    EXPECT_EQ(other.is_gone(), who == 2);  // a token that nobody was given
  }
  EXPECT_EQ(inboxes, (std::vector<std::uint64_t>{2, 1}));
}

class OnionLink : public ::testing::Test {
 protected:
  OnionLink() {
    auto ends = pair_of_streams();
    other.emplace(std::move(ends[1]));
    link.ask();
    link.dialling();
    link.open(std::move(ends[0]), kStart);
  }
  void turn(Clock::time_point now = kStart) {
    if (link.state() == Link::State::kUp) {
      pollfd item{link.descriptor(), link.events(), 0};
      if (::poll(&item, 1, 0) == 1) link.on_ready(item.revents, now);
    }
    link.on_time(now);
  }
  bool is_down(std::int32_t reason) const {
    return link.state() == Link::State::kDown && link.reason() == reason;
  }

  std::optional<Other> other;
  Link link{Endpoint{SigningKey(tor::Seed{1}).public_key(), std::nullopt, std::nullopt}};
};

TEST_F(OnionLink, SaysWhatBecameOfEnvelopes) {
  for (std::uint64_t i = 1; i <= 3; ++i) link.queue(i, Bytes(50, 1), kStart);
  link.write();
  EXPECT_EQ(other->heard(), (std::vector{FrameKind::kHello, FrameKind::kEnvelopes}));
  other->say(numbers(FrameKind::kTaken, {1, 2}));
  other->say(numbers(FrameKind::kStored, {1}));
  turn();
  ASSERT_EQ(link.sent().size(), 3u);
  EXPECT_EQ(link.sent()[2].outcome, WHERRY_OUTCOME_STORED);
  other.reset();
  turn();
  EXPECT_TRUE(is_down(WHERRY_REASON_UNREACHABLE));
  EXPECT_EQ(link.sent().back().send_id, 3u);
  EXPECT_EQ(link.sent().back().outcome, WHERRY_OUTCOME_FAILED_RETRY);
}

TEST_F(OnionLink, GarbageEndsIt) {
  other->say_raw({0, 0, 0, 1, 99});
  turn();
  EXPECT_TRUE(is_down(WHERRY_REASON_PROTOCOL));
}

TEST_F(OnionLink, WhatWasNeverSentWasNotTaken) {
  link.queue(1, Bytes(50, 1), kStart);
  link.write();
  other->say(numbers(FrameKind::kTaken, {2}));
  turn();
  EXPECT_TRUE(is_down(WHERRY_REASON_PROTOCOL));
  ASSERT_EQ(link.sent().size(), 1u);
  EXPECT_EQ(link.sent()[0].outcome, WHERRY_OUTCOME_FAILED_RETRY);
}

TEST_F(OnionLink, ARefusalHasItsReason) {
  other->say(frame(FrameKind::kRefused));
  turn();
  EXPECT_TRUE(is_down(WHERRY_REASON_NOT_ALLOWED));
}

// A circuit that died without a word.
TEST_F(OnionLink, WithoutASignOfLifeItIsLost) {
  turn(kStart + kPingEvery);
  EXPECT_EQ(other->heard(), (std::vector{FrameKind::kHello, FrameKind::kPing}));
  other->say(frame(FrameKind::kPong));
  turn(kStart + kPingEvery + 1s);
  turn(kStart + kPingEvery + kPongLimit);
  EXPECT_EQ(link.state(), Link::State::kUp);
  turn(kStart + 2 * kPingEvery + 1s);
  turn(kStart + 2 * kPingEvery + 1s + kPongLimit);
  EXPECT_TRUE(is_down(WHERRY_REASON_TIMEOUT));
}

TEST_F(OnionLink, WhatIsNotTakenInTimeHasFailed) {
  link.queue(1, Bytes(50, 1), kStart);
  link.write();
  turn(kStart + kTakenLimit);
  EXPECT_TRUE(is_down(WHERRY_REASON_TIMEOUT));
  ASSERT_EQ(link.sent().size(), 1u);
}

// Whoever is there and never reads costs bounded memory.
TEST_F(OnionLink, WhoNeverReadsHoldsUpNoMoreThanAWindow) {
  for (std::uint64_t i = 1; i <= kSendQueueMax; ++i) link.queue(i, Bytes(40'000, 1), kStart);
  link.write();
  EXPECT_GT(link.queued(), kSendQueueMax / 2);
  EXPECT_NE(link.events() & POLLOUT, 0);
}

TEST(OnionFetch, TakesTheAnswerToItsQuestionAlone) {
  const Endpoint endpoint{SigningKey(tor::Seed{1}).public_key(), std::nullopt, std::nullopt};
  const Locator locator{4};
  const auto answered_by = [&](const Bytes& answer) {
    auto ends = pair_of_streams();
    Other other(std::move(ends[1]));
    Fetch fetch(endpoint, locator, kStart);
    fetch.open(std::move(ends[0]));
    other.say(answer);
    fetch.on_ready(POLLIN);
    EXPECT_TRUE(fetch.is_over());
    return fetch.reason();
  };
  const auto answer = [](const Locator& of, const Bytes& bundle) {
    Bytes bytes(of.begin(), of.end());
    bytes.insert(bytes.end(), bundle.begin(), bundle.end());
    return frame(FrameKind::kBundle, bytes);
  };
  EXPECT_EQ(answered_by(answer(locator, Bytes(10, 1))), WHERRY_REASON_NONE);
  EXPECT_EQ(answered_by(answer(locator, {})), WHERRY_REASON_NOT_FOUND);
  EXPECT_EQ(answered_by(answer(Locator{5}, Bytes(10, 1))), WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(answered_by(answer(locator, Bytes(WHERRY_BUNDLE_SIZE_MAX + 1, 1))),
            WHERRY_REASON_PROTOCOL);
  EXPECT_EQ(answered_by(frame(FrameKind::kRefused)), WHERRY_REASON_NOT_ALLOWED);
  EXPECT_EQ(answered_by(frame(FrameKind::kPong)), WHERRY_REASON_PROTOCOL);
}

}  // namespace
}  // namespace wherry::transports::onion
