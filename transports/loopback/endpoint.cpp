// The endpoint of a loopback inbox: derivation, text, parser.
#include "transports/loopback/endpoint.h"

#include <algorithm>
#include <span>

#include "include/wherry/transport.h"
#include "transports/common/crypto.h"
#include "transports/loopback/limits.h"

namespace wherry::loopback {
namespace {

constexpr std::string_view kScheme = "lo1:";

// One context for each use of a secret, so that knowing the address does not tell the token.
constexpr std::string_view kAddressContext = "lo1 address";
constexpr std::string_view kTokenContext = "lo1 token";

template <std::size_t kSize>
bool decode(std::string_view text, std::array<std::uint8_t, kSize>& out) {
  const auto bytes = transports::from_base64url(text);
  if (!bytes.has_value() || bytes->size() != kSize) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

}  // namespace

bool is_hub_name(std::string_view text) {
  return !text.empty() && text.size() <= kHubNameSizeMax &&
         std::all_of(text.begin(), text.end(), [](char character) {
           return (character >= 'a' && character <= 'z') ||
                  (character >= '0' && character <= '9') || character == '-';
         });
}

Endpoint endpoint_of(std::string hub, const std::uint8_t* secret) {
  const std::span<const std::uint8_t> key(secret, WHERRY_TRANSPORT_SECRET_SIZE);
  Endpoint endpoint{std::move(hub), {}, {}};
  // The sizes are constants within derive's bounds, so it cannot refuse.
  static_cast<void>(transports::derive(endpoint.address, kAddressContext, key));
  static_cast<void>(transports::derive(endpoint.token, kTokenContext, key));
  return endpoint;
}

std::string to_text(const Endpoint& endpoint) {
  return std::string(kScheme) + endpoint.hub + "/" + transports::base64url(endpoint.address) + "/" +
         transports::base64url(endpoint.token);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  if (text.size() > WHERRY_ENDPOINT_SIZE_MAX || !text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const std::size_t first = text.find('/');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  Endpoint endpoint;
  endpoint.hub = text.substr(0, first);
  const bool valid = is_hub_name(endpoint.hub) &&
                     decode(text.substr(first + 1, second - first - 1), endpoint.address) &&
                     decode(text.substr(second + 1), endpoint.token);
  if (!valid) return std::nullopt;
  return endpoint;
}

}  // namespace wherry::loopback
