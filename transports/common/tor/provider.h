// What a transport needs of the onion network, whoever provides it: a tor process by its control
// port (tor_provider.h), and one day Arti in this process. So streams are file descriptors, and how
// circuits are kept apart, or keys handed over, is the provider's.
//
// Threads: functions of a provider may be called from any thread, but for its end; they only note
// what is asked for. Listener's functions are called from the provider's own thread; from within
// them the provider may be called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transports/common/crypto.h"
#include "transports/common/net.h"

namespace wherry::transports::tor {

using Seed = std::array<std::uint8_t, 32>;  // of an Ed25519 or X25519 key, secret

// A service that others find by the address of its key.
struct Service {
  Seed key{};
  std::vector<PublicKey> clients;  // X25519: who alone may find it; none: anybody
};

// Where a stream goes.
struct Target {
  std::string address;         // of 56 characters, checked
  std::optional<Seed> client;  // X25519, of whoever may find it
  std::string isolation;       // streams with different ones share no circuit; no secret
};

struct Status {
  std::int32_t state = 0;    // wherry_transport_state
  std::int32_t percent = 0;  // of starting
  std::int32_t reason = 0;   // wherry_reason, of being degraded or failed
  std::string phase;         // what it is at, or what is the matter; one line

  bool operator==(const Status&) const = default;
};

class Listener {
 public:
  virtual void on_status(const Status& status) = 0;
  // Clients can find it from now on; or they can not, for a reason.
  virtual void on_published(std::uint64_t service, std::int32_t reason) = 0;
  // Somebody came. The stream does not block.
  virtual void on_stream(std::uint64_t service, Descriptor stream) = 0;
  // A stream that does not block; or none, for a reason.
  virtual void on_dialled(std::uint64_t dial, Descriptor stream, std::int32_t reason) = 0;
  // Nothing is called any more after this.
  virtual void on_stopped() = 0;

 protected:
  ~Listener() = default;
};

class Provider {
 public:
  virtual ~Provider() = default;  // after stop, or before start; waits for on_stopped

  virtual void start() = 0;
  // on_stopped follows within 2 s.
  virtual void stop() = 0;
  // After it was degraded: begins anew what has ended. Else: connections are made anew.
  virtual void renew() = 0;

  // Services and dials have numbers of the caller's. What was published is published again after
  // the provider has begun anew, until it is withdrawn; dials fail then.
  virtual void publish(std::uint64_t service, Service what) = 0;
  virtual void withdraw(std::uint64_t service) = 0;
  virtual void dial(std::uint64_t dial, Target target) = 0;
  virtual void give_up(std::uint64_t dial) = 0;  // without a word
};

}  // namespace wherry::transports::tor
