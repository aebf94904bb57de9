// The client's half of SOCKS5's handshake (RFC 1928), without a socket: what to write next, and how
// much to read next. It reads no byte beyond the handshake.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "relay_address.h"

namespace wherry::transports {

// A name and a password (RFC 1929), of 1 to 255 bytes each. A Tor keeps streams with different ones
// on different circuits (its proposal 171).
struct SocksLogin {
  std::string name;
  std::string password;
};

class SocksHandshake {
 public:
  // The target's name is resolved by the proxy. A host has at most 255 bytes.
  explicit SocksHandshake(const Authority& target, std::optional<SocksLogin> login = std::nullopt);

  // To be written before anything else is read; moved away.
  std::vector<std::uint8_t> take_output();
  // How many bytes come next. 0: it is over.
  std::size_t wants() const { return wants_; }
  // Exactly as many.
  void feed(std::span<const std::uint8_t> bytes);

  // Once it is over.
  bool succeeded() const { return succeeded_; }
  // The proxy's answer when it refused (RFC 1928, section 6). None: it does not speak SOCKS5, or
  // refuses the login.
  std::optional<std::uint8_t> refusal() const { return refusal_; }

 private:
  enum class Step : std::uint8_t { kMethod, kLogin, kReply, kRest };

  void fail();
  void ask();

  Authority target_;
  std::optional<SocksLogin> login_;
  Step step_ = Step::kMethod;
  std::vector<std::uint8_t> output_;
  std::size_t wants_ = 2;
  std::optional<std::uint8_t> refusal_;
  bool succeeded_ = false;
};

}  // namespace wherry::transports
