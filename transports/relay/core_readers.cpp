// The core's readers: what is on its way to them, and what they have acknowledged. See core.h.
#include <algorithm>
#include <utility>

#include "core.h"

namespace wherry::relay {
namespace {

std::size_t cost_of(std::size_t envelope_size) {
  return envelope_size + kDeliveryCost;
}

std::uint64_t way_key(std::uint32_t slot, std::uint32_t number) {
  return (std::uint64_t{slot} << 32U) | number;
}

}  // namespace

// Gives a new envelope to the inbox's reader, if there is one with room who has all before it.
void Core::forward(const InboxRow& row, std::uint32_t number, std::string& envelope) {
  const auto online = online_.find(row.row);
  if (online == online_.end()) return;
  const auto [session, slot] = online->second;
  Reader& reader = readers_.at(session);
  ReaderInbox& inbox = reader.slots.at(slot);
  if (inbox.behind) return;
  touched_.insert(session);
  if (reader.on_the_way.size() >= kReaderWindowEnvelopes ||
      reader.bytes + envelope.size() > kReaderWindowBytes ||
      cost_of(envelope.size()) > room_for(reader)) {
    mark_behind(reader, slot, inbox);
    return;
  }
  inbox.cursor = number;
  take(reader, slot, number, std::move(envelope));
}

// How much more of the budget the reader may take; see the top of core.h.
std::size_t Core::room_for(const Reader& reader) const {
  const std::size_t held = reader.held();
  const std::size_t free = windows_bytes_max_ - std::min(windows_bytes_max_, windows_bytes_);
  const std::size_t share = free > held ? (free - held) / 2 : 0;
  return std::max(share, kReaderShareMin - std::min(kReaderShareMin, held));
}

void Core::take(Reader& reader, std::uint32_t slot, std::uint32_t number, std::string envelope) {
  reader.on_the_way.emplace(way_key(slot, number), static_cast<std::uint32_t>(envelope.size()));
  reader.bytes += envelope.size();
  windows_bytes_ += cost_of(envelope.size());
  reader.out.push_back({slot, number, std::move(envelope)});
}

void Core::mark_behind(Reader& reader, std::uint32_t slot, ReaderInbox& inbox) {
  if (inbox.behind) return;
  inbox.behind = true;
  reader.behind.push_back(slot);
}

// Those that waited for the budget come first, whoever waited longest before the others.
void Core::fill_windows() {
  for (const SessionId session : std::exchange(waiting_, {})) {
    const auto reader = readers_.find(session);
    if (reader == readers_.end()) continue;
    reader->second.waits = false;
    touched_.insert(session);
    fill_window(session, reader->second);
  }
  for (const SessionId session : touched_) {
    const auto reader = readers_.find(session);
    if (reader != readers_.end()) fill_window(session, reader->second);
  }
}

// Fills the reader's window from the store, inbox after inbox, so that none starves another.
void Core::fill_window(SessionId session, Reader& reader) {
  while (!reader.behind.empty() && reader.on_the_way.size() < kReaderWindowEnvelopes &&
         reader.bytes < kReaderWindowBytes) {
    const std::size_t room = room_for(reader);
    if (room >= std::max(reader.next_cost, kDeliveryCost + 1)) {
      const std::uint32_t slot = reader.behind.front();
      reader.behind.erase(reader.behind.begin());
      if (fill_from(session, reader, slot, room)) continue;
    }
    if (!reader.waits) waiting_.push_back(session);
    reader.waits = true;
    return;
  }
}

// Takes from one inbox; false when the budget has no room for its next envelope.
bool Core::fill_from(SessionId session, Reader& reader, std::uint32_t slot, std::size_t room) {
  const auto found = reader.slots.find(slot);
  if (found == reader.slots.end()) return true;
  ReaderInbox& inbox = found->second;
  inbox.behind = false;
  reader.next_cost = 0;
  // A quarter of the window at a time for one inbox, while others wait; and not many more than the
  // budget has room for, since they would be read for nothing.
  const std::size_t count = std::min({kReaderWindowEnvelopes - reader.on_the_way.size(),
                                      kReaderWindowEnvelopes / 4, room / kDeliveryCost + 1});
  const std::size_t bytes =
      std::min({kReaderWindowBytes - reader.bytes, kReaderWindowBytes / 4, room});
  for (EnvelopeRow& row : store_.envelopes_after(inbox.row, inbox.cursor, count, bytes)) {
    mark_behind(reader, slot, inbox);
    const std::size_t cost = cost_of(row.body.size());
    if (cost > room) {
      reader.next_cost = cost;
      return false;
    }
    room -= cost;
    inbox.cursor = row.number;
    take(reader, slot, row.number, std::move(row.body));
  }
  if (!inbox.behind) read_out_.emplace_back(session, slot);
  return true;
}

// A transaction that failed reads nothing: where it found no more, there may be some.
void Core::read_again() {
  for (const auto& [session, slot] : std::exchange(read_out_, {})) {
    const auto reader = readers_.find(session);
    if (reader == readers_.end()) continue;
    const auto inbox = reader->second.slots.find(slot);
    if (inbox == reader->second.slots.end()) continue;
    mark_behind(reader->second, slot, inbox->second);
    touched_.insert(session);
  }
}

void Core::flush_deliveries() {
  for (const SessionId session : touched_) {
    const auto reader = readers_.find(session);
    if (reader == readers_.end() || reader->second.out.empty()) continue;
    output_.deliver(session, std::exchange(reader->second.out, {}));
  }
  touched_.clear();
}

// Only what is on the way to this reader can be acknowledged. A range costs what the window holds,
// however wide it claims to be.
void Core::apply_one(Ack& ack) {
  answers_[ack.session].cost += ack.cost;
  const auto found = readers_.find(ack.session);
  if (found == readers_.end()) return;
  Reader& reader = found->second;
  const auto slot = reader.slots.find(ack.slot);
  if (slot == reader.slots.end()) return;
  touched_.insert(ack.session);
  const std::uint32_t last = std::min(ack.last, slot->second.cursor);
  if (ack.first > last) return;
  auto way = reader.on_the_way.lower_bound(way_key(ack.slot, ack.first));
  const auto end = reader.on_the_way.upper_bound(way_key(ack.slot, last));
  while (way != end) {
    const auto first = static_cast<std::uint32_t>(way->first);
    std::uint32_t next = first;  // one deletion for all that follow each other
    for (; way != end && static_cast<std::uint32_t>(way->first) == next; ++next) {
      reader.bytes -= way->second;
      windows_bytes_ -= cost_of(way->second);
      way = reader.on_the_way.erase(way);
    }
    const Deletion deletion{slot->second.id, first, next - 1, false};
    remove(deletion);
    remember(deletion);
  }
}

// The reader no longer has this inbox; its window no longer counts what was on the way from it, the
// budget does.
void Core::drop_slot(SessionId session, std::uint32_t slot) {
  const auto found = readers_.find(session);
  if (found == readers_.end()) return;
  Reader& reader = found->second;
  const auto inbox = reader.slots.find(slot);
  if (inbox == reader.slots.end()) return;
  online_.erase(inbox->second.row);
  reader.slots.erase(inbox);
  std::erase_if(reader.out, [&](const Delivery& delivery) { return delivery.slot == slot; });
  std::size_t dropped = 0;
  std::erase_if(reader.on_the_way, [&](const auto& way) {
    if (way.first >> 32U != slot) return false;
    reader.bytes -= way.second;
    dropped += cost_of(way.second);
    return true;
  });
  touched_.insert(session);
  if (dropped == 0) return;
  reader.dropped += dropped;
  output_.drop(session, slot, dropped);
}

void Core::apply_one(Dropped& dropped) {
  const auto reader = readers_.find(dropped.session);
  if (reader == readers_.end()) return;
  const std::size_t bytes = std::min(dropped.bytes, reader->second.dropped);
  reader->second.dropped -= bytes;
  windows_bytes_ -= bytes;
  touched_.insert(dropped.session);
}

void Core::apply_one(Hangup& hangup) {
  const auto reader = readers_.find(hangup.session);
  if (reader == readers_.end()) return;
  for (const auto& [slot, inbox] : reader->second.slots) online_.erase(inbox.row);
  windows_bytes_ -= reader->second.held();
  readers_.erase(reader);
}

}  // namespace wherry::relay
