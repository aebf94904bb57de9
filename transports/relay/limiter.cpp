// Counting by address: a bucket of envelopes that fills by the second, and counts by the day.
#include "limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace wherry::relay {
namespace {

constexpr std::int64_t kMsPerDay = 86400LL * 1000;

// Stands for all addresses beyond kRateAddressesMax.
const std::string kOthers;

// How gRPC names a connection that it was given: those that came over Tor.
constexpr std::string_view kOverTor = "fd:";
const std::string kAllOverTor(kOverTor);

constexpr std::size_t kNetworkBytes = 8;  // of an IPv6 address: a /64

// Without what stands around an address: "[" "]" as themselves or escaped, and a zone.
std::string_view bare(std::string_view host) {
  for (const std::string_view open : {"[", "%5B"}) {
    if (host.starts_with(open)) host.remove_prefix(open.size());
  }
  for (const std::string_view close : {"]", "%5D", "%"}) {
    host = host.substr(0, host.find(close));
  }
  return host;
}

}  // namespace

std::optional<int> tor_connection(const std::string& address) {
  if (!address.starts_with(kOverTor)) return std::nullopt;
  int number = -1;
  const char* end = address.data() + address.size();
  const auto [at, status] = std::from_chars(address.data() + kOverTor.size(), end, number);
  if (status != std::errc() || at != end) return std::nullopt;
  return number;
}

std::string counted_address(const std::string& peer) {
  constexpr std::string_view kIpv6 = "ipv6:";
  if (tor_connection(peer)) return peer;
  std::string host = peer.substr(0, peer.rfind(':'));
  if (!host.starts_with(kIpv6)) return host;
  in6_addr address{};
  const std::string text(bare(std::string_view(host).substr(kIpv6.size())));
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return host;
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    inet_ntop(AF_INET, address.s6_addr + 12, out.data(), out.size());
    return std::string("ipv4:") + out.data();
  }
  std::fill(address.s6_addr + kNetworkBytes, address.s6_addr + sizeof(address.s6_addr),
            std::uint8_t{0});
  inet_ntop(AF_INET6, &address, out.data(), out.size());
  return std::string(kIpv6) + out.data();
}

Limiter::Limiter(const Quotas& quotas, Clock clock) : quotas_(quotas), clock_(std::move(clock)) {}

bool Limiter::stream_begins(const std::string& address) {
  const std::lock_guard lock(mutex_);
  Usage& used = usage(address);
  const std::uint32_t most = tor_connection(address) ? kTorStreamsMax : quotas_.address_streams_max;
  if (used.streams >= most) return false;
  ++used.streams;
  return true;
}

void Limiter::stream_ends(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto found = usages_.find(address);
  Usage& used =
      found != usages_.end() && found->second.streams > 0 ? found->second : usage(kOthers);
  if (used.streams > 0) --used.streams;
}

bool Limiter::may_send(const std::string& address, std::size_t envelopes) {
  const std::lock_guard lock(mutex_);
  Usage& used = usage(address);
  const auto count = static_cast<double>(envelopes);
  if (used.envelopes < count) return false;
  used.envelopes -= count;
  return true;
}

bool Limiter::may_put_bundle(const std::string& address) {
  const std::lock_guard lock(mutex_);
  Usage& used = daily(address);
  if (used.bundles_today >= quotas_.address_bundles_per_day) return false;
  ++used.bundles_today;
  return true;
}

bool Limiter::may_make_inboxes(const std::string& address) {
  const std::lock_guard lock(mutex_);
  return daily(address).inboxes_today < quotas_.address_new_inboxes_per_day;
}

void Limiter::inbox_made(const std::string& address) {
  const std::lock_guard lock(mutex_);
  ++daily(address).inboxes_today;
}

// Where what is kept is counted. mutex_ is held, here and below.
Limiter::Usage& Limiter::daily(const std::string& address) {
  return usage(tor_connection(address) ? kAllOverTor : address);
}

Limiter::Usage& Limiter::usage(const std::string& address) {
  const std::int64_t now_ms = clock_();
  if (usages_.size() >= kRateAddressesMax && usages_.find(address) == usages_.end()) {
    forget_idle(now_ms);
  }
  const bool others = usages_.size() >= kRateAddressesMax && usages_.find(address) == usages_.end();
  const double burst = kAddressBurstS * quotas_.address_envelopes_per_second;
  const auto [entry, added] = usages_.try_emplace(others ? kOthers : address);
  Usage& used = entry->second;
  if (added) used = {burst, now_ms, now_ms / kMsPerDay, 0, 0, 0};
  const double seconds = static_cast<double>(now_ms - used.filled_ms) / 1000;
  used.envelopes = std::min(burst, used.envelopes + seconds * quotas_.address_envelopes_per_second);
  used.filled_ms = now_ms;
  if (used.day != now_ms / kMsPerDay) {
    used.day = now_ms / kMsPerDay;
    used.inboxes_today = 0;
    used.bundles_today = 0;
  }
  return used;
}

// Of an address that was idle and made nothing today, nothing is worth keeping.
void Limiter::forget_idle(std::int64_t now_ms) {
  std::erase_if(usages_, [&](const auto& entry) {
    const Usage& used = entry.second;
    const bool made =
        used.day == now_ms / kMsPerDay && (used.inboxes_today | used.bundles_today) != 0;
    return used.streams == 0 && !made && now_ms - used.filled_ms > kAddressIdleMs;
  });
}

}  // namespace wherry::relay
