// The handshake over a socket that does not block.
#include "dial.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "include/wherry/transport.h"
#include "local_socket.h"

namespace wherry::transports::tor {

std::int32_t reason_of_socks(std::uint8_t reply) {
  switch (reply) {
    case 0x02:  // not allowed by the rules of this tor
    case 0xf4:  // the service lets in only those with a key, and there is none,
    case 0xf5:  // or a wrong one
      return WHERRY_REASON_NOT_ALLOWED;
    case 0xf1:  // its descriptor is not valid
    case 0xf6:  // the address is not
    case 0x07:
    case 0x08:
      return WHERRY_REASON_PROTOCOL;
    case 0x06:
    case 0xf7:  // nobody answered at the introduction point
      return WHERRY_REASON_TIMEOUT;
    case 0x03:
      return WHERRY_REASON_NO_NETWORK;
    default:  // no descriptor (0xf0), introduction or rendezvous failed (0xf2, 0xf3), refused there
      return WHERRY_REASON_UNREACHABLE;
  }
}

Dial::Dial(const Target& target, const std::string& socks)
    : reason_(WHERRY_REASON_NONE),
      handshake_({target.address + ".onion", kOnionPort}, SocksLogin{"wherry", target.isolation}),
      output_(handshake_.take_output()),
      socket_(connect_local(socks)) {
  if (!socket_.valid()) fail(WHERRY_REASON_TRANSPORT_OFFLINE);
}

short Dial::events() const {
  return static_cast<short>(output_.empty() ? POLLIN : POLLOUT);
}

void Dial::on_ready() {
  while (state_ == State::kWaiting && write() && read()) {
    if (input_.size() < handshake_.wants()) continue;
    handshake_.feed(input_);
    input_.clear();
    output_ = handshake_.take_output();
    if (handshake_.wants() > 0) continue;
    if (handshake_.succeeded()) {
      state_ = State::kOpen;
    } else {
      fail(handshake_.refusal() ? reason_of_socks(*handshake_.refusal()) : WHERRY_REASON_PROXY);
    }
  }
}

// False: there is no more room now, or it has failed.
bool Dial::write() {
  while (!output_.empty()) {
    const ssize_t count = ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) fail(WHERRY_REASON_TRANSPORT_OFFLINE);
      return false;
    }
    output_.erase(output_.begin(), output_.begin() + count);
  }
  return true;
}

// Not a byte beyond the handshake: that is the stream's. False: there is no more now, or it failed.
bool Dial::read() {
  const std::size_t have = input_.size();
  input_.resize(handshake_.wants());
  const ssize_t count = ::recv(socket_.get(), input_.data() + have, input_.size() - have, 0);
  input_.resize(have + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count > 0) return true;
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) fail(WHERRY_REASON_TRANSPORT_OFFLINE);
  return false;
}

void Dial::fail(std::int32_t reason) {
  state_ = State::kFailed;
  reason_ = reason;
  socket_ = Descriptor();
}

}  // namespace wherry::transports::tor
