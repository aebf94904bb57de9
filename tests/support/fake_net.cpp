// The virtual network: what happens to an envelope between two nodes.
#include "tests/support/fake_net.h"

#include <algorithm>

#include "tests/support/fake_net_instance.h"
#include "tests/support/hex.h"

namespace wherry::test {
namespace {

constexpr std::size_t kInboxEnvelopesMax = 1000;
constexpr std::size_t kInboxBytesMax = std::size_t{16} << 20U;

// The one registry: tests name a network in an instance's settings. Tests are single-threaded here.
std::map<std::string, FakeNet*, std::less<>>& registry() {
  static std::map<std::string, FakeNet*, std::less<>> networks;
  return networks;
}

std::string next_name() {
  static std::uint64_t count = 0;
  return "net-" + std::to_string(++count);
}

}  // namespace

FakeNet::FakeNet(FakeClock& clock, std::uint64_t seed, FakeKind kind)
    : clock_(clock), kind_(kind), name_(next_name()), random_(seed) {
  registry()[name_] = this;
}

FakeNet::~FakeNet() {
  registry().erase(name_);
}

FakeNet* FakeNet::find(std::string_view name) {
  const auto found = registry().find(name);
  return found == registry().end() ? nullptr : found->second;
}

void FakeNet::set_faults(const FakeFaults& faults) {
  default_faults_ = faults;
  link_faults_.clear();
}

void FakeNet::set_faults(const std::string& from, const std::string& to, const FakeFaults& faults) {
  link_faults_[{from, to}] = faults;
}

void FakeNet::set_partition(const std::string& one, const std::string& other, bool partition) {
  for (const auto& [from, to] : {std::pair(one, other), std::pair(other, one)}) {
    FakeFaults changed = faults(from, to);
    changed.partition = partition;
    link_faults_[{from, to}] = changed;
  }
}

void FakeNet::set_online(const std::string& node, bool online) {
  if (online) {
    offline_.erase(node);
    return;
  }
  offline_.insert(node);
  for (const auto& [id, instance] : instances_) {
    if (instance->node() == node) instance->lose_connection();
  }
}

std::string_view FakeNet::scheme(FakeKind kind) {
  switch (kind) {
    case FakeKind::kDirect:
      return "fkd1:";
    case FakeKind::kHidden:
      return "fkh1:";
    default:
      return "fks1:";
  }
}

std::optional<FakeNet::Key> FakeNet::address_of(std::string_view endpoint) {
  const std::size_t begin = endpoint.find(':') + 1;
  Key address{};
  if (!from_hex(endpoint.substr(begin, endpoint.find('/') - begin), address)) return std::nullopt;
  return address;
}

bool FakeNet::read_at(std::string_view endpoint) const {
  const std::optional<Key> address = address_of(endpoint);
  const auto inbox = address ? inboxes_.find(*address) : inboxes_.end();
  return inbox != inboxes_.end() && inbox->second.reader != 0;
}

bool FakeNet::reached(std::string_view endpoint) const {
  const std::optional<Key> address = address_of(endpoint);
  return address && reached_.contains(*address);
}

void FakeNet::lose_store() {
  inboxes_.clear();
  bundles_.clear();
  ++store_id_;
  for (const auto& [id, instance] : instances_) instance->notice_lost_store();
}

FakeInstance* FakeNet::instance(std::uint64_t id) {
  const auto found = instances_.find(id);
  return found == instances_.end() ? nullptr : found->second;
}

void FakeNet::report(const FakeAttempt& attempt, std::int32_t outcome, std::int32_t reason) {
  if (FakeInstance* sender = instance(attempt.instance)) {
    sender->report(attempt, outcome, reason);
  }
}

const FakeFaults& FakeNet::faults(const std::string& from, const std::string& to) const {
  const auto found = link_faults_.find({from, to});
  return found == link_faults_.end() ? default_faults_ : found->second;
}

// Not std::uniform_real_distribution: its results may differ between standard libraries, and a seed
// should mean the same everywhere.
bool FakeNet::chance(double probability) {
  const double drawn = static_cast<double>(random_() >> 11U) * 0x1.0p-53;
  return drawn < probability;
}

std::int64_t FakeNet::delay_ms(const FakeFaults& faults) {
  const auto range = static_cast<std::uint64_t>(
      std::max<std::int64_t>(faults.delay_ms_max - faults.delay_ms_min, 0) + 1);
  std::int64_t delay = faults.delay_ms_min + static_cast<std::int64_t>(random_() % range);
  if (chance(faults.reorder)) delay += faults.delay_ms_max;
  return delay;
}

// Decides at once what will become of the envelope, and schedules it.
void FakeNet::carry(const std::string& from, const Envelope& envelope) {
  ++counts_.sent;
  const auto inbox = inboxes_.find(envelope.address);
  const std::string to = inbox == inboxes_.end() ? std::string() : inbox->second.owner;
  const FakeFaults link = faults(from, to);
  const std::int64_t delay = delay_ms(link);
  const FakeAttempt attempt = envelope.attempt;
  if (link.partition) {
    clock_.schedule_in(delay, [this, attempt] {
      report(attempt, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_UNREACHABLE);
    });
    return;
  }
  if (chance(link.loss)) {
    ++counts_.lost;
    const std::int32_t claim = has_links() ? WHERRY_OUTCOME_HANDED : WHERRY_OUTCOME_STORED;
    const bool lying = chance(link.lying);
    const std::int32_t outcome = lying ? claim : std::int32_t{WHERRY_OUTCOME_FAILED_RETRY};
    const std::int32_t reason = lying ? WHERRY_REASON_NONE : WHERRY_REASON_TIMEOUT;
    clock_.schedule_in(delay,
                       [this, attempt, outcome, reason] { report(attempt, outcome, reason); });
    return;
  }
  if (chance(link.duplicate)) {
    ++counts_.duplicated;
    clock_.schedule_in(delay_ms(link), [this, envelope] { arrive(envelope, false); });
  }
  const bool false_failure = chance(link.false_failure);
  clock_.schedule_in(delay, [this, envelope, false_failure] {
    arrive(envelope, !false_failure);
    if (false_failure) {
      report(envelope.attempt, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_TIMEOUT);
    }
  });
}

wherry_reason FakeNet::put_into(Inbox* inbox, const Envelope& envelope) {
  if (inbox == nullptr) return WHERRY_REASON_NOT_FOUND;
  if (inbox->token != envelope.token) return WHERRY_REASON_NOT_ALLOWED;
  if (has_links() && inbox->reader == 0) return WHERRY_REASON_UNREACHABLE;
  if (inbox->kept.size() >= kInboxEnvelopesMax ||
      inbox->bytes + envelope.bytes.size() > kInboxBytesMax) {
    return WHERRY_REASON_FULL;
  }
  reached_.insert(envelope.address);
  inbox->bytes += envelope.bytes.size();
  inbox->kept.push_back({next_id_++, envelope.bytes, std::nullopt});
  ++counts_.arrived;
  return WHERRY_REASON_NONE;
}

void FakeNet::arrive(const Envelope& envelope, bool tell) {
  const auto found = inboxes_.find(envelope.address);
  Inbox* inbox = found == inboxes_.end() ? nullptr : &found->second;
  const wherry_reason reason = put_into(inbox, envelope);
  std::int32_t outcome = WHERRY_OUTCOME_STORED;
  if (reason == WHERRY_REASON_NOT_ALLOWED) {
    outcome = WHERRY_OUTCOME_FAILED_PERMANENT;
  } else if (reason != WHERRY_REASON_NONE) {
    outcome = WHERRY_OUTCOME_FAILED_RETRY;
  } else if (has_links()) {
    outcome = WHERRY_OUTCOME_HANDED;
    if (tell) inbox->kept.back().attempt = envelope.attempt;
  }
  if (reason != WHERRY_REASON_NONE) ++counts_.refused;
  if (tell) report(envelope.attempt, outcome, reason);
  if (reason != WHERRY_REASON_NONE) return;
  if (FakeInstance* reader = instance(inbox->reader)) reader->offer_soon();
}

}  // namespace wherry::test
