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
               std::vector<wherry_card_info>>
      items;
  // What the items point to; a deque, so that growing moves nothing.
  std::deque<std::string> texts;
  std::deque<wherry::Bytes> bytes;

  mutable std::once_flag json_once;
  mutable std::string json;

  const char* keep(std::string text) { return texts.emplace_back(std::move(text)).c_str(); }
  const uint8_t* keep(wherry::Bytes value) {
    const wherry::Bytes& kept = bytes.emplace_back(std::move(value));
    static constexpr uint8_t kNothing = 0;
    return kept.empty() ? &kNothing : kept.data();
  }
};

#endif  // WHERRY_CAPI_PAGE_H
