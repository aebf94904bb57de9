// Readies the cryptographic library.
#ifndef WHERRY_CRYPTO_INIT_H
#define WHERRY_CRYPTO_INIT_H

namespace wherry::crypto {

// Must have returned true before anything else in this folder is used. Any thread, any number of
// times. False only on a machine without a usable source of randomness.
bool init();

}  // namespace wherry::crypto

#endif  // WHERRY_CRYPTO_INIT_H
