// PQXDH and the first envelope (PROTOCOL §4).
#include "session/handshake.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "session/end.h"

namespace wherry::test {
namespace {

using identity::Bundle;
using identity::Device;
using identity::DeviceList;
using identity::Identity;
using identity::Prekey;
using session::Accepted;
using session::FirstEnvelope;
using session::Outcome;
using session::SealStep;
using session::Started;

struct Person {
  Identity identity;
  Device device;
  DeviceList list;

  explicit Person(Random& random)
      : identity(Identity::make(random)),
        device(Device::make(random)),
        list(DeviceList::make(identity, 1, {device.public_part()})) {}
};

class HandshakeTest : public testing::Test {
 protected:
  HandshakeTest()
      : random_(4),
        alice_(random_),
        bob_(random_),
        prekey_(Prekey::make(77, 2'000'000'000, random_)),
        fetch_secret_(random_.bytes(32)) {}

  Bundle bundle() const {
    Result<Bytes> cbor = Bundle::make(bob_.device, bob_.list, prekey_);
    Result<Bundle> read = Bundle::parse(*cbor, bob_.identity.public_key());
    EXPECT_TRUE(read.ok());
    return read.take();
  }
  Started start() {
    Result<Started> started = session::start(alice_.device, alice_.list, bundle(), random_);
    EXPECT_TRUE(started.ok());
    return started.take();
  }
  SealStep first(const Started& started, std::string_view text, size_t size = 0) {
    Result<SealStep> step = session::seal_first(started.ratchet, started.prefix, fetch_secret_,
                                                as_bytes(text), size, random_);
    EXPECT_TRUE(step.ok());
    return step.take();
  }
  Result<Accepted> accept(ByteView bytes) {
    Result<FirstEnvelope> peeked = session::peek_first(fetch_secret_, bytes);
    if (!peeked) return peeked.error();
    EXPECT_EQ(peeked->prekey_id, 77u);
    return session::accept(*peeked, bob_.identity.public_key(), bob_.device, prekey_);
  }

  SeededRandom random_;
  Person alice_;
  Person bob_;
  Prekey prekey_;
  Secret<32> fetch_secret_;
};

TEST_F(HandshakeTest, MakesOneSessionOfBothEnds) {
  const Started started = start();
  const SealStep sealed = first(started, "hello");
  EXPECT_EQ(sealed.envelope.size(), 4096u);
  EXPECT_EQ(sealed.g, 0u);
  Result<Accepted> accepted = accept(sealed.envelope);
  ASSERT_TRUE(accepted.ok()) << accepted.error().text;
  EXPECT_EQ(accepted->hash, started.hash);
  EXPECT_EQ(accepted->list.identity(), alice_.identity.public_key());
  EXPECT_EQ(accepted->device, alice_.device.public_part());
  ASSERT_EQ(accepted->step.outcome, Outcome::kOpened);
  EXPECT_EQ(as_text(accepted->step.payload), "hello");

  End alice(sealed.next.clone());
  End bob(accepted->step.next->clone());
  const SealStep answer = bob.seal(as_bytes("welcome"), 0, random_);
  EXPECT_EQ(as_text(alice.open(answer.envelope)->payload), "welcome");
  const SealStep more = alice.seal(as_bytes("thanks"), 0, random_);
  EXPECT_EQ(as_text(bob.open(more.envelope)->payload), "thanks");
}

TEST_F(HandshakeTest, FillsItsBucket) {
  const Started started = start();
  for (size_t bucket : {4096u, 16384u, 45056u}) {
    const size_t room = session::first_payload_room(started.prefix, bucket);
    const std::string text(room, 'x');
    EXPECT_EQ(first(started, text).envelope.size(), bucket);
    EXPECT_EQ(first(started, "x", bucket).envelope.size(), bucket);
    Result<SealStep> over = session::seal_first(started.ratchet, started.prefix, fetch_secret_,
                                                as_bytes(text + "x"), bucket, random_);
    EXPECT_EQ(over.error().status, WHERRY_E_TOO_LARGE);
  }
  EXPECT_EQ(session::first_payload_room(started.prefix, 512), 0u);
  EXPECT_GT(session::first_payload_room(started.prefix, 4096), 2000u);
}

TEST_F(HandshakeTest, ARepeatBelongsToTheSessionItMade) {
  const SealStep sealed = first(start(), "hello");
  Result<FirstEnvelope> peeked = session::peek_first(fetch_secret_, sealed.envelope);
  Result<Accepted> accepted = accept(sealed.envelope);
  Result<FirstEnvelope> again = session::peek_first(fetch_secret_, sealed.envelope);
  EXPECT_EQ(peeked->seen, again->seen);
  MemoryKeys keys;
  keys.commit(accepted->step);
  Result<session::OpenStep> repeat = session::open(*accepted->step.next, {}, again->envelope, keys);
  ASSERT_TRUE(repeat.ok());
  EXPECT_EQ(repeat->outcome, Outcome::kDuplicate);
  EXPECT_NE(session::peek_first(fetch_secret_, first(start(), "other").envelope)->seen,
            peeked->seen);
}

TEST_F(HandshakeTest, AnotherWrapHoldsTheSameAndLooksLikeAnother) {
  const Bytes sealed = first(start(), "hello").envelope;
  const Result<Bytes> again = session::rewrap_first(fetch_secret_, sealed, random_);
  ASSERT_TRUE(again.ok());
  ASSERT_EQ(again->size(), sealed.size());
  size_t same = 0;
  for (size_t i = 0; i < sealed.size(); ++i) same += (*again)[i] == sealed[i] ? 1u : 0u;
  EXPECT_LT(same, sealed.size() / 50);  // as of two random strings
  EXPECT_EQ(session::peek_first(fetch_secret_, *again)->seen,
            session::peek_first(fetch_secret_, sealed)->seen);
  EXPECT_TRUE(accept(*again).ok());
  EXPECT_FALSE(session::rewrap_first(Secret<32>(random_.bytes(32)), sealed, random_).ok());
}

TEST_F(HandshakeTest, OnlyHoldersOfTheSecretCanTellThatItIsOne) {
  const SealStep sealed = first(start(), "hello");
  const Secret<32> other(random_.bytes(32));
  EXPECT_EQ(session::peek_first(other, sealed.envelope).error().reason, WHERRY_REASON_CANNOT_OPEN);
  EXPECT_EQ(session::peek_first(fetch_secret_, random_.bytes(4096)).error().reason,
            WHERRY_REASON_CANNOT_OPEN);
  EXPECT_EQ(session::peek_first(fetch_secret_, {}).error().reason, WHERRY_REASON_CANNOT_OPEN);
}

TEST_F(HandshakeTest, TamperingFails) {
  const SealStep sealed = first(start(), "hello");
  for (size_t i = 0; i < sealed.envelope.size(); i += 11) {
    Bytes altered = sealed.envelope;
    altered[i] ^= 0x40;
    EXPECT_FALSE(accept(altered).ok()) << "byte " << i;
  }
  // A holder of the card can alter what is inside the wrap: still nothing comes of it.
  const Result<FirstEnvelope> peeked = session::peek_first(fetch_secret_, sealed.envelope);
  const auto fails = [&](const FirstEnvelope& altered) {
    return !session::accept(altered, bob_.identity.public_key(), bob_.device, prekey_).ok();
  };
  for (int part = 0; part < 4; ++part) {
    FirstEnvelope altered = *peeked;
    if (part == 0) altered.ephemeral.bytes[3] ^= 1;
    if (part == 1) altered.ciphertext.bytes[900] ^= 1;
    if (part == 2) altered.who[20] ^= 1;
    if (part == 3) altered.envelope[400] ^= 1;
    EXPECT_TRUE(fails(altered)) << "part " << part;
  }
  FirstEnvelope zero = *peeked;
  zero.ephemeral = {};
  EXPECT_TRUE(fails(zero));
  EXPECT_FALSE(fails(*peeked));
}

TEST_F(HandshakeTest, BindsBothIdentitiesDevicesAndPrekeys) {
  const SealStep sealed = first(start(), "hello");
  const Result<FirstEnvelope> peeked = session::peek_first(fetch_secret_, sealed.envelope);
  const Person carol(random_);
  const Prekey other = Prekey::make(77, 2'000'000'000, random_);
  const auto& ik = bob_.identity.public_key();
  EXPECT_FALSE(session::accept(*peeked, carol.identity.public_key(), bob_.device, prekey_).ok());
  EXPECT_FALSE(session::accept(*peeked, ik, carol.device, prekey_).ok());
  EXPECT_FALSE(session::accept(*peeked, ik, bob_.device, other).ok());
  EXPECT_TRUE(session::accept(*peeked, ik, bob_.device, prekey_).ok());
}

TEST_F(HandshakeTest, ADeviceThatIsNotInTheListIsRefused) {
  const Device stranger = Device::make(random_);
  Result<Started> started = session::start(stranger, alice_.list, bundle(), random_);
  const SealStep sealed = first(*started, "I am alice");
  EXPECT_EQ(accept(sealed.envelope).error().reason, WHERRY_REASON_FORGED);
}

TEST_F(HandshakeTest, SomebodyElsesListIsRefused) {
  // Mallory claims to be Alice's device: the list is genuine, but the secret of its key is missing.
  const Person mallory(random_);
  Device disguised{mallory.device.signing.clone(), mallory.device.agreement.clone()};
  disguised.signing = crypto::SigningPair::from_seed(alice_.device.signing.seed().view());
  disguised.agreement.public_key = alice_.device.agreement.public_key;
  Result<Started> started = session::start(disguised, alice_.list, bundle(), random_);
  const SealStep sealed = first(*started, "I am alice");
  EXPECT_EQ(accept(sealed.envelope).error().reason, WHERRY_REASON_CANNOT_OPEN);
}

TEST_F(HandshakeTest, InvalidKeysInABundleAreRefused) {
  Bundle zero = bundle();
  zero.agreement = {};
  EXPECT_EQ(session::start(alice_.device, alice_.list, zero, random_).error().reason,
            WHERRY_REASON_FORGED);
  Bundle bad_kem = bundle();
  bad_kem.kem.bytes.fill(0xff);
  EXPECT_EQ(session::start(alice_.device, alice_.list, bad_kem, random_).error().reason,
            WHERRY_REASON_FORGED);
}

}  // namespace
}  // namespace wherry::test
