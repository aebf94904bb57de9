// Blocking sockets with a deadline and a way to stop: what a transport dials with.
//
// Names are resolved here and nowhere else, and only when no proxy is used, so that a transport's
// `reveals` can say who sees a look-up.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "relay_address.h"

namespace wherry::transports {

using Deadline = std::chrono::steady_clock::time_point;

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int get() const { return value_; }
  bool valid() const { return value_ >= 0; }
  int release();

 private:
  int value_ = -1;
};

// Stops what waits, from another thread, for good. Thread-safe.
class Stopper {
 public:
  Stopper();
  void stop() const;
  bool stopped() const;
  int descriptor() const { return read_.get(); }  // readable once stopped

 private:
  Descriptor read_;
  Descriptor write_;
};

// Why dialling failed.
enum class DialError : std::uint8_t {
  kNone,
  kStopped,
  kTimeout,
  kNameNotFound,
  kRefused,
  kUnreachable,
  kProxy,  // the proxy refused, or does not speak SOCKS5
  kResource,
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// A numeric address as it is; a name by the system's resolver.
[[nodiscard]] DialError resolve(const Authority& authority, Deadline deadline,
                                const Stopper& stopper, std::vector<SocketAddress>& out);

// "1.2.3.4:5" or "[::1]:5".
[[nodiscard]] std::string to_text(const SocketAddress& address);

// Whether the host is an address and not a name.
[[nodiscard]] bool is_numeric(const std::string& host);
// Whether the host is this machine's own loop.
[[nodiscard]] bool is_loopback(const std::string& host);

// Connects; the socket does not block afterwards.
[[nodiscard]] DialError connect_to(const SocketAddress& address, Deadline deadline,
                                   const Stopper& stopper, Descriptor& out);

// Waits until the descriptor is ready for `events` (of poll).
[[nodiscard]] DialError wait_for(int descriptor, short events, Deadline deadline,
                                 const Stopper& stopper);

// All of it, or an error. kRefused: the other side closed.
[[nodiscard]] DialError write_all(int descriptor, std::span<const std::uint8_t> bytes,
                                  Deadline deadline, const Stopper& stopper);
[[nodiscard]] DialError read_all(int descriptor, std::span<std::uint8_t> bytes, Deadline deadline,
                                 const Stopper& stopper);

}  // namespace wherry::transports
