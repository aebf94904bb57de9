// The registry of sessions.
#include "sessions.h"

#include <utility>

namespace wherry::relay {

Sessions::Sessions(Limiter& limiter, std::function<void(bool)> on_disk)
    : limiter_(limiter), on_disk_(std::move(on_disk)) {}

void Sessions::add(const std::shared_ptr<Session>& session, const std::string& address) {
  const bool counted = limiter_.stream_begins(address);
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    stopped = stopped_;
    sessions_[session->id()] = {session, address, counted};
  }
  if (!counted) session->say_goodbye(v1::Goodbye::QUOTA);
  if (stopped) session->say_goodbye(v1::Goodbye::DRAINING);
}

void Sessions::remove(const std::shared_ptr<Session>& session, InputQueue& queue) {
  session->detach();
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(session->id());
    if (found == sessions_.end()) return;
    entry = std::move(found->second);
    sessions_.erase(found);
  }
  if (entry.counted) limiter_.stream_ends(entry.address);
  queue.push(Hangup{session->id()}, kInputCost);
}

void Sessions::end_overdue(std::chrono::steady_clock::time_point now) {
  for (const auto& session : all()) {
    if (session->overdue(now)) session->say_goodbye(v1::Goodbye::PROTOCOL);
  }
}

void Sessions::stop_reading() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  for (const auto& session : all()) session->stop_reading();
}

void Sessions::say_goodbye() {
  for (const auto& session : all()) session->say_goodbye(v1::Goodbye::DRAINING);
}

std::shared_ptr<Session> Sessions::find(SessionId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second.session;
}

std::vector<std::shared_ptr<Session>> Sessions::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Session>> out;
  out.reserve(sessions_.size());
  for (const auto& [id, entry] : sessions_) out.push_back(entry.session);
  return out;
}

void Sessions::results(SessionId id, const std::vector<ResultRun>& runs, std::size_t cost) {
  if (const auto session = find(id)) session->results(runs, cost);
}

void Sessions::opened(SessionId id, std::uint32_t slot, Outcome outcome, bool created) {
  if (const auto session = find(id)) session->opened(slot, outcome, created);
}

void Sessions::deliver(SessionId id, std::vector<Delivery> deliveries) {
  if (const auto session = find(id)) session->deliver(std::move(deliveries));
}

void Sessions::drop(SessionId id, std::uint32_t slot, std::size_t bytes) {
  if (const auto session = find(id)) session->drop(slot, bytes);
}

void Sessions::bundle(SessionId id, std::uint64_t request, Outcome outcome, std::string bundle) {
  if (const auto session = find(id)) session->bundle(request, outcome, std::move(bundle));
}

void Sessions::disk_failed(bool failed) {
  on_disk_(failed);
}

}  // namespace wherry::relay
