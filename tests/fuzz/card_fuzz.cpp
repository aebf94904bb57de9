// Contact cards: any text; and any contents under a good signature.
#include "codec/base64url.h"
#include "fuzz.h"
#include "identity/card.h"

namespace {

using wherry::ByteView;
using wherry::identity::Card;
using wherry::identity::Identity;

const Identity& signer() {
  static const Identity identity{
      wherry::crypto::SigningPair::from_seed(std::array<uint8_t, 32>{1})};
  return identity;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  (void)Card::parse(wherry::as_text(input));

  wherry::Bytes signed_card(input.begin(), input.end());
  wherry::append(signed_card, signer().keys.sign("card", input).view());
  const std::string text = "wherry:" + wherry::codec::base64url_encode(signed_card);
  const wherry::Result<Card> card = Card::parse(text);
  if (!card || card->identity != signer().public_key()) return 0;

  // What was accepted can be made again, unless it had fields of a later version.
  const wherry::Result<std::string> again = card->text(signer());
  must(again.ok());
  const wherry::Result<Card> second = Card::parse(*again);
  must(second.ok() && second->endpoint == card->endpoint && second->permits == card->permits);
  return 0;
}
