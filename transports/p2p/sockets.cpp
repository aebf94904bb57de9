// Options of sockets, their monitors, and the descriptors beneath.
#include "sockets.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>

#include "limits.h"

namespace wherry::transports::p2p {
namespace {

using NameOf = int (*)(int, sockaddr*, socklen_t*);

std::optional<Address> name_of(NameOf function, int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (function(descriptor, address, &size) != 0) return std::nullopt;
  return from_system(*address);
}

}  // namespace

int milliseconds(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

zmq::const_buffer key_buffer(const Key& key) {
  return {key.data(), key.size()};
}

void set_up(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::ipv6, true);
  socket.set(zmq::sockopt::rcvbuf, kReceiveBuffer);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(links::kFrameBytesMax));
  socket.set(zmq::sockopt::handshake_ivl, milliseconds(kConnectLimit));
  socket.set(zmq::sockopt::heartbeat_ivl, milliseconds(kHeartbeatEvery));
  socket.set(zmq::sockopt::heartbeat_timeout, milliseconds(kHeartbeatLimit));
}

zmq::socket_t open_monitor(zmq::context_t& context, zmq::socket_t& socket, int kinds) {
  static std::atomic<std::uint64_t> last{0};
  const std::string name = "inproc://monitor-" + std::to_string(++last);
  if (::zmq_socket_monitor(socket.handle(), name.c_str(), kinds) != 0) throw zmq::error_t();
  zmq::socket_t monitor(context, zmq::socket_type::pair);
  monitor.set(zmq::sockopt::linger, 0);
  monitor.set(zmq::sockopt::rcvhwm, 0);
  monitor.connect(name);
  return monitor;
}

void close_monitor(zmq::socket_t& socket) {
  if (socket) ::zmq_socket_monitor(socket.handle(), nullptr, 0);
}

// Two parts: the kind (u16) with its value (i32), and an address.
std::optional<MonitorEvent> next_event(zmq::socket_t& monitor) {
  zmq::message_t message;
  if (!monitor || !monitor.recv(message, zmq::recv_flags::dontwait)) return std::nullopt;
  std::uint16_t kind = 0;
  std::int32_t value = 0;
  if (message.size() == sizeof kind + sizeof value) {
    std::memcpy(&kind, message.data(), sizeof kind);
    std::memcpy(&value, static_cast<const char*>(message.data()) + sizeof kind, sizeof value);
  }
  zmq::message_t address;
  if (message.more()) static_cast<void>(monitor.recv(address, zmq::recv_flags::dontwait));
  return MonitorEvent{kind, value};
}

Descriptor second_descriptor(int theirs) {
  return Descriptor(::fcntl(theirs, F_DUPFD_CLOEXEC, 0));
}

std::optional<Address> local_address(int descriptor) {
  return name_of(&::getsockname, descriptor);
}

std::optional<Address> remote_address(int descriptor) {
  return name_of(&::getpeername, descriptor);
}

}  // namespace wherry::transports::p2p
