// Base64 for URLs and file names (RFC 4648 §5), without padding.
#ifndef WHERRY_CODEC_BASE64URL_H
#define WHERRY_CODEC_BASE64URL_H

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace wherry::codec {

std::string base64url_encode(ByteView bytes);

// Strict: only the alphabet, no padding, no white space, unused bits zero. So each byte string has
// exactly one text.
std::optional<Bytes> base64url_decode(std::string_view text);

}  // namespace wherry::codec

#endif  // WHERRY_CODEC_BASE64URL_H
