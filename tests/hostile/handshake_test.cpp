// First envelopes that break a rule (PROTOCOL §2, §4.1 to §4.4). Nothing is kept of them; a true
// one is taken afterwards.
#include "attack.h"
#include "codec/cbor.h"
#include "codec/fields.h"

namespace wherry::test {
namespace {

constexpr size_t kKeyAt = 5;          // EK in `inner`
constexpr size_t kCiphertextAt = 37;  // CT
constexpr size_t kWhoAt = 1125;

Bytes who(ByteView list, ByteView device) {
  codec::CborWriter out;
  out.map(2).key(1).bytes(list).key(2).bytes(device);
  return out.take();
}

class HostileHandshake : public Attack {
 protected:
  HostileHandshake() { mallory.take_card(world.card(ann)); }

  // Sends one that is forged, and one that is true.
  void expect_refused(const char* what, const GreetingForgery& forgery) {
    SCOPED_TRACE(what);
    const std::vector<uint64_t> before = kept();
    mallory.greet(mallory.say("forged"), forgery);
    mallory.drop_session();
    mallory.begin_stream();
    world.run_for(100);
    EXPECT_EQ(kept(), before);
    EXPECT_EQ(from_mallory(), Texts());
  }
  void expect_taken() {
    mallory.greet(mallory.say("true"));
    world.run_for(100);
    EXPECT_EQ(from_mallory(), Texts{"true"});
  }
};

TEST_F(HostileHandshake, AnotherVersionIsDropped) {
  expect_refused("version", {.inner = [](Bytes& inner) { inner[0] = 2; }});
  expect_refused("version 0", {.inner = [](Bytes& inner) { inner[0] = 0; }});
  expect_refused("version of the head",
                 {.envelope = {.head_bytes = [](Bytes& head) { head[0] = 2; }}});
  expect_taken();
}

TEST_F(HostileHandshake, APrekeyThatIsNotKeptIsDropped) {
  expect_refused("prekey", {.inner = [](Bytes& inner) { inner[1] ^= 1; }});
  expect_taken();
}

TEST_F(HostileHandshake, AnyOtherKeyOrCiphertextIsDropped) {
  expect_refused("EK", {.inner = [](Bytes& inner) { inner[kKeyAt] ^= 1; }});
  expect_refused("CT", {.inner = [](Bytes& inner) { inner[kCiphertextAt] ^= 1; }});
  expect_refused("length of who", {.inner = [](Bytes& inner) {
                   codec::store_le(&inner[kWhoAt], uint16_t{0xffff});
                 }});
  expect_refused("cut", {.inner = [](Bytes& inner) { inner.resize(kWhoAt); }});
  expect_taken();
}

TEST_F(HostileHandshake, KeysOfSmallOrderAreRefused) {
  expect_refused("EK", {.ephemeral = crypto::AgreementKey()});
  const identity::DeviceList own = mallory.list;
  mallory.claimed = {mallory.device.signing.public_key(), crypto::AgreementKey()};
  mallory.list = identity::DeviceList::make(mallory.identity, 1, {*mallory.claimed});
  expect_refused("DA", {});
  mallory.claimed.reset();
  mallory.list = own;
  expect_taken();
}

TEST_F(HostileHandshake, NobodySpeaksForADeviceOfAnother) {
  HostilePeer reader(world, "reader");
  reader.take_card(world.card(bob));  // so that Mallory knows Bob's list
  const identity::DeviceList own = mallory.list;
  const Texts of_bob = world.received(ann, bob);
  mallory.list = reader.their_bundle().list;
  mallory.claimed = reader.their_bundle().device;
  expect_refused("Bob", {});
  EXPECT_EQ(world.received(ann, bob), of_bob);
  // Nor as one of Mallory's own list.
  mallory.list = identity::DeviceList::make(mallory.identity, 1, {*mallory.claimed});
  expect_refused("Bob's device, Mallory's list", {});
  mallory.claimed.reset();
  mallory.list = own;
  expect_taken();
}

TEST_F(HostileHandshake, ListsAreSignedAndHoldTheDevice) {
  const Bytes list = mallory.list.bytes();
  const Id128 device = mallory.device.id();
  const auto with = [&](const char* what, Bytes bytes, const Id128& id) {
    expect_refused(what, {.who = [&](Bytes& plain) { plain = who(bytes, id); }});
  };
  Bytes altered = list;
  altered.back() ^= 1;
  with("altered", altered, device);
  with("cut", Bytes(list.begin(), list.end() - 1), device);
  with("unlisted", list, Id128{1});
  with("none", {}, device);
  HostilePeer other(world, "other");
  with("another's", other.list.bytes(), device);
  expect_refused("no CBOR", {.who = [](Bytes& plain) { plain.back() ^= 1, plain.push_back(0); }});
  expect_refused("no device", {.who = [&](Bytes& plain) {
                   codec::CborWriter out;
                   out.map(1).key(1).bytes(list);
                   plain = out.take();
                 }});
  expect_taken();
}

TEST_F(HostileHandshake, AFirstChainHasNoneBeforeItAndNoFloorAboveItsNumber) {
  expect_refused("PN",
                 {.envelope = {.head = [](session::Head& head) { head.previous_length = 1; }}});
  expect_refused("floor", {.envelope = {.head = [](session::Head& head) { head.floor = 1; }}});
  expect_refused("N", {.envelope = {.head = [](session::Head& head) { head.n = 1; }}});
  expect_refused("length",
                 {.envelope = {.plain = [](Bytes& plain) { plain[0] = plain[1] = 0xff; }}});
  expect_taken();
}

TEST_F(HostileHandshake, ARequestHasABucketOf4KiBAtMost) {
  expect_refused("no bucket", {.size = 4095});
  expect_refused("the next bucket", {.size = 16384});
  expect_taken();
  // Nor is a larger one taken of a stranger who is known.
  GreetingForgery large;
  large.size = 16384;
  mallory.greet(mallory.say("larger"), large);
  mallory.drop_session();
  world.run_for(100);
  EXPECT_EQ(from_mallory(), Texts{"true"});
}

TEST_F(HostileHandshake, TheSameBytesAgainMakeNothing) {
  const Bytes first = mallory.greeting(mallory.their_bundle(), mallory.their_card().fetch_secret,
                                       message::encode(mallory.say("once")));
  mallory.deliver(first);
  world.run_for(100);
  const std::vector<uint64_t> before = kept();
  for (int i = 0; i < 50; ++i) {
    mallory.deliver(first);
    mallory.deliver(
        *session::rewrap_first(mallory.their_card().fetch_secret, first, mallory.random));
  }
  world.run_for(1'000);
  EXPECT_EQ(kept(), before);
  EXPECT_EQ(from_mallory(), Texts{"once"});
}

TEST_F(HostileHandshake, AnEphemeralKeyMakesOneSession) {
  mallory.greet(mallory.say("once"));
  world.run_for(100);
  const std::vector<uint64_t> before = kept();
  const crypto::AgreementPair used = mallory.last_ephemeral().clone();
  mallory.greet(mallory.say("twice"), {.reused = &used});
  HostilePeer accomplice(world, "accomplice");
  accomplice.take_card(world.card(ann));
  world.run_for(100);
  EXPECT_EQ(kept()[1], before[1]);
  EXPECT_EQ(from_mallory(), Texts{"once"});
  EXPECT_EQ(world.count_events(ann, WHERRY_EVENT_SECURITY), 0);
}

TEST_F(HostileHandshake, AReplayIsDroppedWhenItsSessionIsGone) {
  const Bytes first = mallory.greeting(mallory.their_bundle(), mallory.their_card().fetch_secret,
                                       message::encode(mallory.say("0")));
  mallory.deliver(first);
  world.run_for(100);
  ASSERT_TRUE(accept());
  for (int i = 1; i <= 8; ++i) {
    mallory.begin_stream();
    mallory.greet(mallory.say(std::to_string(i)));
    world.run_for(100);
  }
  EXPECT_EQ(from_mallory(), numbered("", 9));
  const std::vector<uint64_t> before = kept();
  mallory.deliver(first);
  world.run_for(1'000);
  EXPECT_EQ(kept(), before);
  EXPECT_EQ(from_mallory(), numbered("", 9));
}

TEST_F(HostileHandshake, ItIsTakenAtTheCardsInboxUnderItsSecretAlone) {
  const std::vector<uint64_t> before = kept();
  const Bytes first = mallory.greeting(mallory.their_bundle(), mallory.their_card().fetch_secret,
                                       message::encode(mallory.say("elsewhere")));
  std::string of_contact;
  ASSERT_TRUE(world.run(ann, [&](engine::Turn& turn) -> Status {
    for (const auto& [id, inbox] : turn.profile.inboxes) {
      if (inbox.kind == store::InboxKind::kContact) of_contact = inbox.endpoint;
    }
    return {};
  }));
  mallory.deliver_to(of_contact, first);
  const Result<identity::Card> another = identity::Card::parse(world.card(ann));
  mallory.deliver_to(another->endpoint, first);
  mallory.deliver_to(identity::Card::parse(world.card(bob))->endpoint, first);
  world.run_for(1'000);
  const std::vector<uint64_t> after = kept();
  for (size_t i : {0u, 1u, 2u, 5u}) EXPECT_EQ(after[i], before[i]) << i;
  mallory.deliver(first);
  world.run_for(100);
  EXPECT_EQ(from_mallory(), Texts{"elsewhere"});
}

TEST_F(HostileHandshake, AStrangerHearsNothingBeforeTheyAreAccepted) {
  message::Payload first = mallory.say("request");
  first.endpoints = mallory.endpoints();
  first.acks.push_back({7, 1, {}, {}, {}});
  first.reseal = true;
  mallory.greet(first);
  world.run_for(kHour);
  const uint64_t sent = envelopes();
  for (int i = 0; i < 10; ++i) {
    message::Payload more = mallory.say("more");
    more.reseal = true;
    mallory.send(more);  // as if it had been answered
    mallory.deliver(mallory.random.bytes(512));
    world.run_for(10'000);
  }
  world.run_for(kHour);
  EXPECT_EQ(mallory.arrived(), 0u);
  EXPECT_EQ(envelopes(), sent);
  EXPECT_EQ(from_mallory(), Texts{"request"});
  ASSERT_TRUE(accept());
  world.run_for(1'000);
  EXPECT_GT(mallory.heard().size(), 0u);
}

TEST_F(HostileHandshake, AStrangerMayBeginFourTimes) {
  for (int i = 0; i < 10; ++i) {
    mallory.begin_stream();
    mallory.greet(mallory.say(std::to_string(i)));
    world.run_for(100);
  }
  EXPECT_EQ(from_mallory(), numbered("", 4));
  EXPECT_EQ(number("SELECT count(*) FROM session WHERE contact="
                   "(SELECT max(id) FROM contact)"),
            4u);
}

TEST_F(HostileHandshake, AListOfTheSameGenerationSaysTheSame) {
  mallory.greet(mallory.say("0"));
  world.run_for(100);
  ASSERT_TRUE(accept());
  world.run_for(1'000);
  const auto begin = [&](uint64_t generation, const identity::Device& device) {
    mallory.list = identity::DeviceList::make(mallory.identity, generation, {device.public_part()});
    mallory.device = {device.signing.clone(), device.agreement.clone()};
    mallory.begin_stream();
    const size_t before = from_mallory().size();
    mallory.greet(mallory.say("another list"));
    world.run_for(100);
    const bool taken = from_mallory().size() > before;
    if (!taken) mallory.drop_session();
    return taken;
  };
  const identity::Device old{mallory.device.signing.clone(), mallory.device.agreement.clone()};
  const identity::Device stolen = identity::Device::make(mallory.random);
  EXPECT_FALSE(begin(1, stolen));
  EXPECT_TRUE(begin(3, stolen));
  EXPECT_FALSE(begin(2, old));
  EXPECT_FALSE(begin(3, old));
  EXPECT_TRUE(begin(3, stolen));
  talks = true;
}

}  // namespace
}  // namespace wherry::test
