// Moments, and what is open in them.
#include "meeting.h"

#include <algorithm>

namespace wherry::transports::p2p {

Clock::duration until_meeting() {
  const Clock::duration next = until_next_meeting();
  return kMeetingEvery - next < kMeetingLimit / 2 ? Clock::duration(0) : next;
}

Clock::duration until_next_meeting() {
  return kMeetingEvery - std::chrono::system_clock::now().time_since_epoch() % kMeetingEvery;
}

std::string meeting_text(std::uint16_t from, const Address& to) {
  const std::string any = to.is_v4() ? "0.0.0.0:" : "[::]:";
  return "tcp://" + any + std::to_string(from) + ";" + to_text(to);
}

bool Meetings::has_room() const {
  const auto waiting = std::ranges::count_if(
      meetings_, [](const auto& entry) { return entry.second.connection == -1; });
  return static_cast<std::size_t>(waiting) < kMeetingsMax;
}

void Meetings::begin(std::uint16_t from, const Address& to, Clock::time_point now) {
  const Meeting& one =
      meetings_.emplace(to, Meeting{meeting_text(from, to), -1, now + kMeetingLimit}).first->second;
  socket_.connect(one.text);
}

void Meetings::forget(const Address& to) {
  const auto one = meetings_.find(to);
  if (one == meetings_.end() || one->second.connection != -1 || one->second.over) return;
  end(one->second);
  meetings_.erase(one);
}

void Meetings::came(int connection, const Address& from) {
  const auto one = meetings_.find(from);
  if (one != meetings_.end() && !one->second.over) one->second.connection = connection;
}

void Meetings::went(int connection, Clock::time_point now) {
  const auto one = std::ranges::find_if(
      meetings_, [&](const auto& entry) { return entry.second.connection == connection; });
  if (one == meetings_.end()) return;
  end(one->second);
  if (one->second.until <= now) {
    meetings_.erase(one);
  } else {
    one->second.connection = -1;
    one->second.over = true;
  }
}

std::optional<Clock::time_point> Meetings::deadline() const {
  std::optional<Clock::time_point> first;
  for (const auto& [to, one] : meetings_) {
    if (one.connection == -1 && (!first || one.until < *first)) first = one.until;
  }
  return first;
}

void Meetings::on_time(Clock::time_point now) {
  std::erase_if(meetings_, [&](const auto& entry) {
    const Meeting& one = entry.second;
    if (one.connection != -1 || one.until > now) return false;
    if (!one.over) end(one);
    return true;
  });
}

// Else ZeroMQ would try for ever.
void Meetings::end(const Meeting& meeting) {
  socket_.disconnect(meeting.text);
}

}  // namespace wherry::transports::p2p
