// Endpoints as text.
#include "endpoint.h"

#include <zmq.h>

#include <algorithm>

#include "include/wherry/transport.h"
#include "limits.h"
#include "transports/common/crypto.h"
#include "transports/common/text_check.h"

namespace wherry::transports::p2p {
namespace {

constexpr std::string_view kScheme = "zd1:";
constexpr std::string_view kPassContext = "zd1 pass";
constexpr std::string_view kCheckContext = "zd1 check";

bool decode(std::string_view text, Key& out) {
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() != out.size()) return false;
  std::ranges::copy(*bytes, out.begin());
  return true;
}

}  // namespace

Key public_key(const Key& secret) {
  // libzmq takes and gives Z85 (rfc.zeromq.org/spec/32): 40 characters.
  std::array<char, 41> secret_text{};
  std::array<char, 41> public_text{};
  Key key{};
  ::zmq_z85_encode(secret_text.data(), secret.data(), secret.size());
  ::zmq_curve_public(public_text.data(), secret_text.data());
  ::zmq_z85_decode(key.data(), public_text.data());
  wipe({reinterpret_cast<std::uint8_t*>(secret_text.data()), secret_text.size()});
  return key;
}

Key pass_of(std::span<const std::uint8_t, 32> inbox_secret) {
  Key pass{};
  // The size is within derive's bounds, so it can not refuse.
  static_cast<void>(derive(pass, kPassContext, inbox_secret));
  return pass;
}

std::string to_text(const Endpoint& endpoint) {
  const std::string keys = "/" + base64url(endpoint.listener) + "/" + base64url(endpoint.pass);
  std::string text(kScheme);
  if (endpoint.meeting) text += "~" + to_text(*endpoint.meeting);
  for (const Address& address : endpoint.addresses) {
    const std::string more = (text.size() == kScheme.size() ? "" : ",") + to_text(address);
    if (text.size() + more.size() + keys.size() + kTextCheckSize <= WHERRY_ENDPOINT_SIZE_MAX) {
      text += more;
    }
  }
  text += keys;
  return text + text_check(kCheckContext, text);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  if (text.size() > WHERRY_ENDPOINT_SIZE_MAX || !text.starts_with(kScheme)) return std::nullopt;
  const std::size_t end = text.size() - std::min(text.size(), kTextCheckSize);
  if (text.substr(end) != text_check(kCheckContext, text.substr(0, end))) return std::nullopt;
  text = text.substr(kScheme.size(), end - std::min(end, kScheme.size()));
  const std::size_t first = text.find('/');
  const std::size_t second = first == std::string_view::npos ? first : text.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  Endpoint endpoint;
  if (!decode(text.substr(first + 1, second - first - 1), endpoint.listener) ||
      !decode(text.substr(second + 1), endpoint.pass)) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(0, first);
  if (rest.empty()) return endpoint;
  if (rest.starts_with('~')) {
    const std::size_t comma = rest.find(',');
    endpoint.meeting = parse_address(rest.substr(1, comma - 1));
    if (!endpoint.meeting || !may_meet(*endpoint.meeting)) return std::nullopt;
    if (comma == std::string_view::npos) return endpoint;
    rest.remove_prefix(comma + 1);
  }
  for (;;) {
    const std::size_t comma = rest.find(',');
    const std::optional<Address> address = parse_address(rest.substr(0, comma));
    // Once each: dialling one again and again would take the place of other links.
    if (!address || address->port == 0 || endpoint.addresses.size() == kAddressesMax ||
        std::ranges::find(endpoint.addresses, *address) != endpoint.addresses.end()) {
      return std::nullopt;
    }
    endpoint.addresses.push_back(*address);
    if (comma == std::string_view::npos) return endpoint;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace wherry::transports::p2p
