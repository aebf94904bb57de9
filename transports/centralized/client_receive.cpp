// Inboxes, and envelopes on their way in: the Receive lane.
#include <algorithm>
#include <cstring>
#include <utility>

#include "client.h"
#include "transports/common/crypto.h"

namespace wherry::transports::centralized {
namespace {

std::int32_t reason_of_open(v1::Outcome outcome) {
  switch (outcome) {
    case v1::DISK:
      return WHERRY_REASON_DISK;
    case v1::NOT_ALLOWED:
      return WHERRY_REASON_NOT_ALLOWED;
    default:
      return WHERRY_REASON_QUOTA;
  }
}

}  // namespace

std::int32_t Client::open_inbox(std::uint64_t id, std::span<const std::uint8_t, 32> secret) {
  std::array<std::uint8_t, 32> fingerprint{};
  if (!derive(fingerprint, "wherry rly known", secret)) return WHERRY_TRANSPORT_E_ARGUMENT;
  const std::lock_guard lock(mutex_);
  if (id == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  auto found = inboxes_.find(id);
  if (found == inboxes_.end()) {
    Inbox inbox;
    inbox.fingerprint = fingerprint;
    inbox.keys = std::make_shared<const InboxKeys>(secret);
    inbox.endpoint = to_text(RelayEndpoint{settings_.relay, inbox.keys->id, inbox.keys->token});
    // Opened again before the relay heard that it was given up.
    std::erase_if(abandoned_, [&](const auto& keys) { return keys->id == inbox.keys->id; });
    found = inboxes_.emplace(id, std::move(inbox)).first;
  } else if (found->second.fingerprint != fingerprint) {
    return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  Inbox& inbox = found->second;
  inbox.answer_due = true;
  if (life_ != Life::kOnline) return WHERRY_TRANSPORT_OK;  // opened once it is online
  if (inbox.state == InboxState::kOpen) answer_inbox(id, inbox);
  if (inbox.state == InboxState::kIdle &&
      std::find(opens_due_.begin(), opens_due_.end(), id) == opens_due_.end()) {
    opens_due_.push_back(id);
    flush_receive();
  }
  return WHERRY_TRANSPORT_OK;
}

void Client::answer_inbox(std::uint64_t id, Inbox& inbox) {
  if (!inbox.answer_due) return;
  inbox.answer_due = false;
  api_.on_inbox(host_, id, inbox.endpoint.c_str(), WHERRY_REASON_NONE);
}

std::int32_t Client::close_inbox(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = inboxes_.find(id);
  if (found == inboxes_.end()) return WHERRY_TRANSPORT_E_ARGUMENT;
  const Inbox inbox = std::move(found->second);
  inboxes_.erase(found);
  std::erase_if(arrived_, [&](const Arrived& one) {
    if (one.inbox != id) return false;
    receipts_.erase(one.receipt);
    return true;
  });
  const auto slot = slots_.find(inbox.slot);
  if (inbox.state != InboxState::kIdle && slot != slots_.end()) {
    slot->second.inbox = 0;
    slot->second.keys = inbox.keys;
    if (inbox.state == InboxState::kOpen) closes_due_.push_back(inbox.slot);
  } else if (abandoned_.size() < kAbandonedMax) {
    abandoned_.push_back(inbox.keys);
  }
  flush_receive();
  return WHERRY_TRANSPORT_OK;
}

bool Client::fill_open(v1::ReceiveRequest& frame, std::uint64_t inbox,
                       std::shared_ptr<const InboxKeys> keys) {
  const auto proof = open_proof(settings_.relay.pin, challenges_[1], keys->token_hash);
  const Signature signature = keys->key->sign(proof);
  auto* open = frame.add_opens();
  open->set_slot(++last_slot_);
  open->set_key(keys->key->public_key().data(), keys->key->public_key().size());
  open->set_token_hash(keys->token_hash.data(), keys->token_hash.size());
  open->set_signature(signature.data(), signature.size());
  opening_since_.push_back(std::chrono::steady_clock::now());
  slots_[last_slot_] = {inbox, inbox == 0 ? std::move(keys) : nullptr, 0, false};
  return frame.opens_size() < kFrameOpensMax;
}

void Client::flush_receive() {
  if (life_ != Life::kOnline || writing_[1]) return;
  v1::ReceiveRequest frame;
  bool room = true;
  while (room && !opens_due_.empty()) {
    const std::uint64_t id = opens_due_.front();
    opens_due_.pop_front();
    const auto found = inboxes_.find(id);
    if (found == inboxes_.end() || found->second.state != InboxState::kIdle) continue;
    room = fill_open(frame, id, found->second.keys);
    found->second.state = InboxState::kOpening;
    found->second.slot = last_slot_;
  }
  while (room && !abandoned_.empty()) {
    auto keys = std::move(abandoned_.front());
    abandoned_.pop_front();
    room = fill_open(frame, 0, std::move(keys));
  }
  while (!closes_due_.empty() && frame.closes_size() < kFrameAcksMax) {
    frame.add_closes(closes_due_.back());
    const auto slot = slots_.find(closes_due_.back());
    if (slot != slots_.end()) slot->second.keys.reset();  // written: no longer to be repeated
    closes_due_.pop_back();
  }
  const std::size_t acks = std::min<std::size_t>(acks_due_.size(), kFrameAcksMax);
  for (std::size_t i = 0; i < acks; ++i) {
    acks_in_write_ += acks_due_[i].last() - acks_due_[i].first() + 1;
    *frame.add_acks() = acks_due_[i];
  }
  acks_due_.erase(acks_due_.begin(), acks_due_.begin() + static_cast<std::ptrdiff_t>(acks));
  if (frame.opens_size() == 0 && frame.closes_size() == 0 && acks == 0) return;
  writing_[1] = std::chrono::steady_clock::now();
  changed_.notify_all();  // there is something to watch
  link_->write(std::move(frame));
}

void Client::on_frame(std::uint64_t link, v1::ReceiveReply& frame) {
  const std::lock_guard lock(mutex_);
  if (!listens(link)) return;
  if (frame.has_welcome()) {
    if (!take_welcome(Lane::kReceive, frame.welcome())) {
      drop_link(WHERRY_REASON_PROTOCOL, "its greeting is malformed");
      return;
    }
    if (life_ == Life::kOnline) {
      flush_submit();
      flush_receive();
    }
  }
  const bool news = frame.opened_size() > 0 || frame.deliveries_size() > 0;
  if (news && (life_ != Life::kOnline || !take_opened(frame) || !take_deliveries(frame))) {
    drop_link(WHERRY_REASON_PROTOCOL, "it delivered what it must not");
    return;
  }
  if (frame.has_goodbye()) {
    take_goodbye(frame.goodbye());
    return;
  }
  read_due_ = true;
  offer();
  flush_receive();
  read_more();
}

bool Client::take_opened(const v1::ReceiveReply& frame) {
  for (const v1::Opened& opened : frame.opened()) {
    const auto found = slots_.find(opened.slot());
    if (found == slots_.end() || found->second.opened || opening_since_.empty()) return false;
    Slot& slot = found->second;
    slot.opened = true;
    opening_since_.pop_front();
    const auto inbox = inboxes_.find(slot.inbox);
    if (slot.inbox == 0 || inbox == inboxes_.end()) {
      if (opened.outcome() == v1::STORED) closes_due_.push_back(opened.slot());
      continue;
    }
    if (opened.outcome() == v1::STORED) {
      inbox->second.state = InboxState::kOpen;
      answer_inbox(inbox->first, inbox->second);
    } else {
      // Nothing comes here: the inbox gets another slot when it is tried again.
      slots_.erase(found);
      inbox->second.state = InboxState::kIdle;
      inbox->second.answer_due = true;
      api_.on_inbox(host_, inbox->first, nullptr, reason_of_open(opened.outcome()));
    }
  }
  return true;
}

bool Client::take_deliveries(v1::ReceiveReply& frame) {
  for (v1::Delivery& delivery : *frame.mutable_deliveries()) {
    const auto found = slots_.find(delivery.slot());
    if (found == slots_.end() || delivery.numbers_size() != delivery.envelopes_size()) return false;
    Slot& slot = found->second;
    for (int i = 0; i < delivery.numbers_size(); ++i) {
      const std::uint32_t number = delivery.numbers(i);
      std::string& envelope = *delivery.mutable_envelopes(i);
      if (number <= slot.last_number || envelope.empty() ||
          envelope.size() > WHERRY_ENVELOPE_SIZE_MAX) {
        return false;
      }
      slot.last_number = number;
      if (slot.inbox == 0) continue;  // given up meanwhile: the relay deletes it
      if (receipts_.size() + acks_unwritten_ >= kUnacknowledgedMax) return false;
      receipts_[++last_receipt_] = {delivery.slot(), number};
      arrived_.push_back({slot.inbox, last_receipt_, std::move(envelope)});
    }
  }
  return true;
}

// Gives the host what has come, until it is busy.
void Client::offer() {
  while (!blocked_ && !arrived_.empty()) {
    const std::uint64_t inbox = arrived_.front().inbox;
    std::array<wherry_incoming, kOfferMax> batch;
    std::size_t count = 0;
    while (count < batch.size() && count < arrived_.size() && arrived_[count].inbox == inbox) {
      const Arrived& one = arrived_[count];
      batch[count++] = {
          one.receipt,
          {reinterpret_cast<const std::uint8_t*>(one.envelope.data()), one.envelope.size()}};
    }
    const std::size_t taken = std::min(api_.on_receive(host_, inbox, batch.data(), count), count);
    arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(taken));
    blocked_ = taken < count;
  }
}

// A busy host stops the reading, and so, in the end, the relay: at most one frame waits here.
void Client::read_more() {
  if (!read_due_ || blocked_ || !link_) return;
  read_due_ = false;
  link_->read(Lane::kReceive);
}

void Client::resume_receive() {
  const std::lock_guard lock(mutex_);
  blocked_ = false;
  offer();
  read_more();
}

std::int32_t Client::ack(const wherry_receipt* receipts, std::size_t count) {
  const std::lock_guard lock(mutex_);
  std::int32_t status = WHERRY_TRANSPORT_OK;
  for (std::size_t i = 0; i < count; ++i) {
    if (!inboxes_.contains(receipts[i].inbox)) status = WHERRY_TRANSPORT_E_ARGUMENT;
    const auto found = receipts_.find(receipts[i].receipt);
    if (found == receipts_.end()) continue;  // of an earlier link: it comes again
    const Receipt receipt = found->second;
    receipts_.erase(found);
    ++acks_unwritten_;
    v1::Ack* last = acks_due_.empty() ? nullptr : &acks_due_.back();
    if (last != nullptr && last->slot() == receipt.slot && last->last() + 1 == receipt.number) {
      last->set_last(receipt.number);
      continue;
    }
    v1::Ack ack;
    ack.set_slot(receipt.slot);
    ack.set_first(receipt.number);
    ack.set_last(receipt.number);
    acks_due_.push_back(std::move(ack));
  }
  flush_receive();
  return status;
}

}  // namespace wherry::transports::centralized
