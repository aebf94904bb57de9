// Contact cards (PROTOCOL §3).
#ifndef WHERRY_IDENTITY_CARD_H
#define WHERRY_IDENTITY_CARD_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/identity.h"

namespace wherry::identity {

struct Card {
  VerifyKey identity;
  Secret<32> fetch_secret;  // F
  std::string transport;
  std::string endpoint;
  int64_t expires_s = 0;                         // since 1970
  std::optional<std::vector<uint32_t>> permits;  // facts by observer; none: all

  // The signed text. E_TOO_LARGE beyond limits::kCardTextMax characters; E_ARGUMENT when transport
  // or endpoint is too long or not codec::printable(). `identity` is taken from the signer.
  Result<std::string> text(const Identity& signer) const;

  // Reads a text and checks its signature, not its expiry. E_CARD_MALFORMED, E_CARD_VERSION,
  // E_CARD_FORGED, with the reason beside.
  static Result<Card> parse(std::string_view text);

  bool expired(int64_t now_s) const;

  Card clone() const;
};

}  // namespace wherry::identity

#endif  // WHERRY_IDENTITY_CARD_H
