// Ids are found in memory, on the disk, and after an opening.
#include "store/message_ids.h"

#include "base/limits.h"
#include "store/messages.h"
#include "store/meta.h"
#include "store_fixture.h"

namespace wherry::store {
namespace {

class MessageIdsTest : public StoreTest {
 protected:
  MessageIds load() {
    Result<MessageIds> ids = MessageIds::load(*db_, key_);
    EXPECT_TRUE(ids);
    return ids.take();
  }
  // The next message, with a random id.
  void insert(MessageIds& ids, uint64_t conversation) {
    MessageRow row;
    row.id = ids_.size() + 1;
    row.conversation = conversation;
    row.mid = random_.array<16>();
    message_insert(*db_, row);
    ids.add(*db_, row.conversation, row.mid, row.id);
    ids_.push_back(row.mid);
  }
  void expect_all_found(const MessageIds& ids, uint64_t conversation) {
    for (size_t i = 0; i < ids_.size(); ++i) {
      ASSERT_EQ(ids.find(*db_, conversation, ids_[i]), i + 1);
    }
  }
  uint64_t stored() {
    Query query = db_->query("SELECT count(*) FROM message_id");
    return query.next() ? query.number(0) : 0;
  }

  const Secret<32> key_{std::array<uint8_t, 32>{7}};
  std::vector<Id128> ids_;
};

TEST_F(MessageIdsTest, AreFoundInMemoryOnTheDiskAndAfterAnOpening) {
  MessageIds ids = load();
  db_->begin();
  for (size_t i = 0; i < 3 * limits::kMessageIdsKept; ++i) insert(ids, 1);
  expect_all_found(ids, 1);
  EXPECT_LT(ids.kept(), limits::kMessageIdsKept);
  EXPECT_EQ(stored() + ids.kept(), ids_.size());
  EXPECT_TRUE(db_->commit());

  MessageIds again = load();
  EXPECT_EQ(again.kept(), ids.kept());
  expect_all_found(again, 1);
  for (size_t i = 0; i < limits::kMessageIdsKept; ++i) insert(again, 1);
  expect_all_found(again, 1);
}

TEST_F(MessageIdsTest, AreOfOneConversation) {
  MessageIds ids = load();
  insert(ids, 1);
  EXPECT_EQ(ids.find(*db_, 1, ids_[0]), 1u);
  EXPECT_EQ(ids.find(*db_, 2, ids_[0]), std::nullopt);
  EXPECT_EQ(ids.find(*db_, 1, Id128{9}), std::nullopt);
}

// As two ids would do whose hashes are the same.
TEST_F(MessageIdsTest, WhatHasTheSameHashIsToldApart) {
  MessageIds ids = load();
  db_->begin();
  for (size_t i = 0; i < 2 * limits::kMessageIdsKept; ++i) insert(ids, 1);
  db_->run_script("INSERT INTO message_id SELECT hash, message - 1 FROM message_id ORDER BY hash");
  EXPECT_TRUE(db_->commit());
  expect_all_found(ids, 1);
}

TEST_F(MessageIdsTest, DamageIsSeen) {
  meta_set(*db_, "message_ids_stored", Bytes(7));
  const Result<MessageIds> ids = MessageIds::load(*db_, key_);
  ASSERT_FALSE(ids);
  EXPECT_EQ(ids.error().status, WHERRY_E_CORRUPT);
}

}  // namespace
}  // namespace wherry::store
