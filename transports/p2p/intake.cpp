// Watching connections from beside libzmq.
#include "intake.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace wherry::transports::p2p {
namespace {

// Since it began, also what nobody has read yet.
std::uint64_t bytes_received(int connection) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(connection, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}

// More than that has not been read, of an honest peer never: heartbeats are no messages, and come
// for as long as the link is idle.
std::uint64_t unread_max(Clock::duration since_read) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_read).count();
  return kUnreadMax + static_cast<std::uint64_t>(seconds) * kHeartbeatBytes;
}

}  // namespace

Intake::Intake() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) throw std::system_error(errno, std::generic_category(), "epoll");
}

int Intake::add(Descriptor connection) {
  const int number = connection.get();
  // At its edge: what libzmq leaves unread, while the host has no room, wakes nobody again.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = number}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, number, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll");
  }
  Connection& one = connections_[number];
  one.descriptor = std::move(connection);
  one.read = Clock::now();
  return number;
}

void Intake::remove(int connection) {
  // Closing alone would not do: libzmq's descriptor may keep the connection.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection, nullptr);
  connections_.erase(connection);
}

void Intake::read_one(int connection) {
  const auto one = connections_.find(connection);
  if (one == connections_.end()) return;
  one->second.at_read = bytes_received(connection);
  one->second.read = Clock::now();
}

void Intake::cut(int connection) {
  ::shutdown(connection, SHUT_RDWR);
}

void Intake::leave_nothing(int connection) {
  const linger reset{1, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

void Intake::look(Clock::time_point now) {
  std::array<epoll_event, 64> edges{};  // what they say is known below
  while (::epoll_wait(epoll_.get(), edges.data(), edges.size(), 0) ==
         static_cast<int>(edges.size())) {
  }
  bool more = false;
  bool much = !next_look_;  // it begins: whoever brings much at once is seen early
  for (auto& [number, one] : connections_) {
    const std::uint64_t bytes = bytes_received(number);
    more = more || bytes > one.seen;
    one.seen = bytes;
    const std::uint64_t unread = bytes - std::min(bytes, one.at_read);
    const std::uint64_t bound = unread_max(now - one.read);
    if (unread > bound) cut(number);
    much = much || unread > bound / 4;
  }
  next_look_.reset();
  if (more) next_look_ = now + (much ? kLookSoon : kLookEvery);
}

}  // namespace wherry::transports::p2p
