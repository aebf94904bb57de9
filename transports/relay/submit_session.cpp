// The Submit stream: checks frames, hands envelopes to the core, gathers results.
#include <algorithm>
#include <cstring>
#include <utility>

#include "fields.h"
#include "session.h"
#include "transports/common/crypto.h"

namespace wherry::relay {
namespace {

// The hash by which an inbox knows an envelope that it already holds. It depends on the store, so
// that nobody can look for two envelopes with one hash beforehand.
std::int64_t envelope_hash(const transports::StoreId& store, const std::string& envelope) {
  std::array<std::uint8_t, 16> digest{};
  static_cast<void>(transports::hash(digest, "wherry rly once", {store, to_span(envelope)}));
  std::int64_t value = 0;
  std::memcpy(&value, digest.data(), sizeof(value));
  return value;
}

}  // namespace

bool SubmitSession::check(const Request& frame) const {
  std::size_t envelopes = 0;
  std::size_t bytes = 0;
  for (const auto& group : frame.groups()) {
    if (group.inbox().size() != 16 || group.token().size() != 16 || group.envelopes().empty()) {
      return false;
    }
    envelopes += static_cast<std::size_t>(group.envelopes_size());
    for (const std::string& envelope : group.envelopes()) {
      if (envelope.empty() || envelope.size() > kEnvelopeSizeMax) return false;
      bytes += envelope.size();
    }
  }
  if (envelopes > kFrameEnvelopesMax || bytes > kFrameEnvelopeBytesMax) return false;
  if (static_cast<std::size_t>(frame.puts_size()) > kFrameRequestsMax ||
      static_cast<std::size_t>(frame.gets_size()) > kFrameRequestsMax) {
    return false;
  }
  const bool puts = std::all_of(frame.puts().begin(), frame.puts().end(), [](const auto& put) {
    return put.locator().size() == 32 && put.owner_key().size() == 32 &&
           put.signature().size() == 64 && !put.bundle().empty() &&
           put.bundle().size() <= kBundleSizeMax && put.time_to_live_s() > 0 &&
           put.time_to_live_s() <= kBundleTimeToLiveMaxS;
  });
  return puts && std::all_of(frame.gets().begin(), frame.gets().end(),
                             [](const auto& get) { return get.locator().size() == 32; });
}

void SubmitSession::on_frame(Request frame) {
  std::vector<std::pair<Input, std::size_t>> inputs;
  {
    const std::lock_guard lock(mutex_);
    if (admit(frame, check(frame))) {
      submit_groups(frame, inputs);
      submit_bundles(frame, inputs);
      look_up(inputs);
      for (const auto& [input, cost] : inputs) unprocessed_bytes_ += cost;
    }
  }
  for (auto& [input, cost] : inputs) context_.queue.push(std::move(input), cost);
  kick();
}

void SubmitSession::submit_groups(Request& frame,
                                  std::vector<std::pair<Input, std::size_t>>& inputs) {
  if (frame.groups_size() == 0) return;
  Submit submit;
  submit.session = id_;
  std::size_t count = 0;
  for (auto& from : *frame.mutable_groups()) {
    Submit::Group group;
    group.inbox = to_array<16>(from.inbox());
    group.token_hash = transports::token_hash(to_array<16>(from.token()));
    group.envelopes.reserve(static_cast<std::size_t>(from.envelopes_size()));
    group.hashes.reserve(static_cast<std::size_t>(from.envelopes_size()));
    for (std::string& envelope : *from.mutable_envelopes()) {
      group.hashes.push_back(envelope_hash(context_.store_id, envelope));
      submit.cost += envelope.size() + kInputCost;
      group.envelopes.push_back(std::move(envelope));
    }
    count += group.envelopes.size();
    submit.groups.push_back(std::move(group));
  }
  submit.cost += kInputCost;
  if (!context_.limiter.may_send(address_, count)) submit.refused = Outcome::kQuota;
  const std::size_t cost = submit.cost;
  inputs.emplace_back(std::move(submit), cost);
}

void SubmitSession::submit_bundles(Request& frame,
                                   std::vector<std::pair<Input, std::size_t>>& inputs) {
  for (auto& from : *frame.mutable_puts()) {
    ++unanswered_bundles_;
    PutBundle put;
    put.session = id_;
    put.request = from.request();
    put.locator = to_array<32>(from.locator());
    put.owner_key = to_array<32>(from.owner_key());
    put.time_to_live_s = from.time_to_live_s();
    const auto proof = transports::put_proof(context_.pin, challenge_, put.locator,
                                             put.time_to_live_s, to_span(from.bundle()));
    if (!transports::verify(to_array<64>(from.signature()), proof, put.owner_key)) {
      bundles_.push_back({put.request, Outcome::kNotAllowed, {}});
    } else {
      // Who has one renews it, also when others have used up the day.
      put.may_be_new = context_.limiter.may_put_bundle(address_);
      put.bundle = std::move(*from.mutable_bundle());
      put.cost = put.bundle.size() + kInputCost;
      const std::size_t cost = put.cost;
      inputs.emplace_back(std::move(put), cost);
    }
  }
  for (const auto& from : frame.gets()) {
    ++unanswered_bundles_;
    gets_.push_back({id_, from.request(), to_array<32>(from.locator()), kInputCost});
  }
}

// A few at a time: what they find is in memory until the client reads it.
void SubmitSession::look_up(std::vector<std::pair<Input, std::size_t>>& inputs) {
  while (!gets_.empty() && unanswered_bundles_ - gets_.size() < kStreamGetsMax) {
    inputs.emplace_back(gets_.front(), gets_.front().cost);
    gets_.pop_front();
  }
}

bool SubmitSession::ready_to_read() const {
  const std::lock_guard lock(mutex_);
  return may_read() && runs_.size() < kStreamResultRunsMax &&
         unanswered_bundles_ < kStreamBundlesMax && has_room();
}

bool SubmitSession::take_reply(Reply& reply) {
  const std::lock_guard lock(mutex_);
  return make_reply(reply, [&] { return fill(reply); });
}

bool SubmitSession::fill(Reply& reply) {
  if (ending()) {
    for (const GetBundle& get : gets_) bundles_.push_back({get.request, Outcome::kLater, {}});
    gets_.clear();
  }
  for (const ResultRun& run : runs_) {
    auto* result = reply.add_results();
    result->set_count(run.count);
    result->set_outcome(to_wire(run.outcome));
  }
  runs_.clear();
  std::size_t bytes = 0;
  while (!bundles_.empty() && bytes < kFrameEnvelopeBytesMax) {
    PendingBundle& bundle = bundles_.front();
    bytes += bundle.bundle.size();
    auto* answer = reply.add_bundles();
    answer->set_request(bundle.request);
    answer->set_outcome(to_wire(bundle.outcome));
    answer->set_bundle(std::move(bundle.bundle));
    bundles_.pop_front();
    --unanswered_bundles_;
  }
  std::vector<std::pair<Input, std::size_t>> inputs;
  look_up(inputs);
  for (auto& [input, cost] : inputs) {
    unprocessed_bytes_ += cost;
    context_.queue.push(std::move(input), cost);
  }
  return bundles_.empty();
}

void SubmitSession::results(const std::vector<ResultRun>& runs, std::size_t cost) {
  {
    const std::lock_guard lock(mutex_);
    for (const ResultRun& run : runs) {
      if (!runs_.empty() && runs_.back().outcome == run.outcome) {
        runs_.back().count += run.count;
      } else {
        runs_.push_back(run);
      }
    }
    worked_on(cost);
  }
  kick();
}

void SubmitSession::bundle(std::uint64_t request, Outcome outcome, std::string bundle) {
  {
    const std::lock_guard lock(mutex_);
    bundles_.push_back({request, outcome, std::move(bundle)});
  }
  kick();
}

}  // namespace wherry::relay
