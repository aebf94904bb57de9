// One try to dial through tor's SOCKS port, until there is a stream or a reason why not.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "provider.h"
#include "transports/common/socks_handshake.h"

namespace wherry::transports::tor {

class Dial {
 public:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { kWaiting, kOpen, kFailed };

  // `socks` is where tor listens: "unix:/path" or "ADDRESS:PORT".
  Dial(const Target& target, const std::string& socks);

  State state() const { return state_; }
  std::int32_t reason() const { return reason_; }
  int descriptor() const { return socket_.get(); }
  short events() const;  // of poll

  void on_ready();
  // Once it is open.
  Descriptor take() { return std::move(socket_); }

 private:
  bool write();
  bool read();
  void fail(std::int32_t reason);

  State state_ = State::kWaiting;
  std::int32_t reason_;
  SocksHandshake handshake_;
  std::vector<std::uint8_t> output_;
  std::vector<std::uint8_t> input_;
  Descriptor socket_;
};

// What a refusal of tor's SOCKS port means (its proposal 304, and RFC 1928): a wherry_reason.
[[nodiscard]] std::int32_t reason_of_socks(std::uint8_t reply);

}  // namespace wherry::transports::tor
