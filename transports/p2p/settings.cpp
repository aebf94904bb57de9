// Settings and what they reveal.
#include "settings.h"

#include <algorithm>
#include <string_view>

#include "limits.h"

namespace wherry::transports::p2p {
namespace {

// Both ends of a link, and whoever carries its packets, see these of it.
constexpr std::uint32_t kLink =
    WHERRY_FACT_USE | WHERRY_FACT_TIMING | WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
// Whoever dials learns one key and one port for all inboxes of a person.
constexpr std::uint32_t kListener = WHERRY_FACT_STABLE_ID | WHERRY_FACT_INBOXES_TOGETHER;
constexpr std::uint32_t kBothEnds =
    kLink | WHERRY_FACT_MY_IP | WHERRY_FACT_OTHER_IP | WHERRY_FACT_WHO_TALKS;

// Each part of a list with commas between; empty parts are not taken.
template <typename Parse, typename Out>
bool parse_list(std::string_view text, Parse&& parse, Out& out) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const auto one = parse(text.substr(0, comma));
    if (!one) return false;
    out.push_back(*one);
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
    if (text.empty()) return false;
  }
  return true;
}

bool has_twins(const std::vector<Address>& addresses) {
  return std::ranges::any_of(
      addresses, [&](const Address& one) { return std::ranges::count(addresses, one) > 1; });
}

// Contacts would not dial it.
bool has_low_port(const Address& address) {
  return address.port < kPortMin;
}

bool is_in(const std::vector<AddressRange>& ranges, const Address& address) {
  return std::ranges::any_of(ranges,
                             [&](const AddressRange& range) { return range.contains(address); });
}

}  // namespace

bool NodeSettings::is_known(const Address& address) const {
  return is_public(address) || is_in(allow, address);
}

bool NodeSettings::may_dial(const Address& address) const {
  return is_in(allow, address) ||
         (is_public(address) && address.port >= kPortMin && !is_in(own_networks(), address));
}

bool NodeSettings::may_meet(const std::optional<Address>& address) const {
  return meeting && address && may_dial(*address);
}

std::optional<NodeSettings> parse_settings(const wherry_setting* settings, std::size_t count,
                                           std::string& error) {
  NodeSettings parsed;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = settings[i].name;
    const std::string_view value = settings[i].value;
    if (value.empty()) continue;
    if (name == "listen") {
      parsed.listen = parse_address(value);
      if (!parsed.listen) error = "setting listen: not ADDRESS:PORT or [IPV6]:PORT, in numbers";
    } else if (name == "advertise") {
      if (!parse_list(value, parse_address, parsed.advertise) ||
          std::ranges::any_of(parsed.advertise, has_low_port)) {
        error =
            "setting advertise: not a list of ADDRESS:PORT, in numbers, with commas between and "
            "ports from 1024";
      } else if (has_twins(parsed.advertise)) {
        error = "setting advertise: an address is there twice";
      }
    } else if (name == "meet") {
      parsed.meeting = parse_address(value);
      if (!parsed.meeting || !may_meet(*parsed.meeting) || has_low_port(*parsed.meeting)) {
        error =
            "setting meet: not ADDRESS:PORT or [IPV6]:PORT, in numbers, with a port from 1024 to "
            "65534";
      }
    } else if (name == "allow") {
      if (!parse_list(value, parse_range, parsed.allow)) {
        error = "setting allow: not a list of ranges like 192.168.0.0/16, with commas between";
      }
    } else if (name == "lan") {
      if (value != "on" && value != "off") error = "setting lan: not on or off";
      parsed.lan = value == "on";
    } else if (name == "proxy") {
      // libzmq would look a name up, and its only I/O thread wait for the answer.
      parsed.proxy = parse_address(value);
      if (!parsed.proxy || parsed.proxy->port == 0) {
        error = "setting proxy: not ADDRESS:PORT or [IPV6]:PORT, in numbers";
      }
    }
    if (!error.empty()) return std::nullopt;
  }
  if (parsed.listen && parsed.listen->port != 0 && has_low_port(*parsed.listen) &&
      parsed.advertise.empty()) {
    error = "setting listen: contacts dial no port below 1024: choose another, or set advertise";
    return std::nullopt;
  }
  if (parsed.meeting && parsed.listen &&
      (parsed.listen->port == parsed.meeting->port ||
       parsed.listen->port == next_port(*parsed.meeting).port)) {
    error =
        "settings listen and meet: the port of `meet` and the one after it can not be listened at";
    return std::nullopt;
  }
  if (parsed.meeting && parsed.proxy) {
    error = "settings meet and proxy: through a proxy no link is opened from both ends";
    return std::nullopt;
  }
  if (parsed.lan && parsed.proxy) {
    error = "settings lan and proxy: who is found on the local network is not dialled by a proxy";
    return std::nullopt;
  }
  if (parsed.lan && !parsed.listen) {
    error = "settings lan and listen: who listens nowhere can not say where they are";
    return std::nullopt;
  }
  if (parsed.lan && parsed.listen->is_loopback()) {
    error = "settings lan and listen: nobody else can come in at this machine's own loop";
    return std::nullopt;
  }
  return parsed;
}

wherry_reveals reveals_of_listening(const NodeSettings& settings) {
  wherry_reveals reveals{};
  if (!settings.listen && !settings.meeting) return reveals;
  // Contacts were told where; those who carry packets see who comes.
  reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] =
      kLink | kListener | WHERRY_FACT_MY_IP | WHERRY_FACT_OTHER_IP;
  reveals.facts[WHERRY_OBSERVER_LOCAL_NETWORK] = kBothEnds;
  reveals.facts[WHERRY_OBSERVER_NETWORK] = kBothEnds;
  return reveals;
}

wherry_reveals reveals_of_dialling(const NodeSettings& settings) {
  wherry_reveals reveals = reveals_of_listening(settings);
  std::uint32_t& person = reveals.facts[WHERRY_OBSERVER_OTHER_PERSON];
  std::uint32_t& local = reveals.facts[WHERRY_OBSERVER_LOCAL_NETWORK];
  std::uint32_t& network = reveals.facts[WHERRY_OBSERVER_NETWORK];
  // The other end's address is in the endpoint that they gave.
  person |= kLink | WHERRY_FACT_OTHER_IP;
  if (!settings.proxy) {
    person |= WHERRY_FACT_MY_IP;
    local |= kBothEnds;
    network |= kBothEnds;
    return reveals;
  }
  // SOCKS5 says in the clear where to; beyond the proxy the packets are the proxy's.
  reveals.facts[WHERRY_OBSERVER_PROXY] = kBothEnds;
  const bool here = settings.proxy->is_loopback();
  local |= kLink | WHERRY_FACT_MY_IP | (here ? 0U : kBothEnds);
  network |= kLink | WHERRY_FACT_MY_IP | WHERRY_FACT_OTHER_IP | (here ? 0U : kBothEnds);
  return reveals;
}

wherry_reveals reveals_at_worst() {
  wherry_reveals worst{};
  worst.facts[WHERRY_OBSERVER_OTHER_PERSON] =
      kLink | kListener | WHERRY_FACT_MY_IP | WHERRY_FACT_OTHER_IP;
  worst.facts[WHERRY_OBSERVER_LOCAL_NETWORK] = kBothEnds;
  worst.facts[WHERRY_OBSERVER_NETWORK] = kBothEnds;
  worst.facts[WHERRY_OBSERVER_PROXY] = kBothEnds;
  return worst;
}

}  // namespace wherry::transports::p2p
