// Watching connections from beside gRPC.
#include "tor_connections.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace wherry::relay {

int TorConnections::add(transports::Descriptor connection) {
  const std::lock_guard lock(mutex_);
  transports::Descriptor second(::fcntl(connection.get(), F_DUPFD_CLOEXEC, 0));
  if (!second.valid()) return -1;
  if (all_.size() >= most_) forget_ended_now();
  if (all_.size() >= most_) make_room();
  const int number = connection.release();
  // One that has this number still is over: gRPC has closed it.
  all_.insert_or_assign(number, One{std::move(second), ++order_});
  return number;
}

void TorConnections::spoke(int connection) {
  const std::lock_guard lock(mutex_);
  const auto one = all_.find(connection);
  if (one != all_.end()) one->second.spoke = true;
}

void TorConnections::forget_ended() {
  const std::lock_guard lock(mutex_);
  forget_ended_now();
}

std::size_t TorConnections::count() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

// gRPC shuts a connection down before it closes its own descriptor. mutex_ is held, here and below.
void TorConnections::forget_ended_now() {
  std::vector<pollfd> items;
  for (const auto& [number, one] : all_) items.push_back({one.second.get(), POLLRDHUP, 0});
  if (::poll(items.data(), items.size(), 0) <= 0) return;
  auto item = items.begin();
  std::erase_if(
      all_, [&](const auto&) { return ((item++)->revents & (POLLHUP | POLLERR | POLLNVAL)) != 0; });
}

// Those that have asked for nothing go first.
void TorConnections::make_room() {
  const auto oldest = std::ranges::min_element(all_, {}, [](const auto& entry) {
    return std::pair(entry.second.spoke, entry.second.order);
  });
  if (oldest == all_.end()) return;
  ::shutdown(oldest->second.second.get(), SHUT_RDWR);
  all_.erase(oldest);
}

}  // namespace wherry::relay
