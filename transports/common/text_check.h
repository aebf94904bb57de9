// What ends an endpoint's text, against slips of the pen: one with a slip would lead anywhere.
#pragma once

#include <string>
#include <string_view>

namespace wherry::transports {

inline constexpr std::size_t kTextCheckSize = 9;  // characters, with its slash

// "/" and 6 bytes of BLAKE2b of the text before it in base64url; `context` as of `hash`.
[[nodiscard]] std::string text_check(std::string_view context, std::string_view text);

}  // namespace wherry::transports
