// Dialling without a tor of ours: directly, or through SOCKS5.
#include "dial.h"

#include <utility>

#include "limits.h"
#include "tor_dialler.h"

namespace wherry::transports::centralized {
namespace {

std::int32_t reason_of(DialError error) {
  switch (error) {
    case DialError::kNone:
      return WHERRY_REASON_NONE;
    case DialError::kStopped:
      return WHERRY_REASON_STOPPED;
    case DialError::kTimeout:
    case DialError::kUnreachable:
      return WHERRY_REASON_UNREACHABLE;
    case DialError::kNameNotFound:
      return WHERRY_REASON_NAME_NOT_FOUND;
    case DialError::kRefused:
      return WHERRY_REASON_REFUSED;
    case DialError::kProxy:
      return WHERRY_REASON_PROXY;
    case DialError::kResource:
      return WHERRY_REASON_RESOURCE;
  }
  return WHERRY_REASON_UNREACHABLE;
}

// gRPC connects by itself, and says little about why it could not: so each address is tried here,
// and the first one that answers is given to it.
Dialled dial_directly(const Authority& relay, Deadline deadline, const Stopper& stopper) {
  Dialled result;
  std::vector<SocketAddress> addresses;
  DialError error = resolve(relay, deadline, stopper, addresses);
  for (const SocketAddress& address : addresses) {
    Descriptor probe;
    error = connect_to(address, deadline, stopper, probe);
    if (error == DialError::kStopped) break;
    if (error == DialError::kNone) {
      result.address = to_text(address);
      break;
    }
  }
  result.reason = reason_of(error);
  return result;
}

Dialled dial_through_proxy(const Authority& proxy, const Authority& relay, Deadline deadline,
                           const Stopper& stopper) {
  Dialled result;
  Descriptor socket;
  result.reason = reason_of(dial_socks5(proxy, relay, deadline, stopper, socket));
  if (result.reason != WHERRY_REASON_NONE) return result;
  return through_tunnel(std::move(socket));
}

class SocketDialler final : public Dialler {
 public:
  explicit SocketDialler(const ClientSettings& settings) : settings_(settings) {}

  Dialled dial(Deadline deadline, const Stopper& stopper) override {
    const Authority& relay = settings_.relay.authority;
    if (!settings_.proxy) return dial_directly(relay, deadline, stopper);
    // Circuits take their time.
    if (onion_of(relay)) deadline += kOnionDialTimeout - kDialTimeout;
    return dial_through_proxy(*settings_.proxy, relay, deadline, stopper);
  }

 private:
  const ClientSettings settings_;
};

}  // namespace

Dialled through_tunnel(Descriptor far) {
  Dialled result;
  result.tunnel = open_tunnel(std::move(far));
  if (result.tunnel) {
    result.address = "unix:" + result.tunnel->path();
  } else {
    result.reason = WHERRY_REASON_RESOURCE;
  }
  return result;
}

std::unique_ptr<Dialler> make_dialler(const ClientSettings& settings, DiallerCalls calls) {
  if (settings.tor) return make_tor_dialler(settings, std::move(calls));
  return std::make_unique<SocketDialler>(settings);
}

}  // namespace wherry::transports::centralized
