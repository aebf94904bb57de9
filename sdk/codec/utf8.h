// Checks UTF-8 (RFC 3629).
#ifndef WHERRY_CODEC_UTF8_H
#define WHERRY_CODEC_UTF8_H

#include <string_view>

namespace wherry::codec {

// False for overlong forms, surrogates, values above U+10FFFF and cut-off sequences. NUL is valid.
bool utf8_valid(std::string_view text);

}  // namespace wherry::codec

#endif  // WHERRY_CODEC_UTF8_H
