// Sockets with a deadline, on poll.
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace wherry::transports {
namespace {

constexpr std::size_t kAddressesMax = 16;

int remaining_ms(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, 60 * 1000));
}

std::vector<SocketAddress> look_up(const Authority& authority, int flags, int& error) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  error =
      getaddrinfo(authority.host.c_str(), std::to_string(authority.port).c_str(), &hints, &list);
  std::vector<SocketAddress> out;
  if (error != 0) return out;
  for (const addrinfo* entry = list; entry != nullptr && out.size() < kAddressesMax;
       entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    out.push_back(address);
  }
  freeaddrinfo(list);
  return out;
}

// The system's resolver cannot be interrupted: it works on a thread of its own, which may outlive
// the wait and then touches nothing but this.
struct LookUp {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  int error = 0;
  std::vector<SocketAddress> addresses;
};

DialError error_of_connect(int error) {
  switch (error) {
    case ECONNREFUSED:
      return DialError::kRefused;
    case ETIMEDOUT:
      return DialError::kTimeout;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return DialError::kResource;
    default:
      return DialError::kUnreachable;
  }
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (value_ >= 0) close(value_);
    value_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (value_ >= 0) close(value_);
}

int Descriptor::release() {
  return std::exchange(value_, -1);
}

Stopper::Stopper() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0) {
    read_ = Descriptor(ends[0]);
    write_ = Descriptor(ends[1]);
  }
}

void Stopper::stop() const {
  const char byte = 0;
  // A full pipe is readable already, which is all that is wanted.
  static_cast<void>(!write(write_.get(), &byte, 1));
}

bool Stopper::stopped() const {
  if (!read_.valid()) return true;  // no descriptors left: nothing can be dialled
  pollfd entry{read_.get(), POLLIN, 0};
  return poll(&entry, 1, 0) > 0;
}

DialError resolve(const Authority& authority, Deadline deadline, const Stopper& stopper,
                  std::vector<SocketAddress>& out) {
  int error = 0;
  out = look_up(authority, AI_NUMERICHOST, error);
  if (error == 0 && !out.empty()) return DialError::kNone;
  auto work = std::make_shared<LookUp>();
  try {
    std::thread([work, authority] {
      int result = 0;
      auto addresses = look_up(authority, AI_ADDRCONFIG, result);
      const std::lock_guard lock(work->mutex);
      work->done = true;
      work->error = result;
      work->addresses = std::move(addresses);
      work->changed.notify_all();
    }).detach();
  } catch (const std::system_error&) {
    return DialError::kResource;
  }
  std::unique_lock lock(work->mutex);
  while (!work->done) {
    if (stopper.stopped()) return DialError::kStopped;
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) return DialError::kTimeout;
    work->changed.wait_until(lock, std::min(deadline, now + std::chrono::milliseconds(100)));
  }
  out = std::move(work->addresses);
  return work->error != 0 || out.empty() ? DialError::kNameNotFound : DialError::kNone;
}

std::string to_text(const SocketAddress& address) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address.storage), address.size, host.data(),
                  host.size(), port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const std::string text = host.data();
  const bool ipv6 = address.storage.ss_family == AF_INET6;
  return (ipv6 ? "[" + text + "]" : text) + ":" + port.data();
}

bool is_numeric(const std::string& host) {
  std::array<std::uint8_t, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

bool is_loopback(const std::string& host) {
  in_addr ipv4{};
  if (inet_pton(AF_INET, host.c_str(), &ipv4) == 1) return ntohl(ipv4.s_addr) >> 24U == 127;
  in6_addr ipv6{};
  return inet_pton(AF_INET6, host.c_str(), &ipv6) == 1 && IN6_IS_ADDR_LOOPBACK(&ipv6);
}

DialError wait_for(int descriptor, short events, Deadline deadline, const Stopper& stopper) {
  while (true) {
    std::array<pollfd, 2> entries{pollfd{descriptor, events, 0},
                                  pollfd{stopper.descriptor(), POLLIN, 0}};
    const int ready = poll(entries.data(), entries.size(), remaining_ms(deadline));
    if (ready < 0 && errno != EINTR) return DialError::kResource;
    if (ready > 0 && entries[1].revents != 0) return DialError::kStopped;
    if (ready > 0 && entries[0].revents != 0) return DialError::kNone;
    if (std::chrono::steady_clock::now() >= deadline) return DialError::kTimeout;
  }
}

DialError connect_to(const SocketAddress& address, Deadline deadline, const Stopper& stopper,
                     Descriptor& out) {
  Descriptor socket(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return error_of_connect(errno);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) !=
      0) {
    if (errno != EINPROGRESS) return error_of_connect(errno);
    const DialError waited = wait_for(socket.get(), POLLOUT, deadline, stopper);
    if (waited != DialError::kNone) return waited;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return error_of_connect(error);
  }
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  out = std::move(socket);
  return DialError::kNone;
}

DialError write_all(int descriptor, std::span<const std::uint8_t> bytes, Deadline deadline,
                    const Stopper& stopper) {
  while (!bytes.empty()) {
    const ssize_t count = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (count < 0 && errno != EAGAIN && errno != EINTR) return DialError::kRefused;
    const DialError waited = wait_for(descriptor, POLLOUT, deadline, stopper);
    if (waited != DialError::kNone) return waited;
  }
  return DialError::kNone;
}

DialError read_all(int descriptor, std::span<std::uint8_t> bytes, Deadline deadline,
                   const Stopper& stopper) {
  while (!bytes.empty()) {
    const ssize_t count = recv(descriptor, bytes.data(), bytes.size(), 0);
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) return DialError::kRefused;
    const DialError waited = wait_for(descriptor, POLLIN, deadline, stopper);
    if (waited != DialError::kNone) return waited;
  }
  return DialError::kNone;
}

}  // namespace wherry::transports
