// SOCKS5 over a socket, and the tunnel to a library that dials by itself.
#include "socks.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "run_folder.h"
#include "socks_handshake.h"

namespace wherry::transports {
namespace {

constexpr std::size_t kBufferSize = std::size_t{64} * 1024;

DialError error_of_reply(std::uint8_t code) {
  switch (code) {
    case 3:  // network unreachable
    case 4:  // host unreachable
      return DialError::kUnreachable;
    case 5:
      return DialError::kRefused;
    case 6:  // TTL expired
      return DialError::kTimeout;
    default:
      return DialError::kProxy;
  }
}

// While we speak with the proxy, a closed connection is the proxy's doing.
DialError of_proxy(DialError error) {
  return error == DialError::kRefused ? DialError::kProxy : error;
}

// One direction of a tunnel: what was read and not yet written.
struct Flow {
  int from = -1;
  int to = -1;
  std::array<std::uint8_t, kBufferSize> buffer{};
  std::size_t begin = 0;
  std::size_t end = 0;
  bool closed = false;  // `from` sends no more

  bool done() const { return closed && begin == end; }

  // False when the tunnel is to end.
  bool move(short from_events, short to_events) {
    if (begin == end && !closed && (from_events & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const ssize_t count = recv(from, buffer.data(), buffer.size(), 0);
      if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (count == 0) closed = true;
      begin = 0;
      end = count > 0 ? static_cast<std::size_t>(count) : 0;
      to_events |= POLLOUT;  // it most often takes it at once
    }
    if (begin < end && (to_events & (POLLOUT | POLLHUP | POLLERR)) != 0) {
      const ssize_t count = send(to, buffer.data() + begin, end - begin, MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (count > 0) begin += static_cast<std::size_t>(count);
    }
    return true;
  }
};

class UnixTunnel final : public Tunnel {
 public:
  explicit UnixTunnel(Descriptor far) : far_(std::move(far)) {}

  ~UnixTunnel() override {
    stopper_.stop();
    if (thread_.joinable()) thread_.join();
  }

  const std::string& path() const override { return path_; }

  bool open() {
    folder_ = RunFolder::make();
    if (!folder_) return false;
    path_ = folder_->path() + "/s";
    listener_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    if (!listener_.valid() ||
        bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener_.get(), 1) != 0) {
      return false;
    }
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

 private:
  void run() {
    const auto never = Deadline::max();
    if (wait_for(listener_.get(), POLLIN, never, stopper_) != DialError::kNone) return;
    const Descriptor near(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    listener_ = Descriptor();
    if (near.valid()) join(near.get());
    far_ = Descriptor();  // the library sees the end of its connection, and so does the proxy
  }

  void join(int near) {
    auto out = std::make_unique<Flow>();
    auto in = std::make_unique<Flow>();
    out->from = in->to = near;
    out->to = in->from = far_.get();
    // gRPC never closes one half: the end of either direction is the end of both.
    while (!out->done() && !in->done()) {
      const auto wanted = [](const Flow& reads, const Flow& writes) {
        short events = 0;
        if (reads.begin == reads.end && !reads.closed) events |= POLLIN;
        if (writes.begin < writes.end) events |= POLLOUT;
        return events;
      };
      std::array<pollfd, 3> entries{pollfd{near, wanted(*out, *in), 0},
                                    pollfd{far_.get(), wanted(*in, *out), 0},
                                    pollfd{stopper_.descriptor(), POLLIN, 0}};
      if (poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
      if (entries[2].revents != 0) return;
      const bool alive = out->move(entries[0].revents, entries[1].revents) &&
                         in->move(entries[1].revents, entries[0].revents);
      if (!alive) return;
    }
  }

  Descriptor far_;
  Descriptor listener_;
  Stopper stopper_;
  std::unique_ptr<RunFolder> folder_;
  std::string path_;
  std::thread thread_;
};

}  // namespace

DialError shake_hands_socks5(int socket, const Authority& target, Deadline deadline,
                             const Stopper& stopper) {
  SocksHandshake handshake(target);
  while (handshake.wants() > 0) {
    DialError error = write_all(socket, handshake.take_output(), deadline, stopper);
    if (error != DialError::kNone) return of_proxy(error);
    std::vector<std::uint8_t> bytes(handshake.wants());
    error = read_all(socket, bytes, deadline, stopper);
    if (error != DialError::kNone) return of_proxy(error);
    handshake.feed(bytes);
  }
  if (handshake.succeeded()) return DialError::kNone;
  return handshake.refusal() ? error_of_reply(*handshake.refusal()) : DialError::kProxy;
}

DialError dial_socks5(const Authority& proxy, const Authority& target, Deadline deadline,
                      const Stopper& stopper, Descriptor& out) {
  std::vector<SocketAddress> addresses;
  DialError error = resolve(proxy, deadline, stopper, addresses);
  if (error == DialError::kStopped) return error;
  if (error != DialError::kNone) return DialError::kProxy;
  Descriptor socket;
  for (const SocketAddress& address : addresses) {
    error = connect_to(address, deadline, stopper, socket);
    if (error == DialError::kNone || error == DialError::kStopped) break;
  }
  if (error == DialError::kStopped) return error;
  if (error != DialError::kNone) return DialError::kProxy;
  error = shake_hands_socks5(socket.get(), target, deadline, stopper);
  if (error == DialError::kNone) out = std::move(socket);
  return error;
}

std::unique_ptr<Tunnel> open_tunnel(Descriptor far) {
  auto tunnel = std::make_unique<UnixTunnel>(std::move(far));
  if (!tunnel->open()) return nullptr;
  return tunnel;
}

}  // namespace wherry::transports
