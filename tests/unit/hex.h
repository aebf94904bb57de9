// Hexadecimal text to bytes, for published test vectors.
#ifndef WHERRY_TESTS_UNIT_HEX_H
#define WHERRY_TESTS_UNIT_HEX_H

#include <string_view>

#include "base/bytes.h"

namespace wherry::test {

// White space is passed over.
inline Bytes from_hex(std::string_view text) {
  Bytes out;
  int high = -1;
  for (char character : text) {
    if (character == ' ' || character == '\n') continue;
    const int digit = character <= '9' ? character - '0' : (character | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  return out;
}

}  // namespace wherry::test

#endif  // WHERRY_TESTS_UNIT_HEX_H
