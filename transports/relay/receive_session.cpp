// The Receive stream: proofs of inboxes, acknowledgements, deliveries.
#include <algorithm>
#include <utility>

#include "fields.h"
#include "session.h"
#include "transports/common/crypto.h"

namespace wherry::relay {

bool ReceiveSession::check(const Request& frame) const {
  if (static_cast<std::size_t>(frame.opens_size()) > kFrameRequestsMax ||
      static_cast<std::size_t>(frame.closes_size()) > kFrameAcksMax ||
      static_cast<std::size_t>(frame.acks_size()) > kFrameAcksMax) {
    return false;
  }
  std::uint32_t last_slot = last_slot_;
  for (const auto& open : frame.opens()) {
    if (open.slot() <= last_slot || open.key().size() != 32 || open.token_hash().size() != 32 ||
        open.signature().size() != 64) {
      return false;
    }
    last_slot = open.slot();
  }
  return true;
}

void ReceiveSession::on_frame(const Request& frame) {
  std::vector<Input> inputs;
  {
    const std::lock_guard lock(mutex_);
    if (admit(frame, check(frame))) {
      open_inboxes(frame, inputs);
      for (const std::uint32_t slot : frame.closes()) {
        inputs.emplace_back(Close{id_, slot, kInputCost});
        open_slots_.erase(slot);
        forget_written(slot);
      }
      for (const auto& ack : frame.acks()) acknowledge(ack, inputs);
      unprocessed_bytes_ += inputs.size() * kInputCost;
    }
  }
  for (Input& input : inputs) context_.queue.push(std::move(input), kInputCost);
  kick();
}

void ReceiveSession::open_inboxes(const Request& frame, std::vector<Input>& inputs) {
  const bool may_create = context_.limiter.may_make_inboxes(address_);
  for (const auto& from : frame.opens()) {
    last_slot_ = from.slot();
    ++unanswered_opens_;
    const auto key = to_array<32>(from.key());
    Open open;
    open.session = id_;
    open.slot = from.slot();
    open.inbox = transports::inbox_id(key);
    open.token_hash = to_array<32>(from.token_hash());
    open.may_create = may_create;
    open.cost = kInputCost;
    const auto proof = transports::open_proof(context_.pin, challenge_, open.token_hash);
    if (open_slots_.size() >= kStreamInboxesMax) {
      opened_.push_back({open.slot, Outcome::kQuota});
    } else if (!transports::verify(to_array<64>(from.signature()), proof, key)) {
      opened_.push_back({open.slot, Outcome::kNotAllowed});
    } else {
      open_slots_.insert(open.slot);
      inputs.emplace_back(open);
    }
  }
}

void ReceiveSession::acknowledge(const v1::Ack& ack, std::vector<Input>& inputs) {
  const auto found = written_.find(ack.slot());
  const std::uint32_t written = found == written_.end() ? 0 : found->second;
  const std::uint32_t last = std::min(ack.last(), written);
  if (ack.first() <= last) {
    inputs.emplace_back(Ack{id_, ack.slot(), ack.first(), last, kInputCost});
  }
  const auto writing = in_writing_.find(ack.slot());
  if (writing == in_writing_.end() || ack.last() <= written) return;
  const std::uint32_t first = std::max(ack.first(), written + 1);
  const std::uint32_t early_last = std::min(ack.last(), writing->second);
  if (first <= early_last) {
    early_acks_.push_back({id_, ack.slot(), first, early_last, kInputCost});
  }
}

// The stream asks for a reply when the last one is out of its memory.
void ReceiveSession::last_reply_written() {
  for (const auto& [slot, number] : in_writing_) written_[slot] = number;
  in_writing_.clear();
  for (const Ack& ack : early_acks_) {
    unprocessed_bytes_ += ack.cost;
    context_.queue.push(ack, ack.cost);
  }
  early_acks_.clear();
  if (dropped_bytes_ == 0) return;
  context_.queue.push(Dropped{id_, std::exchange(dropped_bytes_, 0)}, kInputCost);
}

void ReceiveSession::forget_written(std::uint32_t slot) {
  written_.erase(slot);
  in_writing_.erase(slot);
}

bool ReceiveSession::ready_to_read() const {
  const std::lock_guard lock(mutex_);
  return may_read() && unanswered_opens_ < kStreamOpensMax && early_acks_.empty() && has_room();
}

bool ReceiveSession::take_reply(Reply& reply) {
  const std::lock_guard lock(mutex_);
  return make_reply(reply, [&] { return fill(reply); });
}

bool ReceiveSession::fill(Reply& reply) {
  last_reply_written();
  for (const PendingOpened& opened : opened_) {
    auto* answer = reply.add_opened();
    answer->set_slot(opened.slot);
    answer->set_outcome(to_wire(opened.outcome));
  }
  unanswered_opens_ -= opened_.size();
  opened_.clear();
  std::size_t envelopes = 0;
  std::size_t bytes = 0;
  v1::Delivery* run = nullptr;
  while (!deliveries_.empty() && envelopes < kFrameEnvelopesMax &&
         bytes + deliveries_.front().envelope.size() <= kFrameEnvelopeBytesMax) {
    Delivery& delivery = deliveries_.front();
    if (run == nullptr || run->slot() != delivery.slot) {
      run = reply.add_deliveries();
      run->set_slot(delivery.slot);
    }
    run->add_numbers(delivery.number);
    in_writing_[delivery.slot] = delivery.number;
    bytes += delivery.envelope.size();
    ++envelopes;
    run->add_envelopes(std::move(delivery.envelope));
    deliveries_.pop_front();
  }
  return true;  // what was not delivered waits in the store: a goodbye need not wait for it
}

void ReceiveSession::results(const std::vector<ResultRun>&, std::size_t cost) {
  {
    const std::lock_guard lock(mutex_);
    worked_on(cost);
  }
  kick();
}

void ReceiveSession::opened(std::uint32_t slot, Outcome outcome, bool created) {
  if (created) context_.limiter.inbox_made(address_);
  {
    const std::lock_guard lock(mutex_);
    opened_.push_back({slot, outcome});
    if (outcome != Outcome::kStored) open_slots_.erase(slot);
  }
  kick();
}

void ReceiveSession::deliver(std::vector<Delivery> deliveries) {
  {
    const std::lock_guard lock(mutex_);
    for (Delivery& delivery : deliveries) deliveries_.push_back(std::move(delivery));
  }
  kick();
}

void ReceiveSession::drop(std::uint32_t slot, std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(deliveries_, [&](const Delivery& delivery) { return delivery.slot == slot; });
    dropped_bytes_ += bytes;  // a part of it may be in the reply that is being written
    forget_written(slot);
  }
  kick();
}

}  // namespace wherry::relay
