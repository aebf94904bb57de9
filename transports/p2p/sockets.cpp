// Options of sockets.
#include "sockets.h"

#include "limits.h"

namespace wherry::transports::p2p {

int milliseconds(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

zmq::const_buffer key_buffer(const Key& key) {
  return {key.data(), key.size()};
}

void set_up(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::ipv6, true);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kFrameBytesMax));
  socket.set(zmq::sockopt::handshake_ivl, milliseconds(kConnectLimit));
  socket.set(zmq::sockopt::heartbeat_ivl, milliseconds(kHeartbeatEvery));
  socket.set(zmq::sockopt::heartbeat_timeout, milliseconds(kHeartbeatLimit));
}

}  // namespace wherry::transports::p2p
