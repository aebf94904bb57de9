// Settings and what they reveal.
#include "settings.h"

#include <string_view>

#include "transports/common/net.h"
#include "transports/common/tor/reveals.h"
#include "transports/common/tor/settings.h"

namespace wherry::transports::centralized {
namespace {

// What any observer of packets between this machine and the next server sees.
constexpr std::uint32_t kPackets =
    WHERRY_FACT_MY_IP | WHERRY_FACT_TIMING | WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;

// What a relay sees of its clients, whichever way they come: all inboxes are opened over one
// connection, and opened again at the next; sends come over it too.
constexpr std::uint32_t kRelay = WHERRY_FACT_USE | WHERRY_FACT_STABLE_ID | WHERRY_FACT_WHO_TALKS |
                                 WHERRY_FACT_INBOXES_TOGETHER | WHERRY_FACT_TIMING |
                                 WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;

// The person at the other end gets envelopes, and so knows when and how many.
constexpr std::uint32_t kPerson = WHERRY_FACT_USE | WHERRY_FACT_TIMING | WHERRY_FACT_SIZE;

}  // namespace

std::optional<ClientSettings> parse_settings(const wherry_setting* settings, std::size_t count,
                                             std::string& error) {
  ClientSettings parsed;
  bool has_relay = false;
  tor::SettingsReader tor;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = settings[i].name;
    const std::string_view value = settings[i].value;
    if (tor.take(name, value)) continue;
    if (name == "relay") {
      const auto relay = parse_relay_address(value);
      if (!relay) {
        error =
            "setting relay: not an address as wherry-relay prints it (wr1:HOST:PORT/KEY, or "
            "wr1:ADDRESS of an onion service)";
        return std::nullopt;
      }
      parsed.relay = *relay;
      has_relay = true;
    } else if (name == "proxy" && !value.empty()) {
      parsed.proxy = parse_authority(value);
      if (!parsed.proxy) {
        error = "setting proxy: not HOST:PORT or [IPV6]:PORT";
        return std::nullopt;
      }
    }
  }
  if (!has_relay) {
    error = "setting relay: missing; give the address that wherry-relay prints";
    return std::nullopt;
  }
  const bool onion = onion_of(parsed.relay.authority).has_value();
  if (onion && !parsed.proxy) {
    parsed.tor = tor.finish(error);
    if (!parsed.tor) return std::nullopt;
  } else if (onion && !is_loopback(parsed.proxy->host)) {
    // What goes there is not encrypted for the relay but by tor.
    error =
        "setting proxy: a relay that is an onion service is reached through a tor of this machine, "
        "as 127.0.0.1:9050";
    return std::nullopt;
  } else if (const std::string set = tor.first_set(); !set.empty()) {
    error = "setting " + set + ": " +
            (onion ? "with proxy=, no tor of Wherry's is used: clear it, as " + set + "="
                   : "is for a relay that is an onion service (wr1:ADDRESS): clear it, as " + set +
                         "=; this relay is reached over Tor by proxy=127.0.0.1:9050");
    return std::nullopt;
  }
  return parsed;
}

wherry_reveals reveals_of(const ClientSettings& settings) {
  wherry_reveals reveals{};
  if (onion_of(settings.relay.authority)) {
    tor::add_reveals(reveals);
    reveals.facts[WHERRY_OBSERVER_HOME_OPERATOR] = kRelay;  // everybody comes over Tor
    reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] = kPerson;
    return reveals;
  }
  // The other person connects to the same relay, whose operator so knows their address.
  reveals.facts[WHERRY_OBSERVER_HOME_OPERATOR] = kRelay | WHERRY_FACT_OTHER_IP;
  reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] = kPerson;
  std::uint32_t network = kPackets | WHERRY_FACT_USE;
  if (!settings.proxy) {
    reveals.facts[WHERRY_OBSERVER_HOME_OPERATOR] |= WHERRY_FACT_MY_IP;
    if (!is_numeric(settings.relay.authority.host)) {
      reveals.facts[WHERRY_OBSERVER_DIRECTORY] =
          WHERRY_FACT_USE | WHERRY_FACT_MY_IP | WHERRY_FACT_PRESENCE;
    }
  } else {
    reveals.facts[WHERRY_OBSERVER_PROXY] = kPackets | WHERRY_FACT_USE;
    // SOCKS5 names the relay in the clear on the way to a proxy elsewhere.
    if (is_loopback(settings.proxy->host)) network = kPackets;
    if (!is_numeric(settings.relay.authority.host)) {
      reveals.facts[WHERRY_OBSERVER_DIRECTORY] |= WHERRY_FACT_USE;  // asked by the proxy
    }
    if (!is_numeric(settings.proxy->host)) {
      reveals.facts[WHERRY_OBSERVER_DIRECTORY] |= WHERRY_FACT_MY_IP | WHERRY_FACT_PRESENCE;
    }
  }
  reveals.facts[WHERRY_OBSERVER_LOCAL_NETWORK] = network;
  reveals.facts[WHERRY_OBSERVER_NETWORK] = network;
  return reveals;
}

wherry_reveals reveals_at_worst() {
  wherry_reveals worst{};
  worst.facts[WHERRY_OBSERVER_HOME_OPERATOR] = kRelay | WHERRY_FACT_OTHER_IP | WHERRY_FACT_MY_IP;
  worst.facts[WHERRY_OBSERVER_OTHER_PERSON] = kPerson;
  tor::add_reveals(worst);
  worst.facts[WHERRY_OBSERVER_DIRECTORY] |=
      WHERRY_FACT_USE | WHERRY_FACT_MY_IP | WHERRY_FACT_PRESENCE;
  worst.facts[WHERRY_OBSERVER_PROXY] = kPackets | WHERRY_FACT_USE;
  worst.facts[WHERRY_OBSERVER_LOCAL_NETWORK] = kPackets | WHERRY_FACT_USE;
  worst.facts[WHERRY_OBSERVER_NETWORK] = kPackets | WHERRY_FACT_USE;
  return worst;
}

}  // namespace wherry::transports::centralized
