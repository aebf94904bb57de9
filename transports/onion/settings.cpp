// Settings and what they reveal.
#include "settings.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "transports/common/tor/reveals.h"
#include "transports/common/tor/settings.h"

namespace wherry::transports::onion {
namespace {

// The other person has an address of mine that stays the same, sees whether it answers, and gets
// envelopes.
constexpr std::uint32_t kPerson = WHERRY_FACT_USE | WHERRY_FACT_STABLE_ID | WHERRY_FACT_TIMING |
                                  WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;

}  // namespace

std::optional<NodeSettings> parse_settings(const wherry_setting* settings, std::size_t count,
                                           std::string& error) {
  NodeSettings parsed;
  tor::SettingsReader tor;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = settings[i].name;
    const std::string_view value = settings[i].value;
    if (tor.take(name, value)) continue;
    if (name == "share") parsed.share = value == "true";
    if (name == "services") {
      const char* end = value.data() + value.size();
      const auto [at, status] = std::from_chars(value.data(), end, parsed.services);
      if (status != std::errc() || at != end || parsed.services < 1 ||
          parsed.services > kServicesMax) {
        error = "setting services: not a number from 1 to " + std::to_string(kServicesMax);
        return std::nullopt;
      }
    }
  }
  auto taken = tor.finish(error);
  if (!taken) return std::nullopt;
  parsed.tor = std::move(*taken);
  return parsed;
}

wherry_reveals reveals_of(const NodeSettings& settings) {
  wherry_reveals reveals{};
  reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] = kPerson;
  // Two contacts who compare see that they have the same address.
  if (settings.share) {
    reveals.facts[WHERRY_OBSERVER_OTHER_PERSON] |= WHERRY_FACT_INBOXES_TOGETHER;
  }
  tor::add_reveals(reveals);
  return reveals;
}

wherry_reveals reveals_at_worst() {
  NodeSettings settings;
  settings.share = true;
  return reveals_of(settings);
}

}  // namespace wherry::transports::onion
