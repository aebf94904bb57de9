// Checks UTF-8 (RFC 3629), and names that are shown.
#ifndef WHERRY_CODEC_UTF8_H
#define WHERRY_CODEC_UTF8_H

#include <string_view>

namespace wherry::codec {

// False for overlong forms, surrogates, values above U+10FFFF and cut-off sequences. NUL is valid.
bool utf8_valid(std::string_view text);

// Whether a text may be an endpoint or a transport's name, which are handed to plug-ins as C
// strings and shown to people: printable ASCII without spaces, not empty.
bool printable(std::string_view text);

}  // namespace wherry::codec

#endif  // WHERRY_CODEC_UTF8_H
