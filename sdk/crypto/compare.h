// Comparison in a time that does not depend on the contents.
#ifndef WHERRY_CRYPTO_COMPARE_H
#define WHERRY_CRYPTO_COMPARE_H

#include "base/bytes.h"

namespace wherry::crypto {

bool equal_constant_time(ByteView a, ByteView b);

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_COMPARE_H
