// Dialling it.
#include "proxied.h"

#include <sys/eventfd.h>

#include <string_view>
#include <utility>

#include "include/wherry/transport.h"
#include "sockets.h"
#include "transports/common/worker_thread.h"

namespace wherry::transports::p2p {
namespace {

Authority authority_of(const Address& address) {
  Address host = address;
  host.port = 0;
  std::string text = to_text(host);  // "ADDRESS:0" or "[ADDRESS]:0"
  text.resize(text.size() - 2);
  if (text.front() == '[') text = text.substr(1, text.size() - 2);
  return {std::move(text), address.port};
}

std::int32_t reason_of(DialError error) {
  switch (error) {
    case DialError::kNone:
      return WHERRY_REASON_NONE;
    case DialError::kTimeout:
      return WHERRY_REASON_TIMEOUT;
    case DialError::kProxy:
      return WHERRY_REASON_PROXY;
    case DialError::kResource:
      return WHERRY_REASON_RESOURCE;
    default:
      return WHERRY_REASON_UNREACHABLE;
  }
}

}  // namespace

Proxied::Proxied(const Address& proxy, const Address& target, Clock::time_point until, int wake)
    : thread_([this, proxy = authority_of(proxy), target = authority_of(target), until, wake] {
        run(proxy, target, until, wake);
      }) {}

Proxied::~Proxied() {
  stopper_.stop();
  thread_.join();
}

void Proxied::run(const Authority& proxy, const Authority& target, Clock::time_point until,
                  int wake) {
  block_signals();
  Descriptor far;
  reason_ = reason_of(dial_socks5(proxy, target, until, stopper_, far));
  if (reason_ == WHERRY_REASON_NONE) {
    second_ = second_descriptor(far.get());
    tunnel_ = open_tunnel(std::move(far));
    if (!second_.valid() || !tunnel_) reason_ = WHERRY_REASON_RESOURCE;
  }
  over_ = true;
  ::eventfd_write(wake, 1);
}

}  // namespace wherry::transports::p2p
