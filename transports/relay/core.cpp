// The relay's core: one batch of inputs, one transaction; see the header.
#include "core.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace wherry::relay {
namespace {

constexpr std::int64_t kSecondsPerDay = 86400;

}  // namespace

std::size_t Core::HashInbox::operator()(const InboxId& id) const {
  std::size_t value = 0;  // an id is a hash already
  std::memcpy(&value, id.data(), sizeof(value));
  return value;
}

Core::Core(Store& store, const Quotas& quotas, std::size_t windows_bytes_max, Output& output)
    : store_(store), quotas_(quotas), windows_bytes_max_(windows_bytes_max), output_(output) {}

void Core::apply(std::vector<Input> batch, std::int64_t now_s) {
  now_s_ = now_s;
  store_.begin();
  for (const Deletion& deletion : deletions_) remove(deletion);
  for (Input& input : batch) {
    std::visit([this](auto& one) { apply_one(one); }, input);
  }
  fill_windows();
  flush_deliveries();
  answer(finish_batch());
  trim_cache();
}

bool Core::finish_batch() {
  write_inboxes();
  const bool committed = store_.commit();
  if (committed) {
    for (const InboxId& id : dirty_) {
      const auto inbox = inboxes_.find(id);
      if (inbox != inboxes_.end()) inbox->second.dirty = false;
    }
    dirty_.clear();
    deletions_.clear();
    read_out_.clear();
  } else {
    paused_until_s_ = now_s_ + kDiskPauseS;
    recover();
  }
  if (committed ? disk_failed_ && inserted_ : !disk_failed_) {
    disk_failed_ = !committed;
    output_.disk_failed(disk_failed_);
  }
  inserted_ = false;
  return committed;
}

// After a failed commit: rows are read again, and only the numbers that were given survive, to be
// written with the next batch.
void Core::recover() {
  std::vector<std::pair<InboxId, std::uint32_t>> numbers;
  for (const InboxId& id : dirty_) {
    const auto inbox = inboxes_.find(id);
    if (inbox != inboxes_.end()) numbers.emplace_back(id, inbox->second.row.next_number);
  }
  inboxes_.clear();
  dirty_.clear();
  store_.begin();
  for (const auto& [id, number] : numbers) {
    CachedInbox* inbox = find(id);
    if (inbox == nullptr) continue;
    inbox->row.next_number = std::max(inbox->row.next_number, number);
    touch(id, *inbox);
  }
  for (OpenAnswer& open : opens_) {
    if (open.outcome != Outcome::kStored) continue;
    const CachedInbox* inbox = find(open.inbox);
    const bool as_asked =
        inbox != nullptr && inbox->row.token_hash == open.token_hash && inbox->row.closed_s == 0;
    if (as_asked) continue;
    open.outcome = Outcome::kDisk;  // it was made, or opened again, in the batch that failed
    drop_slot(open.session, open.slot);
  }
  read_again();
  store_.commit();
}

void Core::answer(bool committed) {
  const auto unsure = [](Outcome outcome) {
    return outcome == Outcome::kStored || outcome == Outcome::kNotFound;
  };
  for (auto& [session, answers] : answers_) {
    if (!committed) {
      for (ResultRun& run : answers.runs) {
        if (unsure(run.outcome)) run.outcome = Outcome::kDisk;
      }
    }
    output_.results(session, answers.runs, answers.cost);
  }
  answers_.clear();
  for (const OpenAnswer& open : opens_) {
    output_.opened(open.session, open.slot, open.outcome,
                   open.created && open.outcome == Outcome::kStored);
  }
  opens_.clear();
  for (BundleAnswer& bundle : bundles_) {
    const bool disk = !committed && unsure(bundle.outcome) && bundle.bundle.empty();
    output_.bundle(bundle.session, bundle.request, disk ? Outcome::kDisk : bundle.outcome,
                   std::move(bundle.bundle));
  }
  bundles_.clear();
}

