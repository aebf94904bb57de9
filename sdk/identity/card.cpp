// Contact cards:
//   text = "wherry:" base64url(CBOR ‖ sig[64])
//   CBOR = {1: version, 2: IK[32], 3: F[32], 4: transport, 5: endpoint, 6: expires, ? 7: permits}
#include "identity/card.h"

#include "base/limits.h"
#include "codec/base64url.h"
#include "codec/cbor.h"
#include "codec/utf8.h"

namespace wherry::identity {
namespace {

constexpr uint64_t kVersion = 1;
constexpr std::string_view kLabel = "card";
constexpr std::string_view kScheme = "wherry:";
constexpr size_t kSignatureSize = crypto::Signature::kSize;
// White space is not part of the 360 characters; this much input is looked at.
constexpr size_t kInputMax = 4096;
// Times are told in milliseconds too.
constexpr int64_t kExpiresMax_s = INT64_MAX / 1000;

Error malformed() {
  return {WHERRY_E_CARD_MALFORMED, WHERRY_REASON_MALFORMED,
          "This is not a contact card, or it is cut off or mistyped."};
}

bool is_white_space(char character) {
  return character == ' ' || (character >= '\t' && character <= '\r');
}

std::string without_white_space(std::string_view text) {
  std::string out;
  for (char character : text) {
    if (!is_white_space(character)) out.push_back(character);
  }
  return out;
}

bool name_fits(std::string_view name, size_t size_max) {
  return name.size() <= size_max && codec::printable(name);
}

void read_permits(codec::CborReader& in, Card& card) {
  std::vector<uint32_t>& permits = card.permits.emplace();
  const size_t count = in.array(limits::kPermitsMax);
  for (size_t i = 0; i < count && !in.failed(); ++i) {
    permits.push_back(static_cast<uint32_t>(in.uint(UINT32_MAX)));
  }
}

// Everything but the signature. `seen` has a bit for each of the keys 1 to 6.
Result<Card> read_contents(ByteView contents) {
  codec::CborReader in(contents);
  Card card;
  unsigned seen = 0;
  for (codec::CborMap map = in.map(); map.next();) {
    const uint64_t key = map.key();
    if (key >= 1 && key <= 6) seen |= 1u << key;
    switch (key) {
      case 1: {
        const uint64_t version = in.uint();
        if (!in.failed() && version != kVersion) {
          return Error{WHERRY_E_CARD_VERSION, WHERRY_REASON_VERSION,
                       "The card was made by a newer version."};
        }
        break;
      }
      case 2:
        card.identity = VerifyKey(in.fixed<32>());
        break;
      case 3:
        card.fetch_secret = Secret<32>(in.fixed<32>());
        break;
      case 4:
        card.transport = in.text(limits::kTransportNameMax);
        break;
      case 5:
        card.endpoint = in.text(limits::kEndpointTextMax);
        break;
      case 6:
        card.expires_s = static_cast<int64_t>(in.uint(kExpiresMax_s));
        break;
      case 7:
        read_permits(in, card);
        break;
      default:
        in.skip();
    }
  }
  if (!in.done() || seen != 0b1111110 || !codec::printable(card.transport) ||
      !codec::printable(card.endpoint)) {
    return malformed();
  }
  return card;
}

}  // namespace

Result<std::string> Card::text(const Identity& signer) const {
  if (!name_fits(transport, limits::kTransportNameMax) ||
      !name_fits(endpoint, limits::kEndpointTextMax) || expires_s < 0 ||
      expires_s > kExpiresMax_s || (permits && permits->size() > limits::kPermitsMax)) {
    return fail(WHERRY_E_ARGUMENT, "The transport or the endpoint does not fit a card.");
  }
  codec::CborWriter out;
  out.map(permits ? 7 : 6).key(1).uint(kVersion);
  out.key(2).bytes(signer.public_key().view());
  out.key(3).bytes(fetch_secret.view());
  out.key(4).text(transport);
  out.key(5).text(endpoint);
  out.key(6).uint(static_cast<uint64_t>(expires_s));
  if (permits) {
    out.key(7).array(permits->size());
    for (uint32_t facts : *permits) out.uint(facts);
  }
  const crypto::Signature signature = signer.keys.sign(kLabel, out.view());
  Bytes card = out.take();
  append(card, signature.view());
  std::string text = std::string(kScheme) + codec::base64url_encode(card);
  if (text.size() > limits::kCardTextMax) {
    return fail(WHERRY_E_TOO_LARGE, "The endpoint is too long for a contact card.");
  }
  return text;
}

Result<Card> Card::parse(std::string_view text) {
  if (text.size() > kInputMax) return malformed();
  const std::string compact = without_white_space(text);
  if (compact.size() > limits::kCardTextMax || !compact.starts_with(kScheme)) return malformed();
  const std::optional<Bytes> bytes =
      codec::base64url_decode(std::string_view(compact).substr(kScheme.size()));
  if (!bytes || bytes->size() <= kSignatureSize) return malformed();
  const ByteView contents = ByteView(*bytes).first(bytes->size() - kSignatureSize);
  Result<Card> card = read_contents(contents);
  if (!card) return card;
  const auto signature = crypto::Signature::from(ByteView(*bytes).last(kSignatureSize));
  if (!crypto::verify(card->identity, signature, kLabel, contents)) {
    return Error{WHERRY_E_CARD_FORGED, WHERRY_REASON_FORGED,
                 "The card's signature does not fit: it was altered or mistyped."};
  }
  return card;
}

bool Card::expired(int64_t now_s) const {
  return now_s > expires_s;
}

Card Card::clone() const {
  return {identity, fetch_secret.clone(), transport, endpoint, expires_s, permits};
}

}  // namespace wherry::identity
