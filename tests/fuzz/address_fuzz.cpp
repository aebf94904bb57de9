// The texts that name relays, inboxes and proxies. A text that is accepted is, to the last byte,
// what would be written for its value: no value has two names. One byte longer than the longest is
// refused.
#include <string_view>

#include "fuzz.h"
#include "include/wherry/transport.h"
#include "transports/common/net.h"
#include "transports/common/relay_address.h"
#include "transports/loopback/endpoint.h"

namespace {

namespace loopback = wherry::loopback;
using namespace wherry::transports;

void check_authority(const Authority& authority, std::string_view text) {
  must(to_text(authority) == text);
  must(!authority.host.empty() && authority.host.size() <= kRelayHostSizeMax);
  must(authority.host.find('\0') == std::string::npos);
  // Brackets and an address, or neither: a name can not pass for one.
  must(is_numeric(authority.host) || text.front() != '[');
  if (is_loopback(authority.host)) must(is_numeric(authority.host));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto authority = parse_authority(text)) {
    check_authority(*authority, text);
    must(authority->port != 0);
  }
  if (const auto authority = parse_authority(text, true)) check_authority(*authority, text);

  const auto relay = parse_relay_address(text);
  if (relay) must(to_text(*relay) == text && size <= kRelayEndpointSizeMax);
  const auto endpoint = parse_relay_endpoint(text);
  if (endpoint) {
    must(to_text(*endpoint) == text && size <= kRelayEndpointSizeMax);
    must(parse_relay_address(to_text(endpoint->relay)) == endpoint->relay);
  }
  const auto local = loopback::parse_endpoint(text);
  if (local) {
    must(loopback::to_text(*local) == text && size <= WHERRY_ENDPOINT_SIZE_MAX);
    must(loopback::is_hub_name(local->hub));
  }
  // A text is one thing.
  must((relay ? 1 : 0) + (endpoint ? 1 : 0) + (local ? 1 : 0) <= 1);
  return 0;
}
