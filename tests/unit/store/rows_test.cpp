// Transactions, sticky errors, and the rows whose rules are not plain.
#include "store/events.h"
#include "store/messages.h"
#include "store/sessions.h"
#include "store_fixture.h"

namespace wherry::store {
namespace {

using RowsTest = StoreTest;

TEST_F(RowsTest, AFailedStatementSpoilsItsTransaction) {
  db_->begin();
  outbox_insert(*db_, {1, 1, 10, 0, 5});
  outbox_insert(*db_, {1, 1, 11, 0, 5});  // the same key
  EXPECT_TRUE(db_->failed());
  outbox_insert(*db_, {1, 2, 12, 0, 5});  // does nothing
  EXPECT_FALSE(db_->commit());
  db_->forgive();
  EXPECT_EQ(outbox_count(*db_, 1), 0u);
  db_->begin();
  outbox_insert(*db_, {1, 1, 10, 0, 5});
  EXPECT_TRUE(db_->commit());
  EXPECT_EQ(outbox_count(*db_, 1), 1u);
}

TEST_F(RowsTest, TheOutboxKnowsWhatIsSealedWaitingAndBeyondAGap) {
  for (uint64_t seq = 1; seq <= 6; ++seq) outbox_insert(*db_, {1, seq, seq + 100, 0, 5});
  outbox_insert(*db_, {2, 1, 200, 0, 5});
  outbox_set_sealed(*db_, 1, 1, 2, 7);
  outbox_set_sealed(*db_, 1, 3, 4, 8);
  outbox_set_sealed(*db_, 1, 4, 4, kBeyondGap);
  EXPECT_EQ(outbox_waiting(*db_, 1), 2u);
  EXPECT_EQ(outbox_beyond_gap(*db_, 1).messages, 1u);
  EXPECT_EQ(outbox_beyond_gap(*db_, 1).bytes, 5u);
  outbox_set_sealed(*db_, 1, 1, 3, 0);
  EXPECT_EQ(outbox_waiting(*db_, 1), 5u);  // all but the one beyond the gap
  outbox_take_back_beyond_gap(*db_, 1);
  EXPECT_EQ(outbox_waiting(*db_, 1), 6u);
  EXPECT_EQ(outbox_beyond_gap(*db_, 1).messages, 0u);
  outbox_delete(*db_, 1, 1, 2);
  EXPECT_EQ(outbox_renumber(*db_, 1), 5u);
  EXPECT_EQ(outbox_waiting(*db_, 1), 4u);
  const std::vector<OutboxRow> rows = outbox_between(*db_, 1, 1, 100);
  ASSERT_EQ(rows.size(), 4u);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].seq, i + 1);
    EXPECT_EQ(rows[i].message, i + 103);
  }
  EXPECT_EQ(outbox_count(*db_, 2), 1u);
}

TEST_F(RowsTest, EventNumbersNeverComeAgain) {
  EXPECT_EQ(event_next(*db_), 1u);
  for (uint64_t seq = 1; seq <= 5; ++seq) event_insert(*db_, {seq, 1, 0, 0, 0, 0, 0});
  event_delete(*db_, 3);
  EXPECT_EQ(events_after(*db_, 0, 10).size(), 4u);
  EXPECT_EQ(events_after(*db_, 2, 1).front().seq, 4u);
  events_acknowledge(*db_, 5);
  EXPECT_TRUE(events_after(*db_, 0, 10).empty());
  EXPECT_EQ(event_next(*db_), 6u);
  events_acknowledge(*db_, 2);  // goes not back
  EXPECT_EQ(event_next(*db_), 6u);
}

TEST_F(RowsTest, HistoryIsPagedBothWays) {
  for (uint64_t id = 1; id <= 9; ++id) {
    MessageRow row;
    row.id = id;
    row.conversation = 1;
    row.mid = {static_cast<uint8_t>(id)};
    row.clock = id / 2;  // two of one clock: by rank, then id
    row.rank = id % 2 == 0 ? 5 : -5;
    message_insert(*db_, row);
  }
  const auto ids = [&](uint64_t from, bool older, uint32_t limit) {
    std::vector<uint64_t> found;
    for (const MessageRow& row : history(*db_, 1, from, older, limit)) found.push_back(row.id);
    return found;
  };
  const std::vector<uint64_t> all{1, 3, 2, 5, 4, 7, 6, 9, 8};
  EXPECT_EQ(ids(0, false, 100), all);
  EXPECT_EQ(ids(0, true, 3), (std::vector<uint64_t>{6, 9, 8}));
  EXPECT_EQ(ids(6, true, 2), (std::vector<uint64_t>{4, 7}));
  EXPECT_EQ(ids(4, false, 2), (std::vector<uint64_t>{7, 6}));
  EXPECT_TRUE(ids(99, false, 2).empty());
  EXPECT_TRUE(history(*db_, 2, 1, false, 10).empty());  // of another conversation
}

TEST_F(RowsTest, RatchetKeysAreSkippedOrUsed) {
  ratchet_key_put(*db_, 1, {4, false, false, Id128{4}, SecretBytes(Bytes{1})});
  ratchet_key_put(*db_, 1, {5, true, false, Id128{5}, SecretBytes(Bytes{1})});
  ratchet_key_put(*db_, 1, {6, true, true, Id128{6}, SecretBytes(Bytes{1})});
  EXPECT_FALSE(ratchet_key_by_tag(*db_, 1, Id128{4})->used);
  EXPECT_FALSE(ratchet_key_by_tag(*db_, 1, Id128{5})->owed);
  EXPECT_TRUE(ratchet_key_by_tag(*db_, 1, Id128{6})->owed);
  EXPECT_FALSE(ratchet_key_by_tag(*db_, 2, Id128{6}));
  EXPECT_EQ(ratchet_count_skipped(*db_, 1, 100), 1u);
  EXPECT_EQ(ratchet_first_skipped(*db_, 1, 0), 4u);
  EXPECT_EQ(ratchet_first_skipped(*db_, 1, 5), std::nullopt);
  ratchet_keys_erase_below(*db_, 1, 6);
  EXPECT_EQ(ratchet_keys(*db_, 1).size(), 1u);
}

TEST_F(RowsTest, StreamsAreInTheOrderInWhichTheyBegan) {
  for (uint64_t incarnation : {9u, 3u, 7u}) {
    stream_put(*db_, {1, Id128{2}, incarnation, 1, {}, false});
  }
  stream_put(*db_, {1, Id128{2}, 9, 5, {}, true});
  const std::vector<StreamRow> rows = streams(*db_, 1);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].incarnation, 9u);
  EXPECT_EQ(rows[0].next, 5u);
  EXPECT_EQ(rows[1].incarnation, 3u);
  EXPECT_EQ(rows[2].incarnation, 7u);
}

TEST_F(RowsTest, EarlyRecordsAreTakenOnce) {
  const StreamRow stream{1, Id128{2}, UINT64_MAX, 3, Bytes(16, 1), true};
  stream_put(*db_, stream);
  const std::vector<StreamRow> rows = streams(*db_, 1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.front().incarnation, UINT64_MAX);
  EXPECT_TRUE(rows.front().owed);
  early_put(*db_, stream, {5, 2, Bytes{9}});
  const auto early = early_take(*db_, stream, 5);
  ASSERT_TRUE(early.has_value());
  EXPECT_EQ(early->seq, 5u);
  EXPECT_EQ(early->transport, 2u);
  EXPECT_EQ(early->record, Bytes{9});
  EXPECT_FALSE(early_take(*db_, stream, 5).has_value());
}

}  // namespace
}  // namespace wherry::store
