// XChaCha20-Poly1305 against the vector of draft-irtf-cfrg-xchacha-03 §A.3.1, and its failures.
#include "crypto/aead.h"

#include <gtest/gtest.h>

#include "hex.h"
#include "seeded_random.h"

namespace wherry::test {
namespace {

constexpr std::string_view kPlain =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";
constexpr std::string_view kKey =
    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
constexpr std::string_view kNonce = "404142434445464748494a4b4c4d4e4f5051525354555657";
constexpr std::string_view kAd = "50515253c0c1c2c3c4c5c6c7";
constexpr std::string_view kSealed =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
    "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
    "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
    "21f9664c97637da9768812f615c68b13b52e"
    "c0875924c1c7987947deafd8780acf49";

TEST(AeadTest, DraftVector) {
  const Bytes key = from_hex(kKey);
  const auto nonce = to_array<24>(from_hex(kNonce));
  const Bytes sealed = crypto::aead_seal(key, nonce, from_hex(kAd), as_bytes(kPlain));
  EXPECT_EQ(to_hex(sealed), kSealed);
  const auto opened = crypto::aead_open(key, nonce, from_hex(kAd), sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(*opened), kPlain);
}

TEST(AeadTest, WorksInPlace) {
  const Bytes key = from_hex(kKey);
  const auto nonce = to_array<24>(from_hex(kNonce));
  Bytes buffer(as_bytes(kPlain).begin(), as_bytes(kPlain).end());
  buffer.resize(kPlain.size() + crypto::kAeadOverhead);
  crypto::aead_seal_into(buffer.data(), key, nonce, from_hex(kAd),
                         ByteView(buffer).first(kPlain.size()));
  EXPECT_EQ(to_hex(buffer), kSealed);
  ASSERT_TRUE(crypto::aead_open_into(buffer.data(), key, nonce, from_hex(kAd), buffer));
  EXPECT_EQ(as_text(ByteView(buffer).first(kPlain.size())), kPlain);
}

TEST(AeadTest, AnyAlterationFails) {
  SeededRandom random(1);
  const Bytes key = random.bytes(32);
  const auto nonce = random.array<24>();
  const Bytes ad = random.bytes(20);
  const Bytes sealed = crypto::aead_seal(key, nonce, ad, random.bytes(50));
  const auto altered = [](Bytes bytes, size_t at) {
    bytes[at] ^= 1;
    return bytes;
  };
  for (size_t i = 0; i < sealed.size(); ++i) {
    EXPECT_FALSE(crypto::aead_open(key, nonce, ad, altered(sealed, i)));
  }
  EXPECT_FALSE(crypto::aead_open(altered(key, 31), nonce, ad, sealed));
  EXPECT_FALSE(crypto::aead_open(key, nonce, altered(ad, 0), sealed));
  auto other_nonce = nonce;
  other_nonce[23] ^= 1;
  EXPECT_FALSE(crypto::aead_open(key, other_nonce, ad, sealed));
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(crypto::aead_open(key, nonce, ad, ByteView(sealed).first(size)));
  }
  EXPECT_TRUE(crypto::aead_open(key, nonce, ad, sealed));
  EXPECT_TRUE(crypto::aead_open(key, nonce, {}, crypto::aead_seal(key, nonce, {}, {}))->empty());
}

}  // namespace
}  // namespace wherry::test
