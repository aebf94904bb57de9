// Cards and bundles that break a rule (PROTOCOL §3), of somebody whose card Ann has taken. Each has
// its own reason, and once the true bundle is there what she wrote arrives.
#include "attack.h"
#include "base/limits.h"
#include "codec/cbor.h"

namespace wherry::test {
namespace {

class HostileBundle : public Attack {
 protected:
  Bytes sealed(ByteView cbor) { return identity::seal_bundle(mallory.fetch, cbor, mallory.random); }

  void expect_refused(int32_t reason, const Bytes& published) {
    mallory.publish(published);
    add_mallory();
    world.run_for(2 * kMinute);
    EXPECT_EQ(waiting(), reason);
    EXPECT_EQ(mallory.arrived(), 0u);
    EXPECT_EQ(number("SELECT count(*) FROM session"), 1u);  // Bob's
    EXPECT_EQ(security_events(WHERRY_REASON_FORGED), reason == WHERRY_REASON_FORGED ? 1 : 0);
    mallory.publish_true();
    world.run_for(20 * kMinute);
    EXPECT_EQ(mallory.texts(), Texts{"first"});
    EXPECT_EQ(waiting(), WHERRY_REASON_NONE);
  }
};

TEST_F(HostileBundle, OfADeviceThatIsNotListed) {
  const identity::Device other = identity::Device::make(mallory.random);
  expect_refused(WHERRY_REASON_FORGED,
                 sealed(*identity::Bundle::make(other, mallory.list, mallory.prekey)));
}

TEST_F(HostileBundle, WhosePrekeyTheDeviceDidNotSign) {
  Bytes altered = mallory.bundle();
  altered.back() ^= 1;
  expect_refused(WHERRY_REASON_FORGED, sealed(altered));
}

TEST_F(HostileBundle, SealedUnderAnotherSecret) {
  const Secret<32> other(mallory.random.bytes(32));
  expect_refused(WHERRY_REASON_FORGED,
                 identity::seal_bundle(other, mallory.bundle(), mallory.random));
}

TEST_F(HostileBundle, OfANewerVersion) {
  codec::CborWriter out;
  out.map(1).key(1).uint(2);
  expect_refused(WHERRY_REASON_VERSION, sealed(out.view()));
}

TEST_F(HostileBundle, ThatIsNoBundle) {
  expect_refused(WHERRY_REASON_MALFORMED, sealed(Bytes{0xa0}));
}

TEST_F(HostileBundle, OfAnotherSize) {
  expect_refused(WHERRY_REASON_MALFORMED, mallory.random.bytes(limits::kBundleSize - 1));
}

TEST_F(HostileBundle, ThatHasExpired) {
  const identity::Prekey old = identity::Prekey::make(7, 1'700'000'000, mallory.random);
  expect_refused(WHERRY_REASON_EXPIRED,
                 sealed(*identity::Bundle::make(mallory.device, mallory.list, old)));
}

// Signed by all who must, so that it is refused only where it is used.
TEST_F(HostileBundle, WithAPrekeyOfSmallOrder) {
  identity::Prekey weak = mallory.prekey.clone();
  weak.agreement.public_key = {};
  mallory.publish(sealed(*identity::Bundle::make(mallory.device, mallory.list, weak)));
  add_mallory();
  world.run_for(2 * kMinute);
  EXPECT_EQ(waiting(), WHERRY_REASON_FORGED);
  EXPECT_EQ(security_events(WHERRY_REASON_FORGED), 1);
  EXPECT_EQ(mallory.arrived(), 0u);
  mallory.publish_true();
  world.run_for(20 * kMinute);
  EXPECT_EQ(mallory.texts(), Texts{"first"});
  EXPECT_EQ(waiting(), WHERRY_REASON_NONE);
}

TEST_F(HostileBundle, ThatIsAskedForWithoutEnd) {
  add_mallory();
  const uint64_t before = world.turns(ann);
  world.run_for(24 * kHour);
  EXPECT_EQ(waiting(), WHERRY_REASON_NOT_FOUND);
  EXPECT_LE(world.turns(ann) - before, 24u * 6 * 8);  // every ten minutes
}

TEST_F(HostileBundle, ACardThatLeadsToSomebodyElse) {
  mallory.publish_true();
  identity::Card card = mallory.card();
  card.endpoint = identity::Card::parse(world.card(bob))->endpoint;
  ASSERT_TRUE(world.add_by_card(ann, *card.text(mallory.identity)));
  write("misled");
  world.run_for(kHour);
  // Bob's card inbox has no secret that opens it.
  EXPECT_EQ(store::contacts(world.database(bob), 0, 10).size(), 1u);
  EXPECT_EQ(unacknowledged(), 1u);
}

TEST_F(HostileBundle, ACardThatLeadsToOneself) {
  mallory.publish_true();
  const Result<identity::Card> own = identity::Card::parse(world.card(ann));
  identity::Card card = mallory.card();
  card.endpoint = own->endpoint;
  ASSERT_TRUE(world.add_by_card(ann, *card.text(mallory.identity)));
  write("misled");
  world.run_for(kHour);
  EXPECT_EQ(number("SELECT count(*) FROM contact"), 2u);
  // With one's own secret too: what is found is one's own bundle, under another name.
  card.fetch_secret = own->fetch_secret.clone();
  ASSERT_TRUE(world.add_by_card(ann, *card.text(mallory.identity)));
  world.run_for(kMinute);
  EXPECT_EQ(waiting(), WHERRY_REASON_FORGED);
}

TEST_F(HostileBundle, ACardForANetworkOrAPlaceThatIsNone) {
  identity::Card card = mallory.card();
  card.transport = "nowhere";
  ASSERT_TRUE(world.add_by_card(ann, *card.text(mallory.identity)));
  write("first");
  world.run_for(kMinute);
  EXPECT_EQ(waiting(), WHERRY_REASON_NO_TRANSPORT);
  card = mallory.card();
  card.endpoint = "fks1:no-such-place";
  ASSERT_TRUE(world.add_by_card(ann, *card.text(mallory.identity)));
  world.run_for(kMinute);
  EXPECT_EQ(waiting(), WHERRY_REASON_ENDPOINT_REFUSED);
  mallory.publish_true();
  ASSERT_TRUE(world.add_by_card(ann, mallory.card_text()));
  world.run_for(kMinute);
  EXPECT_EQ(mallory.texts(), Texts{"first"});
}

// Whoever does not answer gets one envelope, again and again (PROTOCOL §4.4).
TEST_F(HostileBundle, SilenceKeepsOneEnvelopeInFlight) {
  mallory.publish_true();
  std::set<Bytes> different;
  world.on_envelope = [&](int who, Bytes& envelope) {
    if (who == ann) different.insert(envelope);
  };
  add_mallory();
  world.run_for(1'000);
  for (int i = 0; i < 20; ++i) {
    write("more " + std::to_string(i));
    world.run_for(kHour);
  }
  world.on_envelope = nullptr;
  EXPECT_EQ(different.size(), 1u);
  EXPECT_GT(mallory.arrived(), 1u);
  EXPECT_EQ(waiting(), WHERRY_REASON_HANDSHAKE);
  EXPECT_EQ(mallory.texts(), Texts{"first"});
  mallory.take_card(world.card(ann));
  mallory.send(mallory.acknowledge(1));  // to the endpoint in the first envelope
  world.run_for(1'000);
  EXPECT_EQ(mallory.texts().size(), 21u);
}

}  // namespace
}  // namespace wherry::test
