// How much one network address may ask of the relay. Generous: they stop a broken or hostile
// program, not a person. Addresses live in memory only, and are forgotten when idle. Of IPv6 the
// first 64 bits count, since whoever has one address of such a network has all of them. Who comes
// over Tor has none: each connection counts as an address of its own, but for what is kept, since
// connections cost nothing; all of them together may make as much in a day as one address.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "limits.h"

namespace wherry::relay {

// What of a peer, as gRPC names it ("ipv4:1.2.3.4:5", "ipv6:%5B::1%5D:5"), is counted: an IPv4
// address, or the /64 of an IPv6 one. What is neither stays as it is: a connection that was given
// to gRPC ("fd:12").
[[nodiscard]] std::string counted_address(const std::string& peer);

// gRPC's descriptor of a connection that it was given, if the address is of such a one.
[[nodiscard]] std::optional<int> tor_connection(const std::string& address);

class Limiter {
 public:
  using Clock = std::function<std::int64_t()>;  // milliseconds, steady

  Limiter(const Quotas& quotas, Clock clock);

  // A stream of this address begins; false when it has too many.
  bool stream_begins(const std::string& address);
  void stream_ends(const std::string& address);

  bool may_send(const std::string& address, std::size_t envelopes);
  bool may_put_bundle(const std::string& address);
  bool may_make_inboxes(const std::string& address);  // asks only
  void inbox_made(const std::string& address);

 private:
  struct Usage {
    double envelopes = 0;  // that may still be sent now
    std::int64_t filled_ms = 0;
    std::int64_t day = 0;
    std::uint32_t inboxes_today = 0;
    std::uint32_t bundles_today = 0;
    std::uint32_t streams = 0;
  };

  Usage& usage(const std::string& address);
  Usage& daily(const std::string& address);
  void forget_idle(std::int64_t now_ms);

  const Quotas quotas_;
  const Clock clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Usage> usages_;
};

}  // namespace wherry::relay
