// The relay, and the model that it is held against.
#include "relay_model.h"

#include "fuzz.h"
#include "transports/relay/sqlite_store.h"

namespace wherry::relay {
namespace {

// Small enough for an input to reach them; windows are the protocol's.
constexpr Quotas kQuotas = {
    .inbox_envelopes_max = 1500,
    .envelope_time_to_live_s = 1000,
    .closed_inbox_kept_s = 2000,
    .address_envelopes_per_second = 1000,
    .address_new_inboxes_per_day = 20,
    .address_bundles_per_day = 20,
    .address_streams_max = 7,
};

std::unique_ptr<Store> make_store(std::uint32_t pages_max) {
  std::string error;
  auto store = open_sqlite_store(":memory:", {pages_max, false}, error);
  must(store != nullptr);
  return store;
}

}  // namespace

RelayModel::RelayModel(std::uint32_t pages_max, std::size_t windows_bytes_max)
    : store_(make_store(pages_max)),
      limiter_(kQuotas, [this] { return now_s_ * 1000; }),
      sessions_(limiter_, [](bool) {}),
      windows_bytes_max_(windows_bytes_max),
      core_(store_, kQuotas, windows_bytes_max, *this),
      context_{*this, limiter_, store_.id(), transports::Pin{9}} {}

void RelayModel::push(Input input, std::size_t) {
  if (const auto* ack = std::get_if<Ack>(&input)) {
    for (const auto& [number, held] : memory_[{ack->session, ack->slot}]) {
      must(number < ack->first || number > ack->last);
    }
  } else if (const auto* dropped = std::get_if<Dropped>(&input)) {
    for (const auto& [place, held] : memory_) {
      if (place.first != dropped->session) continue;
      for (const auto& [number, one] : held) must(!one.writing);
    }
  } else if (const auto* hangup = std::get_if<Hangup>(&input)) {
    ended_.insert(hangup->session);
    std::erase_if(memory_, [&](const auto& of) { return of.first.first == hangup->session; });
  }
  queue_.push_back(std::move(input));
}

RelayModel::Digest RelayModel::digest(const std::string& body) {
  return static_cast<Digest>(std::hash<std::string>{}(body));
}

// What is to be remembered of an input: of its envelopes, their digests in place of the hashes.
Input RelayModel::note(const Input& input) {
  if (const auto* open = std::get_if<Open>(&input)) {
    doubtful_.erase({open->session, open->slot});
    must(slots_.emplace(Place{open->session, open->slot}, Slot{open->inbox, 0, {}, {}}).second);
  } else if (const auto* put = std::get_if<PutBundle>(&input)) {
    put_now_[put->locator].insert(put->bundle);
  } else if (const auto* submit = std::get_if<Submit>(&input)) {
    Submit noted{submit->session, {}, submit->refused, submit->cost};
    for (const Submit::Group& group : submit->groups) {
      Submit::Group& one = noted.groups.emplace_back();
      one.inbox = group.inbox;
      one.token_hash = group.token_hash;
      for (const std::string& body : group.envelopes) one.hashes.push_back(digest(body));
      submitted_[submit->session] += one.hashes.size();
      submitted_now_[group.inbox].insert(one.hashes.begin(), one.hashes.end());
      inboxes_[group.inbox].submitted.insert(one.hashes.begin(), one.hashes.end());
    }
    return noted;
  }
  return input;
}

void RelayModel::apply() {
  std::vector<Input> batch = std::exchange(queue_, {});
  std::vector<Input> asked;
  for (const Input& input : batch) asked.push_back(note(input));
  const int failures = store_.failures;
  core_.apply(std::move(batch), now_s_);
  failed_ = store_.failures != failures;
  for (const Input& input : asked) {
    std::visit([this](const auto& one) { judge(one); }, input);
  }
  judge_deliveries();
  for (const auto& [session, outcomes] : results_) must(outcomes.empty());
  for (const auto& [session, answers] : bundle_answers_) must(answers.empty());
  must(opened_.empty());
  submitted_now_.clear();
  put_now_.clear();
}

void RelayModel::pass(std::int64_t seconds) {
  now_s_ += seconds;
  const int failures = store_.failures;
  core_.sweep(now_s_);
  failed_ = store_.failures != failures;
  judge_deliveries();
}

void RelayModel::results(SessionId session, const std::vector<ResultRun>& runs, std::size_t cost) {
  for (const ResultRun& run : runs)
    results_[session].insert(results_[session].end(), run.count, run.outcome);
  sessions_.results(session, runs, cost);
}

void RelayModel::opened(SessionId session, std::uint32_t slot, Outcome outcome, bool created) {
  must(opened_.emplace(Place{session, slot}, outcome).second);
  sessions_.opened(session, slot, outcome, created);
}

void RelayModel::deliver(SessionId session, std::vector<Delivery> deliveries) {
  for (const Delivery& one : deliveries) {
    delivered_.push_back({{session, one.slot}, one});
    if (ended_.contains(session)) continue;
    memory_[{session, one.slot}][one.number] = {one.envelope.size() + kDeliveryCost, false};
  }
  sessions_.deliver(session, std::move(deliveries));
}

void RelayModel::drop(SessionId session, std::uint32_t slot, std::size_t bytes) {
  std::erase_if(memory_[{session, slot}], [](const auto& held) { return !held.second.writing; });
  dropped_[session] += bytes;
  sessions_.drop(session, slot, bytes);
}

void RelayModel::writing(SessionId session, std::uint32_t slot, std::uint32_t number) {
  auto& held = memory_[{session, slot}];
  must(held.contains(number));
  held[number].writing = true;
}

void RelayModel::written(SessionId session) {
  for (auto& [place, held] : memory_) {
    if (place.first != session) continue;
    std::erase_if(held, [](const auto& one) { return one.second.writing; });
  }
}

void RelayModel::bundle(SessionId session, std::uint64_t request, Outcome outcome,
                        std::string body) {
  bundle_answers_[session].emplace_back(request, outcome, body);
  sessions_.bundle(session, request, outcome, std::move(body));
}

void RelayModel::judge(const Submit& submit) {
  std::deque<Outcome>& outcomes = results_[submit.session];
  for (const Submit::Group& group : submit.groups) {
    Inbox& inbox = inboxes_[group.inbox];
    for (const Digest body : group.hashes) {
      must(!outcomes.empty());
      const Outcome outcome = outcomes.front();
      outcomes.pop_front();
      if (outcome == Outcome::kStored) {
        must(inbox.tokens.contains(group.token_hash));
        inbox.owed.emplace(body, now_s_);
        inbox.settled.erase(body);
      } else if (inbox.token == group.token_hash) {
        must(outcome == Outcome::kFull || outcome == Outcome::kQuota || outcome == Outcome::kDisk);
      }
    }
  }
}

void RelayModel::judge(const Open& open) {
  const auto answer = opened_.find({open.session, open.slot});
  must(answer != opened_.end());
  const Outcome outcome = answer->second;
  opened_.erase(answer);
  Inbox& inbox = inboxes_[open.inbox];
  if (outcome == Outcome::kStored) {
    forget_reader(inbox);
    inbox.reader = {open.session, open.slot};
    inbox.token = open.token_hash;
    inbox.tokens.insert(open.token_hash);
    return;
  }
  must(outcome == Outcome::kDisk || outcome == Outcome::kQuota);
  if (outcome == Outcome::kQuota) must(!open.may_create);
  slots_.erase({open.session, open.slot});
  if (!failed_) return;
  if (inbox.reader) doubtful_.insert(slots_.extract(*inbox.reader));
  inbox.reader.reset();
  inbox.token.reset();
}

void RelayModel::judge(const Close& close) {
  const Place place{close.session, close.slot};
  const Slot* slot = slot_of(place);
  if (slot == nullptr) return;
  Inbox& inbox = inboxes_[slot->inbox];
  inbox.owed.clear();
  inbox.token.reset();
  if (inbox.reader == place) inbox.reader.reset();
  slots_.erase(place);
  doubtful_.erase(place);
}

void RelayModel::judge(const Ack& ack) {
  const Place place{ack.session, ack.slot};
  Slot* slot = slot_of(place);
  if (slot == nullptr) return;
  Inbox& inbox = inboxes_[slot->inbox];
  auto& ways = slot->on_the_way;
  const bool doubtful = doubtful_.contains(place);
  const auto end = ways.upper_bound(ack.last);
  for (auto way = ways.lower_bound(ack.first); ack.first <= ack.last && way != end;) {
    inbox.owed.erase(way->second.body);
    if (way->second.sure && !doubtful) inbox.settled.insert(way->second.body);
    way = ways.erase(way);
  }
}

void RelayModel::judge(const PutBundle& put) {
  auto& answers = bundle_answers_[put.session];
  must(!answers.empty());
  const auto [request, outcome, body] = answers.front();
  answers.pop_front();
  must(request == put.request && body.empty());
  const auto stored = bundles_.find(put.locator);
  const bool others = stored != bundles_.end() && stored->second.expires_s > now_s_ &&
                      stored->second.owner != put.owner_key;
  if (outcome == Outcome::kStored) {
    must(!others);
    bundles_[put.locator] = {put.owner_key, now_s_ + put.time_to_live_s, put.bundle};
  } else {
    must(outcome == Outcome::kDisk || (outcome == Outcome::kNotAllowed && (others || failed_)));
  }
}

void RelayModel::judge(const GetBundle& get) {
  auto& answers = bundle_answers_[get.session];
  must(!answers.empty());
  const auto [request, outcome, body] = answers.front();
  answers.pop_front();
  must(request == get.request && body.empty() == (outcome != Outcome::kStored));
  const auto stored = bundles_.find(get.locator);
  const bool there = stored != bundles_.end() && stored->second.expires_s > now_s_;
  const bool put_now = put_now_[get.locator].contains(body);
  if (outcome == Outcome::kStored) must(put_now || (there && stored->second.body == body));
  if (outcome == Outcome::kNotFound) must(!there);
  if (outcome == Outcome::kDisk) must(failed_);
}

void RelayModel::judge(const Dropped& dropped) {
  must(dropped.bytes > 0 && dropped.bytes <= dropped_[dropped.session]);
  dropped_[dropped.session] -= dropped.bytes;
}

void RelayModel::judge(const Hangup& hangup) {
  for (auto* slots : {&slots_, &doubtful_}) {
    std::erase_if(*slots, [&](const auto& slot) { return slot.first.first == hangup.session; });
  }
  for (auto& [id, inbox] : inboxes_) {
    if (inbox.reader && inbox.reader->first == hangup.session) inbox.reader.reset();
  }
}

void RelayModel::judge_deliveries() {
  for (const auto& [place, delivery] : delivered_) judge_delivery(place, delivery);
  delivered_.clear();
  judge_windows();
  judge_memory();
}

void RelayModel::judge_delivery(const Place& place, const Delivery& delivery) {
  Slot* found = slot_of(place);
  if (found == nullptr) return;  // it lost its place in this batch
  Slot& slot = *found;
  Inbox& inbox = inboxes_[slot.inbox];
  const Digest body = digest(delivery.envelope);
  must(inbox.submitted.contains(body));
  must(delivery.number > slot.last_number);
  slot.last_number = delivery.number;
  const bool just_sent = submitted_now_[slot.inbox].contains(body);
  must(just_sent || !inbox.settled.contains(body));
  // Under another number before: it was not stored then, or has expired since.
  if (!slot.seen.insert(body).second) {
    for (auto& [number, way] : slot.on_the_way) {
      if (way.body == body) way.sure = false;
    }
  }
  slot.on_the_way[delivery.number] = {body, delivery.envelope.size(), !failed_};
}

void RelayModel::judge_windows() const {
  std::map<SessionId, std::pair<std::size_t, std::size_t>> readers;
  for (const auto& [place, slot] : slots_) {
    for (const auto& [number, way] : slot.on_the_way) {
      ++readers[place.first].first;
      readers[place.first].second += way.size;
    }
  }
  for (const auto& [session, sums] : readers) {
    must(sums.first <= kReaderWindowEnvelopes);
    must(sums.second <= kReaderWindowBytes + kEnvelopeSizeMax);
  }
}

void RelayModel::judge_memory() const {
  std::set<SessionId> readers;
  std::size_t sum = 0;
  for (const auto& [place, held] : memory_) {
    if (!held.empty()) readers.insert(place.first);
    for (const auto& [number, one] : held) sum += one.cost;
  }
  must(sum <= windows_bytes_max_ + readers.size() * kReaderShareMin);
}

RelayModel::Slot* RelayModel::slot_of(const Place& place) {
  for (auto* slots : {&slots_, &doubtful_}) {
    if (const auto found = slots->find(place); found != slots->end()) return &found->second;
  }
  return nullptr;
}

void RelayModel::forget_reader(Inbox& inbox) {
  if (inbox.reader) slots_.erase(*inbox.reader);
  inbox.reader.reset();
}

std::vector<InboxId> RelayModel::inboxes() const {
  std::vector<InboxId> out;
  for (const auto& [id, inbox] : inboxes_) {
    if (!inbox.tokens.empty()) out.push_back(id);
  }
  return out;
}

std::size_t RelayModel::submitted(SessionId session) const {
  const auto found = submitted_.find(session);
  return found == submitted_.end() ? 0 : found->second;
}

void RelayModel::expect_reader(const InboxId& id, SessionId session) {
  const Inbox& inbox = inboxes_[id];
  must(inbox.reader && inbox.reader->first == session);
}

void RelayModel::expect_nothing_dropped(SessionId session) const {
  const auto found = dropped_.find(session);
  must(found == dropped_.end() || found->second == 0);
}

void RelayModel::expect_alone(SessionId session) const {
  std::size_t count = 0;
  std::size_t bytes = 0;
  bool all = true;
  for (const auto& [place, slot] : slots_) {
    if (place.first != session) continue;
    for (const auto& [number, way] : slot.on_the_way) bytes += way.size;
    count += slot.on_the_way.size();
    for (const auto& [body, since_s] : inboxes_.at(slot.inbox).owed) {
      all = all && (slot.seen.contains(body) || now_s_ - since_s > kQuotas.envelope_time_to_live_s);
    }
  }
  const bool window =
      count == kReaderWindowEnvelopes || bytes + kEnvelopeSizeMax > kReaderWindowBytes;
  const std::size_t held = bytes + count * kDeliveryCost;
  must(all || window || held + kReaderShareMin > windows_bytes_max_ / 2);
}

void RelayModel::expect_served(SessionId session) const {
  for (const auto& [id, inbox] : inboxes_) {
    if (!inbox.reader || inbox.reader->first != session) continue;
    for (const auto& [body, since_s] : inbox.owed) {
      must(now_s_ - since_s > kQuotas.envelope_time_to_live_s);
    }
  }
}

}  // namespace wherry::relay
