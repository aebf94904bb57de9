// Numbers out, numbers back.
#include "send_window.h"

#include <algorithm>
#include <utility>

namespace wherry::transports::links {

void SendWindow::queue(std::uint64_t send_id, Bytes envelope, Clock::time_point until) {
  queue_.push_back({send_id, std::move(envelope), until});
}

std::optional<Bytes> SendWindow::next_frame() {
  Bytes frame;
  in_frame_ = 0;
  while (in_frame_ < std::min(queue_.size(), kFrameEnvelopesMax) &&
         flights_.size() + in_frame_ < kWindowEnvelopes) {
    const Bytes& envelope = queue_[in_frame_].envelope;
    if (in_frame_ > 0 && frame.size() + envelope.size() > kFrameBytes) break;
    append(frame, next_number_ + static_cast<std::uint32_t>(in_frame_), envelope);
    ++in_frame_;
  }
  if (in_frame_ == 0) return std::nullopt;
  return frame;
}

void SendWindow::wrote() {
  for (; in_frame_ > 0; --in_frame_) {
    flights_.emplace(next_number_++, Flight{queue_.front().send_id, queue_.front().until});
    queue_.pop_front();
  }
}

bool SendWindow::were_sent(std::span<const Range> ranges) const {
  return !ranges.empty() && ranges.front().first < next_number_;
}

bool SendWindow::taken(std::span<const Range> ranges) {
  if (!were_sent(ranges)) return false;
  for (const Range& range : ranges) {
    auto flight = flights_.lower_bound(range.first);
    while (flight != flights_.end() && flight->first <= range.last) {
      report(flight->second.send_id, WHERRY_OUTCOME_HANDED, WHERRY_REASON_NONE);
      handed_.emplace(flight->first, flight->second.send_id);
      flight = flights_.erase(flight);
    }
  }
  while (handed_.size() > kHandedMax) handed_.erase(handed_.begin());
  return true;
}

bool SendWindow::stored(std::span<const Range> ranges) {
  if (!taken(ranges)) return false;
  for (const Range& range : ranges) {
    auto one = handed_.lower_bound(range.first);
    while (one != handed_.end() && one->first <= range.last) {
      report(one->second, WHERRY_OUTCOME_STORED, WHERRY_REASON_NONE);
      one = handed_.erase(one);
    }
  }
  return true;
}

std::optional<Clock::time_point> SendWindow::oldest() const {
  if (!flights_.empty()) return flights_.begin()->second.until;
  if (!queue_.empty()) return queue_.front().until;
  return std::nullopt;
}

void SendWindow::expire(Clock::time_point now) {
  while (!flights_.empty() && flights_.begin()->second.until <= now) {
    report(flights_.begin()->second.send_id, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_TIMEOUT);
    flights_.erase(flights_.begin());
  }
  for (; !queue_.empty() && queue_.front().until <= now; queue_.pop_front()) {
    report(queue_.front().send_id, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_TIMEOUT);
  }
  in_frame_ = 0;
}

void SendWindow::fail(std::int32_t reason) {
  for (const auto& [number, flight] : flights_) {
    report(flight.send_id, WHERRY_OUTCOME_FAILED_RETRY, reason);
  }
  for (const Queued& queued : queue_) {
    report(queued.send_id, WHERRY_OUTCOME_FAILED_RETRY, reason);
  }
  flights_.clear();
  handed_.clear();
  queue_.clear();
  in_frame_ = 0;
}

void SendWindow::report(std::uint64_t send_id, std::int32_t outcome, std::int32_t reason) {
  sent_.push_back({send_id, outcome, reason});
}

}  // namespace wherry::transports::links
