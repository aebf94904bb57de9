// HostilePeer: a person with real keys who keeps to no rule. It is a node of a World's network
// without an engine: what it sends is put together from the pieces of sdk/, so that each layer can
// be true or forged by itself.
//
//   HostilePeer mallory(world, "mallory");
//   mallory.take_card(world.card(ann));
//   mallory.greet(mallory.say("hello"));  // a true handshake
//   mallory.send(mallory.say("still true"));
//   mallory.send(mallory.say("forged"), {.head = [](session::Head& head) { head.floor = 99; }});
//
// It keeps books as an honest peer does, so that a test breaks one rule and no other. Not
// thread-safe; it dies before its world.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "identity/bundle.h"
#include "identity/card.h"
#include "message/payload.h"
#include "session/end.h"
#include "session/handshake.h"
#include "tests/support/transport_host.h"
#include "tests/support/world.h"

namespace wherry::test {

// What is changed of an envelope that is right otherwise.
struct Forgery {
  std::function<void(session::Head&)> head = {};
  // The head's bytes, for what Head does not name: version, flags, reserved, room.
  std::function<void(Bytes&)> head_bytes = {};
  // Length, payload and zeros, before they are sealed.
  std::function<void(Bytes&)> plain = {};
  std::optional<uint32_t> tag_n = {};  // the number that the tag tells; none: the true one
  size_t size = 0;                     // of the envelope; 0: the least bucket
};

// The same for a first envelope.
struct GreetingForgery {
  std::function<void(Bytes&)> who = {};    // CBOR of list and device id, before it is sealed
  std::function<void(Bytes&)> inner = {};  // all, before it is wrapped
  std::optional<crypto::AgreementKey> ephemeral = {};  // EK as it is sent, in place of the true one
  const crypto::AgreementPair* reused = nullptr;       // EK of an earlier handshake
  Forgery envelope = {};                               // the ratchet's, within
  size_t size = 4096;
};

// A session as a liar keeps it: any state of it can be brought back.
struct HostileSession {
  session::Ratchet ratchet;
  MemoryKeys keys;
  Bytes32 hash{};
};

class HostilePeer {
 public:
  HostilePeer(World& world, const std::string& name);

  // Who it is. A test may change this before it is used.
  SeededRandom random;
  identity::Identity identity;
  identity::Device device;
  identity::DeviceList list;
  identity::Prekey prekey;
  Secret<32> fetch;
  // Whom it claims to be in its handshakes, if not itself.
  std::optional<identity::DevicePublic> claimed;

  // Its own card and bundle; true ones, for a test to forge.
  identity::Card card();
  std::string card_text() { return *card().text(identity); }
  Bytes bundle() const;
  // Puts any bytes where the bundle of its card is looked for.
  void publish(const Bytes& sealed);
  void publish_true() { publish(identity::seal_bundle(fetch, bundle(), random)); }

  // Learns a victim's card, and fetches the bundle.
  void take_card(const std::string& text);
  const identity::Card& their_card() const { return *their_card_; }
  const identity::Bundle& their_bundle() const { return *their_bundle_; }

  // Begins a session and returns its first envelope; what follows is sealed in it.
  Bytes greeting(const identity::Bundle& theirs, const Secret<32>& wrap, ByteView payload,
                 const GreetingForgery& forgery = {});
  // By the victim's card, to its endpoint.
  void greet(const message::Payload& payload, const GreetingForgery& forgery = {});
  // By the victim's reset bundle, to where it was announced. Needs an offer that was heard. Unless
  // the payload says otherwise, it follows the newest session.
  void reset(const message::Payload& payload, const GreetingForgery& forgery = {});
  // Offers a reset bundle of its own, with the secrets of its card.
  void offer_reset();
  // The key pair of the last handshake.
  const crypto::AgreementPair& last_ephemeral() const { return *ephemeral_; }

  // Payloads. A record has the next number and clock of its own stream.
  message::Record record(const std::string& text);
  message::Payload say(const std::string& text);
  // Endpoints that tell where it really is, with a higher generation each time.
  message::Endpoints endpoints();
  // Begins to count anew, as after a reset.
  void begin_stream();

  // Seals in the newest session, and sends.
  Bytes seal(ByteView payload, const Forgery& forgery = {});
  void send(ByteView payload, const Forgery& forgery = {}) { deliver(seal(payload, forgery)); }
  void send(const message::Payload& payload, const Forgery& forgery = {}) {
    send(message::encode(payload), forgery);
  }
  // As it is, to the endpoint that the victim announced, else its card's; or to another.
  void deliver(const Bytes& envelope) { deliver_to(victim_endpoint(), envelope); }
  void deliver_to(const std::string& endpoint, const Bytes& envelope);
  std::string victim_endpoint() const;
  std::string own_endpoint() const;

  // The newest session.
  HostileSession& session() { return sessions_.back(); }
  // Gives the newest one up: what follows is sealed in the one before.
  HostileSession drop_session();
  // A new sending chain, whether one is due or not.
  void turn(session::Ratchet& ratchet);
  // Lets numbers pass without an envelope.
  void skip(uint32_t count);

  // Takes in what has come so far, and opens what it can.
  void listen();
  const std::vector<message::Payload>& heard() {
    listen();
    return heard_;
  }
  // Texts of the victim, each once, by their ids.
  std::vector<std::string> texts();
  size_t unopened() const { return unopened_; }
  // Envelopes that came, opened or not.
  size_t arrived() const { return host_.received_count(); }
  const std::optional<message::ResetOffer>& offer() {
    listen();
    return offer_;
  }
  // The victim's incarnation, by its last record.
  uint64_t victim_incarnation() const { return victim_incarnation_; }
  // Says that all of the victim's messages up to `next` are stored.
  message::Payload acknowledge(uint64_t next, std::vector<message::AckRange> ranges = {});

 private:
  bool open(const Bytes& envelope);
  void take(const message::Payload& payload);

  World& world_;
  TransportHost host_;
  std::map<std::string, uint64_t> peers_;  // by endpoint
  uint64_t last_request_ = 0;

  std::optional<identity::Card> their_card_;
  std::optional<identity::Bundle> their_bundle_;
  std::optional<message::Endpoints> their_endpoints_;
  std::optional<crypto::AgreementPair> ephemeral_;
  std::vector<HostileSession> sessions_;

  uint64_t incarnation_ = 0;
  uint64_t seq_ = 0;
  uint64_t clock_ = 0;
  uint64_t generation_ = 0;

  size_t listened_ = 0;
  size_t unopened_ = 0;
  std::vector<message::Payload> heard_;
  std::optional<message::ResetOffer> offer_;
  uint64_t victim_incarnation_ = 0;
};

}  // namespace wherry::test
