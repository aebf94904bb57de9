// The relay's store, with transactions that can be made to fail.
#pragma once

#include <memory>
#include <utility>

#include "transports/relay/store.h"

namespace wherry::test {

class FailingStore final : public relay::Store {
 public:
  explicit FailingStore(std::unique_ptr<relay::Store> store) : store_(std::move(store)) {}
  bool fail = false;          // the commit does
  bool fail_at_once = false;  // of the next transaction the first statement: it reads nothing then
  int failures = 0;           // commits that did, for whatever reason

  const relay::StoreId& id() const override { return store_->id(); }
  void begin() override {
    store_->begin();
    if (std::exchange(fail_at_once, false)) poison();
  }
  bool commit() override {
    if (fail) poison();
    const bool committed = store_->commit();
    if (!committed) ++failures;
    return committed;
  }
  std::optional<relay::InboxRow> find_inbox(const relay::InboxId& id) override {
    return store_->find_inbox(id);
  }
  void create_inbox(const relay::InboxId& id, relay::InboxRow& row) override {
    store_->create_inbox(id, row);
  }
  void update_inbox(const relay::InboxRow& row) override { store_->update_inbox(row); }
  void delete_inbox(std::int64_t row) override { store_->delete_inbox(row); }
  std::vector<std::pair<relay::InboxId, relay::InboxRow>> inboxes_after(
      std::int64_t after, std::size_t limit) override {
    return store_->inboxes_after(after, limit);
  }
  bool insert_envelope(std::int64_t inbox, std::uint32_t number, std::int64_t arrived_s,
                       std::int64_t hash, std::string_view body) override {
    return store_->insert_envelope(inbox, number, arrived_s, hash, body);
  }
  std::vector<relay::EnvelopeRow> envelopes_after(std::int64_t inbox, std::uint32_t after,
                                                  std::size_t limit, std::size_t bytes) override {
    return store_->envelopes_after(inbox, after, limit, bytes);
  }
  relay::Removed delete_envelopes(std::int64_t inbox, std::uint32_t first,
                                  std::uint32_t last) override {
    return store_->delete_envelopes(inbox, first, last);
  }
  relay::Removed delete_arrived_before(std::int64_t inbox, std::int64_t before_s) override {
    return store_->delete_arrived_before(inbox, before_s);
  }
  std::optional<relay::BundleRow> find_bundle(const relay::Locator& locator) override {
    return store_->find_bundle(locator);
  }
  void put_bundle(const relay::Locator& locator, const relay::BundleRow& bundle) override {
    store_->put_bundle(locator, bundle);
  }
  void delete_bundles_expired(std::int64_t now_s, std::size_t limit) override {
    store_->delete_bundles_expired(now_s, limit);
  }

 private:
  // A row that breaks the table's rules, so that the transaction is rolled back for real.
  void poison() {
    relay::InboxRow row;
    store_->create_inbox(relay::InboxId{0xfe}, row);
    store_->create_inbox(relay::InboxId{0xfe}, row);
  }
  std::unique_ptr<relay::Store> store_;
};

}  // namespace wherry::test
