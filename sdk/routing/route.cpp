// The text form of a route.
#include "routing/route.h"

#include <algorithm>

#include "base/limits.h"
#include "codec/utf8.h"

namespace wherry::routing {

std::optional<size_t> Route::place_of(std::string_view transport) const {
  if (automatic()) return 0;
  const auto found = std::ranges::find(transports, transport);
  if (found == transports.end()) return std::nullopt;
  return static_cast<size_t>(found - transports.begin());
}

std::string Route::to_text() const {
  if (automatic()) return "auto";
  std::string text;
  for (const std::string& name : transports) text += (text.empty() ? "" : ",") + name;
  return text;
}

Result<Route> Route::parse(std::string_view text) {
  Route route;
  if (text.empty() || text == "auto") return route;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    if (name.empty() || name.size() > limits::kTransportNameMax || !codec::printable(name)) {
      return fail(WHERRY_E_ARGUMENT, "a route is auto, or names of transports with commas between");
    }
    if (route.place_of(name) && !route.automatic()) {
      return fail(WHERRY_E_ARGUMENT, "a route names a transport twice");
    }
    if (route.transports.size() == limits::kEndpointsMax) {
      return fail(WHERRY_E_ARGUMENT,
                  "a route has at most " + std::to_string(limits::kEndpointsMax) + " transports");
    }
    route.transports.emplace_back(name);
    if (comma == std::string_view::npos) return route;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace wherry::routing
