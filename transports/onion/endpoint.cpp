// Endpoints as text.
#include "endpoint.h"

#include <algorithm>

#include "include/wherry/transport.h"
#include "transports/common/text_check.h"
#include "transports/common/tor/onion_address.h"

namespace wherry::transports::onion {
namespace {

constexpr std::string_view kScheme = "zo1:";
constexpr std::string_view kCheckContext = "zo1 check";

// Takes a part with its slash from the front.
template <std::size_t Size>
bool take(std::string_view& text, std::array<std::uint8_t, Size>& out) {
  constexpr std::size_t kTextSize = (Size * 8 + 5) / 6;
  if (!text.starts_with('/') || text.size() < 1 + kTextSize) return false;
  const auto bytes = from_base64url(text.substr(1, kTextSize));
  if (!bytes || bytes->size() != Size) return false;
  std::ranges::copy(*bytes, out.begin());
  text.remove_prefix(1 + kTextSize);
  return true;
}

}  // namespace

std::string to_text(const Endpoint& endpoint) {
  std::string text = std::string(kScheme) + tor::address_of(endpoint.service);
  if (endpoint.client) text += "/" + base64url(*endpoint.client);
  if (endpoint.token) text += "/" + base64url(*endpoint.token);
  return text + text_check(kCheckContext, text);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  if (text.size() > WHERRY_ENDPOINT_SIZE_MAX || !text.starts_with(kScheme)) return std::nullopt;
  const std::size_t end = text.size() - std::min(text.size(), kTextCheckSize);
  if (text.substr(end) != text_check(kCheckContext, text.substr(0, end))) return std::nullopt;
  text = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), kScheme.size()));
  const auto service = tor::parse_address(text.substr(0, tor::kAddressSize));
  if (!service) return std::nullopt;
  text.remove_prefix(tor::kAddressSize);
  Endpoint endpoint{*service, std::nullopt, std::nullopt};
  if (text.empty()) return endpoint;
  if (!take(text, endpoint.client.emplace())) return std::nullopt;
  if (text.empty()) return endpoint;
  if (!take(text, endpoint.token.emplace()) || !text.empty()) return std::nullopt;
  return endpoint;
}

}  // namespace wherry::transports::onion
