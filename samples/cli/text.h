// Text for people: what others wrote made harmless for a terminal, times, identities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wherry/wherry.hpp"

namespace cli {

// Text as it may be shown: control characters (a line break too, unless it is kept), characters
// that turn the direction of writing, and what is not UTF-8 become U+FFFD.
std::string harmless(std::string_view text, bool keep_line_breaks = false);

// "2026-11-23 01:41:07" in local time; "-" for 0.
std::string local_time(std::int64_t time_ms);

// The first bytes of an identity in hexadecimal, to tell people without a name apart.
std::string short_identity(wherry::Bytes identity);

// All of it.
std::string hex(wherry::Bytes bytes);

// A message's body on the lines of a transcript: continued lines are indented.
std::string body_text(std::int32_t content, wherry::Bytes body);

}  // namespace cli
