// Opening them.
#include "local_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace wherry::transports::tor {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr int kBacklog = 64;
constexpr int kType = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

std::optional<SocketAddress> address_of(std::string_view place) {
  SocketAddress address;
  if (place.starts_with(kUnix)) {
    const std::string_view path = place.substr(kUnix.size());
    auto* local = reinterpret_cast<sockaddr_un*>(&address.storage);
    if (path.empty() || path.size() >= sizeof(local->sun_path)) return std::nullopt;
    local->sun_family = AF_UNIX;
    std::memcpy(local->sun_path, path.data(), path.size());
    address.size = sizeof(*local);
    return address;
  }
  const auto authority = parse_authority(place);
  if (!authority) return std::nullopt;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, authority->host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(authority->port);
    address.size = sizeof(*v4);
  } else if (inet_pton(AF_INET6, authority->host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(authority->port);
    address.size = sizeof(*v6);
  } else {
    return std::nullopt;
  }
  return address;
}

// Small frames go at once; a unix socket knows no such thing.
void send_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

bool is_of_this_machine(const std::string& place) {
  if (place.starts_with(kUnix)) return true;
  const auto authority = parse_authority(place);
  return authority && is_loopback(authority->host);
}

Descriptor connect_local(const std::string& place) {
  const auto address = address_of(place);
  if (!address) {
    errno = EINVAL;
    return Descriptor();
  }
  Descriptor socket(::socket(address->storage.ss_family, kType, 0));
  if (!socket.valid()) return socket;
  send_at_once(socket.get());
  const int result =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address->storage), address->size);
  if (result != 0 && errno != EINPROGRESS) {
    const int error = errno;
    socket = Descriptor();
    errno = error;
  }
  return socket;
}

Descriptor listen_local(const std::string& path, std::string& place) {
  place = path.empty() ? "127.0.0.1:1" : std::string(kUnix) + path;
  auto address = address_of(place);
  if (!address) return Descriptor();
  auto* name = reinterpret_cast<sockaddr*>(&address->storage);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address->storage);
  if (path.empty()) v4->sin_port = 0;
  Descriptor socket(::socket(address->storage.ss_family, kType, 0));
  if (!socket.valid() || ::bind(socket.get(), name, address->size) != 0 ||
      ::listen(socket.get(), kBacklog) != 0 ||
      ::getsockname(socket.get(), name, &address->size) != 0) {
    return Descriptor();
  }
  if (path.empty()) place = "127.0.0.1:" + std::to_string(ntohs(v4->sin_port));
  return socket;
}

Descriptor accept_local(int listener) {
  Descriptor socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.valid()) send_at_once(socket.get());
  return socket;
}

}  // namespace wherry::transports::tor
