// JSON helpers over nlohmann-json.
#include "capi/json.h"

namespace wherry::capi {

std::string base64(ByteView bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t left = bytes.size() - at;
    const uint32_t group = static_cast<uint32_t>(bytes[at]) << 16 |
                           (left > 1 ? static_cast<uint32_t>(bytes[at + 1]) << 8 : 0) |
                           (left > 2 ? static_cast<uint32_t>(bytes[at + 2]) : 0);
    out.push_back(kAlphabet[group >> 18]);
    out.push_back(kAlphabet[group >> 12 & 63]);
    out.push_back(left > 1 ? kAlphabet[group >> 6 & 63] : '=');
    out.push_back(left > 2 ? kAlphabet[group & 63] : '=');
  }
  return out;
}

void add_body(Json& out, int32_t content, ByteView body) {
  out["body"] = base64(body);
  if (content == WHERRY_CONTENT_TEXT) out["text"] = std::string(as_text(body));
}

Json facts_of(const wherry_reveals& set) {
  Json list = Json::array();
  for (uint32_t facts : set.facts) list.push_back(facts);
  return list;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace wherry::capi
