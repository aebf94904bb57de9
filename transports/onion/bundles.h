// Bundles of prekeys that this person's cards lead to. There is no server, so they are kept here,
// in the instance's small state, and given to whoever asks one of its services by their locator.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "include/wherry/transport.h"
#include "transports/common/links/frames.h"

namespace wherry::transports::onion {

using Locator = std::array<std::uint8_t, 32>;

class Bundles {
 public:
  Bundles(const wherry_transport_host_api& api, wherry_transport_host* host)
      : api_(api), host_(host) {}

  // Takes the place of what was there; until `until_s` of the wall clock. A wherry_reason: FULL
  // when there are too many.
  std::int32_t put(const Locator& locator, std::span<const std::uint8_t> bundle,
                   std::int64_t until_s, std::int64_t now_s);
  // None: it is not there, or not any more.
  std::optional<links::Bytes> find(std::span<const std::uint8_t> locator, std::int64_t now_s) const;

 private:
  struct Entry {
    Locator locator{};
    std::int64_t until_s = 0;
  };

  std::vector<Entry> entries() const;
  void keep(const std::vector<Entry>& entries);
  static std::string key_of(const Locator& locator);

  const wherry_transport_host_api& api_;
  wherry_transport_host* const host_;
};

}  // namespace wherry::transports::onion
