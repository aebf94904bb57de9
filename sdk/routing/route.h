// The networks that a person chose for a conversation, best first, or auto. Pure.
#ifndef WHERRY_ROUTING_ROUTE_H
#define WHERRY_ROUTING_ROUTE_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace wherry::routing {

struct Route {
  std::vector<std::string> transports;  // names of plug-ins; none: auto

  bool automatic() const { return transports.empty(); }
  // 0 for the best; none: it is not in the route. On auto all share the first place.
  std::optional<size_t> place_of(std::string_view transport) const;

  // "auto", or names with commas between: "p2p,centralized".
  std::string to_text() const;
  // Refusals: E_ARGUMENT for an empty, unprintable or doubled name, or too many.
  static Result<Route> parse(std::string_view text);

  bool operator==(const Route&) const = default;
};

}  // namespace wherry::routing

#endif  // WHERRY_ROUTING_ROUTE_H
