// A page of results: the C structs of its items with everything that they point to, and their JSON.
#ifndef WHERRY_CAPI_PAGE_H
#define WHERRY_CAPI_PAGE_H

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "wherry/wherry.h"

// Immutable once made, but for the JSON, which is made when first asked for.
struct wherry_page {
  std::variant<std::monostate, std::vector<wherry_message>, std::vector<wherry_contact>,
               std::vector<wherry_conversation>, std::vector<wherry_transport_info>,
               std::vector<wherry_card_info>, std::vector<wherry_permits_info>,
               std::vector<wherry_path>, std::vector<wherry_route_info>>
      items;
  // What the items point to; a deque, so that growing moves nothing.
  std::deque<std::string> kept;

  mutable std::once_flag json_once;
  mutable std::string json;

  // Bytes are followed by a NUL as texts are: somebody will print them as one.
  const char* keep(std::string text) { return kept.emplace_back(std::move(text)).c_str(); }
  const uint8_t* keep(wherry::ByteView bytes) {
    return reinterpret_cast<const uint8_t*>(keep(std::string(wherry::as_text(bytes))));
  }
};

#endif  // WHERRY_CAPI_PAGE_H
