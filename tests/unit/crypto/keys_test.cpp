// X25519, Ed25519 and ML-KEM-768 against published vectors, and their failures.
#include <gtest/gtest.h>

#include <set>

#include "crypto/agreement.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/kem.h"
#include "crypto/signing.h"
#include "crypto/system_random.h"
#include "hex.h"
#include "seeded_random.h"

namespace wherry::test {
namespace {

using crypto::AgreementKey;
using crypto::AgreementPair;
using crypto::KemCiphertext;
using crypto::KemPair;
using crypto::SigningPair;

TEST(AgreementTest, Rfc7748Section5And6) {
  const auto multiply = [](std::string_view scalar, std::string_view point) {
    const auto shared =
        crypto::agree(Secret<32>(from_hex(scalar)), AgreementKey::from(from_hex(point)));
    return shared ? to_hex(shared->view()) : "refused";
  };
  EXPECT_EQ(multiply("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(multiply("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                     "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");

  const auto alice = AgreementPair::from_secret(
      from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  const auto bob = AgreementPair::from_secret(
      from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(to_hex(alice.public_key.view()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_hex(bob.public_key.view()),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const std::string shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  EXPECT_EQ(to_hex(crypto::agree(alice.secret, bob.public_key)->view()), shared);
  EXPECT_EQ(to_hex(crypto::agree(bob.secret, alice.public_key)->view()), shared);
}

// The points of small order on the curve and its twist, in their canonical forms.
TEST(AgreementTest, KeysOfSmallOrderAreRefused) {
  SeededRandom random(1);
  const AgreementPair pair = AgreementPair::make(random);
  for (std::string_view point :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    EXPECT_FALSE(crypto::agree(pair.secret, AgreementKey::from(from_hex(point)))) << point;
  }
}

TEST(SigningTest, Rfc8032Section71Keys) {
  const std::pair<std::string_view, std::string_view> keys[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"},
  };
  for (const auto& [seed, public_key] : keys) {
    const SigningPair pair = SigningPair::from_seed(from_hex(seed));
    EXPECT_EQ(to_hex(pair.public_key().view()), public_key);
    EXPECT_EQ(to_hex(pair.seed().view()), seed);
  }
}

TEST(SigningTest, BindsKeyLabelAndData) {
  SeededRandom random(2);
  const SigningPair pair = SigningPair::make(random);
  const SigningPair other = SigningPair::make(random);
  const Bytes data = random.bytes(100);
  const crypto::Signature signature = pair.sign("card", data);
  EXPECT_TRUE(crypto::verify(pair.public_key(), signature, "card", data));
  EXPECT_EQ(pair.clone().sign("card", data), signature);
  EXPECT_FALSE(crypto::verify(other.public_key(), signature, "card", data));
  EXPECT_FALSE(crypto::verify(pair.public_key(), signature, "devices", data));
  EXPECT_FALSE(crypto::verify(pair.public_key(), signature, "card", ByteView(data).first(99)));
  for (size_t i = 0; i < 64; ++i) {
    crypto::Signature altered = signature;
    altered.bytes[i] ^= 1;
    EXPECT_FALSE(crypto::verify(pair.public_key(), altered, "card", data));
  }
  EXPECT_FALSE(crypto::verify(crypto::VerifyKey(), signature, "card", data));
}

// NIST ACVP ML-KEM-keyGen-FIPS203, case 26; its encapsulation key is 1,184 bytes, so its BLAKE2b
// stands for what follows the first 48.
TEST(KemTest, AcvpKeyGeneration) {
  const Secret<64> seed(
      from_hex("e34a701c4c87582f42264ee422d3c684d97611f2523efe0c998af05056d693dc"
               "a85768f3486bd32a01bf9a8f21ea938e648eae4e5448c34c3eb88820b159eedd"));
  const KemPair pair = KemPair::from_seed(seed);
  EXPECT_EQ(
      to_hex(pair.public_key.view().first(48)),
      "6d14a071f7cc452558d5e71a7b087062ecb1386844588246126402b1fa1637733cd5f60cc84bcb646a789261"
      "4d7c51b1");
  EXPECT_EQ(to_hex(crypto::plain_hash<32>(pair.public_key.view())),
            "eb7c2992fa6741f6be61ae04480bc7ae70994d63ca80df60dad98af54f4a77f8");

  Bytes message(32);
  for (size_t i = 0; i < message.size(); ++i) message[i] = static_cast<uint8_t>(i);
  const auto sent = crypto::encapsulate_with(pair.public_key, Secret<32>(message));
  ASSERT_TRUE(sent);
  EXPECT_EQ(to_hex(sent->shared.view()),
            "3e90d7d7aa86b4428c227966abbf5ed6a3d82f3dd0b8b35e0fa799ce83d97590");
  EXPECT_EQ(to_hex(crypto::decapsulate(pair, sent->ciphertext)->view()),
            to_hex(sent->shared.view()));
}

TEST(KemTest, WrongCiphertextGivesAnotherSecret) {
  SeededRandom random(3);
  const KemPair pair = KemPair::from_seed(Secret<64>(random.bytes(64)));
  const auto sent = crypto::encapsulate(pair.public_key, random);
  ASSERT_TRUE(sent);
  for (size_t i = 0; i < KemCiphertext::kSize; i += 97) {
    KemCiphertext altered = sent->ciphertext;
    altered.bytes[i] ^= 1;
    EXPECT_NE(to_hex(crypto::decapsulate(pair, altered)->view()), to_hex(sent->shared.view()));
  }
}

TEST(KemTest, InvalidKeysAreRefusedAndDamagedPairsDisagree) {
  SeededRandom random(4);
  crypto::KemKey invalid;
  invalid.bytes.fill(0xff);
  EXPECT_FALSE(crypto::encapsulate(invalid, random));
  KemPair damaged = KemPair::from_seed(Secret<64>(random.bytes(64)));
  const auto sent = crypto::encapsulate(damaged.public_key, random);
  damaged.secret.data()[1200] ^= 1;
  const auto received = crypto::decapsulate(damaged, sent->ciphertext);
  EXPECT_TRUE(!received || to_hex(received->view()) != to_hex(sent->shared.view()));
}

TEST(SystemTest, RandomnessDoesNotRepeat) {
  ASSERT_TRUE(crypto::init());
  ASSERT_TRUE(crypto::init());
  crypto::SystemRandom random;
  std::set<Bytes32> seen;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(random.array<32>()).second);
}

}  // namespace
}  // namespace wherry::test
