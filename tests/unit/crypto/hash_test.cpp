// Hashes and key derivation against published vectors.
#include "crypto/hash.h"

#include <gtest/gtest.h>

#include "crypto/hkdf.h"
#include "crypto/password.h"
#include "hex.h"

namespace wherry::test {
namespace {

Bytes rising(size_t size, uint8_t first = 0) {
  Bytes out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(first + i);
  return out;
}

TEST(HashTest, Rfc7693AppendixA) {
  EXPECT_EQ(to_hex(crypto::plain_hash<64>(as_bytes("abc"))),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

// The known answers that BLAKE2's authors publish: the key is 00 … 3f.
TEST(HashTest, KeyedKnownAnswers) {
  const Bytes key = rising(64);
  std::array<uint8_t, 64> out;
  crypto::blake2b(out, key, ByteView());
  EXPECT_EQ(to_hex(out),
            "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
            "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568");
  const Bytes data = rising(255);
  crypto::blake2b(out, key, data);
  EXPECT_EQ(to_hex(out),
            "142709d62e28fcccd0af97fad0f8465b971e82201dc51070faa0372aa43e9248"
            "4be1c1e73ba10906d5d1853db6a4106e0a7bf9800d373d6dee2d46d62ef2a461");
  std::array<uint8_t, 64> in_parts;
  crypto::blake2b(
      in_parts, key,
      {ByteView(data).first(1), ByteView(data).subspan(1, 200), ByteView(data).subspan(201)});
  EXPECT_EQ(in_parts, out);
}

TEST(HashTest, LabelsAndKeysSeparate) {
  const Bytes key = rising(32);
  const auto tag = crypto::hash<32>(key, "tag");
  EXPECT_NE(tag, crypto::hash<32>(key, "enc"));
  EXPECT_NE(tag, crypto::hash<32>({}, "tag"));
  EXPECT_NE(to_hex(tag).substr(0, 32), to_hex(crypto::hash<16>(key, "tag")));
  EXPECT_EQ(to_hex(crypto::derive_key(key, "tag").view()), to_hex(tag));
  // The label is the protocol's text, in full.
  std::array<uint8_t, 32> spelled;
  crypto::blake2b(spelled, key, as_bytes("wherry/1/tag"));
  EXPECT_EQ(spelled, tag);
}

TEST(HkdfTest, Rfc5869AppendixA) {
  const Bytes ikm(22, 0x0b);
  EXPECT_EQ(to_hex(crypto::hkdf<42>(rising(13), {ikm}, as_text(rising(10, 0xf0))).view()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  const Bytes long_ikm = rising(80);
  EXPECT_EQ(to_hex(crypto::hkdf<82>(rising(80, 0x60),
                                    {ByteView(long_ikm).first(30), ByteView(long_ikm).subspan(30)},
                                    as_text(rising(80, 0xb0)))
                       .view()),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(to_hex(crypto::hkdf<42>({}, {ikm}, "").view()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(PasswordTest, DependsOnAllItsInputs) {
  const std::array<uint8_t, 16> salt{1, 2, 3};
  const std::array<uint8_t, 16> other_salt{1, 2, 4};
  const auto key = [](std::string_view passphrase, const std::array<uint8_t, 16>& with,
                      crypto::PasswordCost cost) {
    Result<Secret<32>> made = crypto::key_from_password(passphrase, with, cost);
    return made ? to_hex(made->view()) : "status " + std::to_string(made.error().status);
  };
  const std::string one = key("correct horse", salt, {1, 64});
  EXPECT_EQ(one, key("correct horse", salt, {1, 64}));
  EXPECT_NE(one, key("correct horse ", salt, {1, 64}));
  EXPECT_NE(one, key("correct horse", other_salt, {1, 64}));
  EXPECT_NE(one, key("correct horse", salt, {2, 64}));
  EXPECT_NE(one, key("correct horse", salt, {1, 65}));
  EXPECT_EQ(key("", salt, crypto::kPasswordCostMin).size(), 64u);
  const std::string corrupt = "status " + std::to_string(WHERRY_E_CORRUPT);
  EXPECT_EQ(key("x", salt, {0, 64}), corrupt);
  EXPECT_EQ(key("x", salt, {1, 7}), corrupt);
  EXPECT_EQ(key("x", salt, {17, 64}), corrupt);
  EXPECT_EQ(key("x", salt, {1, UINT32_MAX}), corrupt);
}

}  // namespace
}  // namespace wherry::test
