// With any loss, order and duplication within the limits, over long one-way feeds and chains that
// turn at every message: all that arrives decrypts, duplicates are known as such, the rows kept are
// exactly those at or above the floor, and no nonce or tag comes twice.
#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"
#include "session/end.h"

namespace wherry::test {
namespace {

using session::OpenStep;
using session::Outcome;

// Envelopes from one end to the other, and what must be true of them.
class Direction {
 public:
  Direction(End& from, End& to, SeededRandom& random) : from_(from), to_(to), random_(random) {}

  bool may_send() const {
    return from_.state().can_seal() && from_.state().unsettled() < limits::kUnsettledMax &&
           from_.state().next_g() - floor_ < limits::kUnsettledMax;
  }

  void send() {
    const Bytes payload = random_.bytes(random_.below(64));
    const auto step = from_.seal(payload, floor_, random_);
    ASSERT_EQ(step.g, sent_.size());
    ASSERT_TRUE(nonces_.insert(to_array<24>(step.envelope)).second);
    ASSERT_TRUE(tags_.insert(session::tag_of(step.envelope)).second);
    sent_.push_back({step.envelope, payload, false});
    under_way_.push_back(step.g);
  }

  // Loses, delivers or doubles one of what is under way.
  void move(unsigned loss_percent, unsigned double_percent, bool in_order) {
    if (under_way_.empty()) return;
    const size_t at = in_order ? 0 : random_.below(under_way_.size());
    const uint64_t g = under_way_[at];
    if (!random_.chance(double_percent)) {
      under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    if (!random_.chance(loss_percent)) deliver(g);
  }

  void deliver(uint64_t g) {
    Sent& sent = sent_[g];
    const bool below_floor = g < to_.state().peer_floor;
    const Result<OpenStep> step = to_.open(sent.envelope);
    if (below_floor) {
      // Its tag is forgotten, or its header still opens: either way nothing comes of it.
      ASSERT_TRUE(!step.ok() || step->outcome == Outcome::kBelowFloor) << g;
      return;
    }
    ASSERT_TRUE(step.ok()) << g << ": " << step.error().text;
    ASSERT_EQ(step->g, g);
    ASSERT_FALSE(step->own_rollback);
    ASSERT_EQ(step->outcome, sent.opened ? Outcome::kDuplicate : Outcome::kOpened) << g;
    if (sent.opened) return;
    ASSERT_EQ(step->payload, sent.payload);
    sent.opened = true;
    ++opened_;
    check_rows();
  }

  // Everything still under way arrives, in any order.
  void flush() {
    while (!under_way_.empty()) move(0, 0, false);
  }

  // The sender gives up some of the oldest, as it does when it seals anew.
  void raise_floor() {
    floor_ = std::max(floor_, from_.state().peer_received);
    floor_ += random_.below(from_.state().next_g() - floor_ + 1);
  }

  size_t sent() const { return sent_.size(); }
  size_t opened() const { return opened_; }

 private:
  struct Sent {
    Bytes envelope;
    Bytes payload;
    bool opened;
  };

  void check_rows() {
    const session::Ratchet& state = to_.state();
    const auto& rows = to_.keys().rows();
    ASSERT_LE(rows.size(), limits::kKeysKeptMax);
    ASSERT_EQ(rows.size(), state.next_receive_g() - state.peer_floor);
    uint64_t missing = state.next_receive_g();
    uint32_t skipped = 0;
    for (const auto& [g, row] : rows) {
      ASSERT_EQ(row.used, sent_[g].opened) << g;
      if (row.used) continue;
      missing = std::min(missing, g);
      ++skipped;
    }
    ASSERT_EQ(state.received, missing);
    ASSERT_EQ(state.skipped, skipped);
  }

  End& from_;
  End& to_;
  SeededRandom& random_;
  std::vector<Sent> sent_;
  std::vector<uint64_t> under_way_;
  std::set<crypto::Nonce> nonces_;
  std::set<session::Tag> tags_;
  uint64_t floor_ = 0;
  size_t opened_ = 0;
};

// What one run is like, drawn from its seed.
struct Weather {
  unsigned loss_percent;
  unsigned double_percent;
  unsigned forward_percent;  // how often the initiator is the one to act
  unsigned send_percent;     // sending against moving
  bool in_order;
};

class RatchetPropertyTest : public testing::TestWithParam<uint64_t> {};

TEST_P(RatchetPropertyTest, AllThatArrivesDecrypts) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  SeededRandom random(GetParam());
  const Weather weather{static_cast<unsigned>(random.below(60)),
                        static_cast<unsigned>(random.below(30)),
                        static_cast<unsigned>(5 + random.below(91)),
                        static_cast<unsigned>(20 + random.below(50)), random.chance(25)};
  std::pair<End, End> ends = make_ends(random);
  Direction there(ends.first, ends.second, random);
  Direction back(ends.second, ends.first, random);
  for (int i = 0; i < 2500; ++i) {
    Direction& direction = random.chance(weather.forward_percent) ? there : back;
    if (random.chance(weather.send_percent) && direction.may_send()) {
      direction.send();
    } else {
      direction.move(weather.loss_percent, weather.double_percent, weather.in_order);
    }
    if (random.chance(3) || !direction.may_send()) direction.raise_floor();
    if (random.chance(1)) ends.first.reload();
    if (random.chance(1)) ends.second.reload();
    if (HasFatalFailure()) return;
  }
  there.flush();
  back.flush();
  EXPECT_GT(there.opened(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RatchetPropertyTest, testing::Range<uint64_t>(1, 41));

TEST(RatchetFeedTest, OneWayFeedOf100000) {
  SeededRandom random(100);
  std::pair<End, End> ends = make_ends(random);
  size_t opened = 0;
  size_t lost = 0;
  for (uint64_t i = 0; i < 100000; ++i) {
    const uint64_t floor = i < 200 ? 0 : i - 200;
    const auto sealed = ends.first.seal({}, floor, random);
    if (random.chance(20)) {
      ++lost;
      continue;
    }
    const Result<OpenStep> step = ends.second.open(sealed.envelope);
    ASSERT_TRUE(step.ok()) << i;
    ASSERT_TRUE(ends.second.placed()) << i;
    ASSERT_EQ(step->outcome, Outcome::kOpened);
    ASSERT_LE(ends.second.keys().rows().size(), 201u);
    ++opened;
  }
  EXPECT_EQ(opened + lost, 100000u);
  EXPECT_LE(ends.second.tags().size(), 2u * limits::kTagsAhead + 201);
}

TEST(RatchetFeedTest, ChainsThatTurnAtEveryMessage) {
  SeededRandom random(101);
  std::pair<End, End> ends = make_ends(random);
  Direction there(ends.first, ends.second, random);
  Direction back(ends.second, ends.first, random);
  for (int i = 0; i < 3000; ++i) {
    there.send();
    there.flush();
    back.send();
    back.flush();
    ASSERT_FALSE(testing::Test::HasFatalFailure());
  }
  EXPECT_EQ(there.opened(), 3000u);
  EXPECT_EQ(back.opened(), 3000u);
  EXPECT_EQ(ends.second.state().receive_chains, 3000u);
  EXPECT_LE(ends.first.keys().rows().size(), 3u);
}

TEST(RatchetFeedTest, GapBeyondTheTagsIsFoundByTrial) {
  SeededRandom random(102);
  std::pair<End, End> ends = make_ends(random);
  for (uint32_t i = 0; i < limits::kTagsAhead; ++i) ends.first.seal({}, i, random);
  const auto sealed = ends.first.seal({}, limits::kTagsAhead, random);
  ASSERT_TRUE(ends.second.open(sealed.envelope).ok());
  EXPECT_FALSE(ends.second.placed());
  ASSERT_TRUE(ends.second.open(ends.first.seal({}, 0, random).envelope).ok());
  EXPECT_TRUE(ends.second.placed());
}

}  // namespace
}  // namespace wherry::test