void Core::apply_one(Submit& submit) {
  Answers& answers = answers_[submit.session];
  answers.cost += submit.cost;
  const auto note = [&](Outcome outcome) {
    if (answers.runs.empty() || answers.runs.back().outcome != outcome) {
      answers.runs.push_back({0, outcome});
    }
    ++answers.runs.back().count;
  };
  for (Submit::Group& group : submit.groups) {
    std::optional<Outcome> refused = submit.refused;
    CachedInbox* inbox = refused ? nullptr : find(group.inbox);
    if (!refused && inbox == nullptr) refused = Outcome::kNotFound;
    if (!refused && inbox->row.token_hash != group.token_hash) refused = Outcome::kNotAllowed;
    if (!refused && inbox->row.closed_s != 0) refused = Outcome::kGone;
    if (!refused && now_s_ < paused_until_s_) refused = Outcome::kDisk;
    for (std::size_t i = 0; i < group.envelopes.size(); ++i) {
      note(refused ? *refused
                   : store_envelope(group.inbox, *inbox, group.hashes[i], group.envelopes[i]));
    }
  }
}

Outcome Core::store_envelope(const InboxId& id, CachedInbox& inbox, std::int64_t hash,
                             std::string& envelope) {
  InboxRow& row = inbox.row;
  if (row.envelopes >= quotas_.inbox_envelopes_max ||
      row.bytes + envelope.size() > quotas_.inbox_bytes_max || row.next_number == UINT32_MAX) {
    return Outcome::kFull;
  }
  const std::uint32_t number = row.next_number;
  if (!store_.insert_envelope(row.row, number, now_s_, hash, envelope)) return Outcome::kStored;
  touch(id, inbox);
  inserted_ = true;
  ++row.next_number;
  ++row.envelopes;
  row.bytes += envelope.size();
  forward(row, number, envelope);
  return Outcome::kStored;
}

void Core::apply_one(Open& open) {
  answers_[open.session].cost += open.cost;
  // Who opens an inbox again takes back that it was closed.
  std::erase_if(deletions_, [&](const Deletion& deletion) {
    return deletion.close && deletion.inbox == open.inbox;
  });
  const std::int64_t today = now_s_ / kSecondsPerDay;
  CachedInbox* inbox = find(open.inbox);
  const bool create = inbox == nullptr;
  const auto refuse = [&](Outcome outcome) {
    opens_.push_back({open.session, open.slot, outcome, open.inbox, open.token_hash, false});
  };
  if (create && !open.may_create) return refuse(Outcome::kQuota);
  const bool paused = now_s_ < paused_until_s_;
  if (create) {
    if (paused) return refuse(Outcome::kDisk);
    CachedInbox made;
    made.row.token_hash = open.token_hash;
    made.row.opened_day = today;
    store_.create_inbox(open.inbox, made.row);
    if (made.row.row == 0) return refuse(Outcome::kDisk);
    inbox = &(inboxes_[open.inbox] = made);
    touch(open.inbox, *inbox);
  }
  InboxRow& row = inbox->row;
  const bool other = row.token_hash != open.token_hash || row.closed_s != 0;
  if (other && paused) return refuse(Outcome::kDisk);
  if ((other || row.opened_day != today) && !paused) {
    row.token_hash = open.token_hash;
    row.opened_day = today;
    row.closed_s = 0;
    touch(open.inbox, *inbox);
  }
  const auto earlier = online_.find(row.row);
  if (earlier != online_.end()) drop_slot(earlier->second.session, earlier->second.slot);
  Reader& reader = readers_[open.session];
  ReaderInbox& slot = reader.slots[open.slot];
  slot = ReaderInbox{open.inbox, row.row, 0, false};
  online_[row.row] = {open.session, open.slot};
  mark_behind(reader, open.slot, slot);
  touched_.insert(open.session);
  opens_.push_back(
      {open.session, open.slot, Outcome::kStored, open.inbox, open.token_hash, create});
}

void Core::apply_one(Close& close) {
  answers_[close.session].cost += close.cost;
  const auto reader = readers_.find(close.session);
  if (reader == readers_.end()) return;
  const auto slot = reader->second.slots.find(close.slot);
  if (slot == reader->second.slots.end()) return;
  const Deletion deletion{slot->second.id, 0, UINT32_MAX, true};
  drop_slot(close.session, close.slot);
  remove(deletion);
  remember(deletion);
}

void Core::remove(const Deletion& deletion) {
  CachedInbox* inbox = find(deletion.inbox);
  if (inbox == nullptr) return;
  take_off(deletion.inbox, *inbox,
           store_.delete_envelopes(inbox->row.row, deletion.first, deletion.last));
  if (!deletion.close) return;
  inbox->row.closed_s = now_s_;
  touch(deletion.inbox, *inbox);
}

