// SOCKS5 (RFC 1928, without authentication): dials through a proxy, and offers the connection to a
// library that insists on dialling by itself.
#pragma once

#include <memory>
#include <string>

#include "net.h"

namespace wherry::transports {

// Connects to `target` through the proxy, which resolves the target's name. The socket does not
// block afterwards.
[[nodiscard]] DialError dial_socks5(const Authority& proxy, const Authority& target,
                                    Deadline deadline, const Stopper& stopper, Descriptor& out);

// The client's half of the handshake, on a connection to the proxy: asks for `target` and reads the
// answer, and no byte beyond it. kProxy: it refused, closed, or speaks something else.
[[nodiscard]] DialError shake_hands_socks5(int socket, const Authority& target, Deadline deadline,
                                           const Stopper& stopper);

// A unix socket in a directory of its own that accepts one connection and joins it with a given
// one, on a thread of its own, until either side closes or the tunnel ends.
class Tunnel {
 public:
  virtual ~Tunnel() = default;  // closes both connections and joins the thread
  virtual const std::string& path() const = 0;
};

// Null when the machine is short of descriptors, threads or disk.
[[nodiscard]] std::unique_ptr<Tunnel> open_tunnel(Descriptor far);

}  // namespace wherry::transports