// What is beyond the bound is delivered, and acknowledged, once more.
void Core::remember(const Deletion& deletion) {
  if (deletions_.size() < kDeletionsMax) deletions_.push_back(deletion);
}

void Core::apply_one(PutBundle& put) {
  answers_[put.session].cost += put.cost;
  const auto earlier = store_.find_bundle(put.locator);
  Outcome outcome = Outcome::kStored;
  if (earlier && earlier->owner_key != put.owner_key && earlier->expires_s > now_s_) {
    outcome = Outcome::kNotAllowed;
  } else if (!put.may_be_new && (!earlier || earlier->owner_key != put.owner_key)) {
    outcome = Outcome::kQuota;
  } else if (now_s_ < paused_until_s_) {
    outcome = Outcome::kDisk;
  } else {
    store_.put_bundle(put.locator,
                      {put.owner_key, now_s_ + put.time_to_live_s, std::move(put.bundle)});
  }
  bundles_.push_back({put.session, put.request, outcome, {}});
}

void Core::apply_one(GetBundle& get) {
  answers_[get.session].cost += get.cost;
  auto bundle = store_.find_bundle(get.locator);
  const bool found = bundle && bundle->expires_s > now_s_;
  bundles_.push_back({get.session, get.request, found ? Outcome::kStored : Outcome::kNotFound,
                      found ? std::move(bundle->body) : std::string()});
}

void Core::sweep(std::int64_t now_s) {
  now_s_ = now_s;
  store_.begin();
  for (const Deletion& deletion : deletions_) remove(deletion);
  const auto inboxes = store_.inboxes_after(sweep_after_, kSweepInboxes);
  sweep_after_ = inboxes.size() < kSweepInboxes ? 0 : inboxes.back().second.row;
  const std::int64_t before = now_s - quotas_.envelope_time_to_live_s;
  for (const auto& [id, row] : inboxes) {
    const bool forgotten =
        (row.closed_s != 0 && row.closed_s + quotas_.closed_inbox_kept_s < now_s) ||
        (row.opened_day * kSecondsPerDay + quotas_.unused_inbox_kept_s < now_s);
    if (forgotten && online_.find(row.row) == online_.end()) {
      store_.delete_inbox(row.row);
      inboxes_.erase(id);
      continue;
    }
    if (row.envelopes == 0) continue;
    const Removed removed = store_.delete_arrived_before(row.row, before);
    if (removed.envelopes == 0) continue;
    CachedInbox* inbox = find(id);
    if (inbox == nullptr) continue;
    take_off(id, *inbox, removed);
  }
  store_.delete_bundles_expired(now_s, kSweepBundles);
  fill_windows();  // of what a failed commit gave back, nobody else would hear
  flush_deliveries();
  finish_batch();
  trim_cache();
}

Core::CachedInbox* Core::find(const InboxId& id) {
  const auto cached = inboxes_.find(id);
  if (cached != inboxes_.end()) return &cached->second;
  const auto row = store_.find_inbox(id);
  if (!row) return nullptr;
  return &(inboxes_[id] = {*row, false});
}

void Core::touch(const InboxId& id, CachedInbox& inbox) {
  if (inbox.dirty) return;
  inbox.dirty = true;
  dirty_.push_back(id);
}

void Core::take_off(const InboxId& id, CachedInbox& inbox, const Removed& removed) {
  if (removed.envelopes == 0) return;
  touch(id, inbox);
  inbox.row.envelopes -= std::min(inbox.row.envelopes, removed.envelopes);
  inbox.row.bytes -= std::min(inbox.row.bytes, removed.bytes);
}

void Core::write_inboxes() {
  for (const InboxId& id : dirty_) {
    const auto inbox = inboxes_.find(id);
    if (inbox != inboxes_.end()) store_.update_inbox(inbox->second.row);
  }
}

// Rows whose numbers are ahead of the store's stay.
void Core::trim_cache() {
  if (inboxes_.size() <= kInboxCacheMax) return;
  std::erase_if(inboxes_, [](const auto& entry) { return !entry.second.dirty; });
}

}  // namespace wherry::relay
