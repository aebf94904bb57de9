// The liar's own protocol: sdk/session/seal.cpp and handshake.cpp once more, with a place to change
// every part.
#include "hostile_peer.h"

#include <set>
#include <stdexcept>

#include "codec/cbor.h"
#include "codec/fields.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "session/chain.h"
#include "session/secrets.h"
#include "tests/support/world_person.h"

namespace wherry::test {
namespace {

constexpr uint64_t kInbox = 1;
constexpr int64_t kAnswer_ms = 5'000;
constexpr int64_t kFarFuture_s = 4'000'000'000;

// A liar that can not speak proves nothing.
void must(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

Bytes seal_first_wrap(const Secret<32>& secret, ByteView inner, Random& random) {
  const auto nonce = random.array<24>();
  Bytes out(nonce.begin(), nonce.end());
  append(out,
         crypto::aead_seal(crypto::derive_key(secret.view(), "first").view(), nonce, {}, inner));
  return out;
}

}  // namespace

HostilePeer::HostilePeer(World& world, const std::string& name)
    : random(world.random().below(1u << 30)),
      identity(identity::Identity::make(random)),
      device(identity::Device::make(random)),
      list(identity::DeviceList::make(identity, 1, {device.public_part()})),
      prekey(identity::Prekey::make(7, kFarFuture_s, random)),
      fetch(random.bytes(32)),
      world_(world),
      host_(*world.net().plugin(), world.net().clock(), world.net().settings(name)) {
  must(host_.create() == WHERRY_TRANSPORT_OK, "no transport");
  must(host_.open_inbox(kInbox, random.bytes(32)) == WHERRY_TRANSPORT_OK, "no inbox");
  must(host_.start_and_wait(kAnswer_ms), "not online");
  must(world.until([&] { return host_.endpoint(kInbox).has_value(); }, kAnswer_ms), "no endpoint");
  begin_stream();
}

std::string HostilePeer::own_endpoint() const {
  return *host_.endpoint(kInbox);
}

identity::Card HostilePeer::card() {
  identity::Card card;
  card.identity = identity.public_key();
  card.fetch_secret = fetch.clone();
  card.transport = world_.net().plugin()->describe()->name;
  card.endpoint = own_endpoint();
  card.expires_s = kFarFuture_s;
  return card;
}

Bytes HostilePeer::bundle() const {
  return *identity::Bundle::make(device, list, prekey);
}

void HostilePeer::publish(const Bytes& sealed) {
  const Bytes32 locator = identity::bundle_locator(fetch);
  const uint64_t request = ++last_request_;
  host_.put_bundle(request, {locator.begin(), locator.end()}, Bytes(32, 1), sealed, 86'400 * 365);
  must(world_.until([&] { return host_.bundle(request).has_value(); }, kAnswer_ms), "no answer");
  must(host_.bundle(request)->reason == WHERRY_REASON_NONE, "the bundle is not taken");
}

void HostilePeer::take_card(const std::string& text) {
  their_card_ = identity::Card::parse(text).take();
  const Bytes32 locator = identity::bundle_locator(their_card_->fetch_secret);
  const uint64_t request = ++last_request_;
  host_.get_bundle(request, their_card_->endpoint, {locator.begin(), locator.end()});
  must(world_.until([&] { return host_.bundle(request).has_value(); }, kAnswer_ms), "no answer");
  const Result<Bytes> opened =
      identity::open_bundle(their_card_->fetch_secret, *host_.bundle(request)->bundle);
  their_bundle_ = identity::Bundle::parse(*opened, their_card_->identity).take();
}

Bytes HostilePeer::greeting(const identity::Bundle& theirs, const Secret<32>& wrap,
                            ByteView payload, const GreetingForgery& forgery) {
  crypto::AgreementPair pair =
      forgery.reused != nullptr ? forgery.reused->clone() : crypto::AgreementPair::make(random);
  const crypto::AgreementKey sent = forgery.ephemeral.value_or(pair.public_key);
  // Of a key of small order everybody knows what comes out; of a foreign one nothing better is
  // known.
  auto dh1 = crypto::agree(device.agreement.secret, theirs.agreement);
  auto dh2 = crypto::agree(pair.secret, theirs.device.agreement);
  auto dh3 = crypto::agree(pair.secret, theirs.agreement);
  if (claimed) dh1.emplace();
  if (forgery.ephemeral) {
    dh2.emplace();
    dh3.emplace();
  }
  const auto kem = crypto::encapsulate(theirs.kem, random);
  must(dh1 && dh2 && dh3 && kem, "the victim's bundle is of no use");

  session::Transcript transcript;
  transcript.initiator_identity = list.identity();
  transcript.responder_identity = theirs.list.identity();
  transcript.initiator = claimed.value_or(device.public_part());
  transcript.responder = theirs.device;
  transcript.ephemeral = sent;
  transcript.prekey = theirs.agreement;
  HostileSession& made = sessions_.emplace_back();
  made.hash = transcript.hash(theirs.kem, kem->ciphertext);
  made.ratchet = session::initiator_ratchet(session::session_secrets(*dh1, *dh2, *dh3, kem->shared),
                                            made.hash, theirs.agreement, random)
                     .take();

  codec::CborWriter plain;
  plain.map(2).key(1).bytes(list.bytes()).key(2).bytes(transcript.initiator.id());
  Bytes who = plain.take();
  if (forgery.who) forgery.who(who);
  const Secret<32> key = session::identity_secret(*dh2, *dh3, kem->shared);
  const Bytes sealed_who = crypto::aead_seal(key.view(), {}, sent.view(), who);
  Bytes inner{1};
  codec::append_le(inner, theirs.prekey_id);
  append(inner, sent.view());
  append(inner, kem->ciphertext.view());
  codec::append_le(inner, static_cast<uint16_t>(sealed_who.size()));
  append(inner, sealed_who);
  constexpr size_t kWrap = 24 + crypto::kAeadOverhead;
  Forgery within = forgery.envelope;
  if (within.size == 0) within.size = forgery.size - kWrap - inner.size();
  append(inner, seal(payload, within));
  if (forgery.inner) forgery.inner(inner);
  ephemeral_ = std::move(pair);
  return seal_first_wrap(wrap, inner, random);
}

void HostilePeer::greet(const message::Payload& payload, const GreetingForgery& forgery) {
  deliver_to(their_card_->endpoint, greeting(*their_bundle_, their_card_->fetch_secret,
                                             message::encode(payload), forgery));
}

void HostilePeer::reset(const message::Payload& payload, const GreetingForgery& forgery) {
  listen();
  must(offer_.has_value(), "no reset bundle was offered");
  const Result<identity::Bundle> theirs =
      identity::Bundle::parse(offer_->bundle, their_card_->identity);
  const Secret<32> wrap{ByteView(offer_->fetch)};
  message::Payload following = payload;
  if (!following.follows) following.follows = session().hash;
  deliver(greeting(*theirs, wrap, message::encode(following), forgery));
}

void HostilePeer::offer_reset() {
  message::Payload payload;
  payload.reset = message::ResetOffer{bundle(), to_array<32>(fetch.view())};
  send(payload);
}

void HostilePeer::begin_stream() {
  incarnation_ = random.number();
  seq_ = 0;
}

message::Record HostilePeer::record(const std::string& text) {
  message::Record made;
  made.seq = ++seq_;
  made.incarnation = incarnation_;
  made.id = random.array<16>();
  made.clock = ++clock_;
  made.sent_ms = kWallStart_ms + world_.now_ms();
  made.content = WHERRY_CONTENT_TEXT;
  const ByteView body = as_bytes(text);
  made.body.assign(body.begin(), body.end());
  return made;
}

message::Payload HostilePeer::say(const std::string& text) {
  message::Payload payload;
  payload.records.push_back(record(text));
  return payload;
}

message::Endpoints HostilePeer::endpoints() {
  return {++generation_, {{world_.net().plugin()->describe()->name, own_endpoint()}}, {}};
}

message::Payload HostilePeer::acknowledge(uint64_t next, std::vector<message::AckRange> ranges) {
  listen();
  message::Payload payload;
  payload.acks.push_back({victim_incarnation_, next, std::move(ranges), {}, {}});
  return payload;
}

HostileSession HostilePeer::drop_session() {
  HostileSession dropped = std::move(sessions_.back());
  sessions_.pop_back();
  return dropped;
}

void HostilePeer::turn(session::Ratchet& ratchet) {
  crypto::AgreementPair ours = crypto::AgreementPair::make(random);
  std::optional<session::RootStep> step =
      session::root_step(ratchet.root, ours.secret, ratchet.theirs);
  must(step.has_value(), "the victim's key is of small order");
  ratchet.ours = std::move(ours);
  ratchet.root = std::move(step->root);
  ratchet.send_chain = std::move(step->chain);
  ratchet.send_header = session::HeaderKey(ratchet.send_header_next.view());
  ratchet.send_header_next = std::move(step->next_header);
  ratchet.send_previous = ratchet.send_n;
  ratchet.send_base += ratchet.send_n;
  ratchet.send_n = 0;
  ratchet.can_send = true;
  ratchet.turn_due = false;
}

void HostilePeer::skip(uint32_t count) {
  session::Ratchet& ratchet = session().ratchet;
  if (ratchet.turn_due) turn(ratchet);
  for (uint32_t i = 0; i < count; ++i) session::chain_step(ratchet.send_chain);
  ratchet.send_n += count;
}

Bytes HostilePeer::seal(ByteView payload, const Forgery& forgery) {
  session::Ratchet& ratchet = session().ratchet;
  if (ratchet.turn_due) turn(ratchet);
  const Secret<32> message_key = session::chain_step(ratchet.send_chain);
  // Nothing is ever repeated, so that the floor is the envelope's own number.
  session::Head head{ratchet.ours.public_key, ratchet.send_previous, ratchet.send_n,
                     ratchet.received, ratchet.next_g()};
  const session::Tag tag = ratchet.send_header.tag_for(forgery.tag_n.value_or(ratchet.send_n));
  ++ratchet.send_n;
  if (forgery.head) forgery.head(head);
  const auto encoded = head.encode();
  Bytes head_bytes(encoded.begin(), encoded.end());
  if (forgery.head_bytes) forgery.head_bytes(head_bytes);

  const size_t size =
      forgery.size != 0
          ? forgery.size
          : session::least_bucket(payload.size() + session::kEnvelopeOverhead).value_or(0);
  must(size >= payload.size() + session::kEnvelopeOverhead, "the payload does not fit");
  Bytes plain;
  codec::append_le(plain, static_cast<uint16_t>(payload.size()));
  append(plain, payload);
  plain.resize(size - session::kBodyAt - crypto::kAeadOverhead);
  if (forgery.plain) forgery.plain(plain);

  Bytes out(tag.begin(), tag.end());
  append(out, random.bytes(session::kSaltSize));
  const crypto::Nonce nonce = session::nonce_of(out);
  append(out, crypto::aead_seal(ratchet.send_header.enc.view(), nonce, {}, head_bytes));
  Bytes ad(ratchet.ad.begin(), ratchet.ad.end());
  append(ad, out);
  append(out, crypto::aead_seal(message_key.view(), nonce, ad, plain));
  return out;
}

std::string HostilePeer::victim_endpoint() const {
  return their_endpoints_ ? their_endpoints_->list.front().text : their_card_->endpoint;
}

void HostilePeer::deliver_to(const std::string& endpoint, const Bytes& envelope) {
  const auto [known, fresh] = peers_.emplace(endpoint, peers_.size() + 1);
  if (fresh) must(host_.add_peer(known->second, endpoint) == WHERRY_TRANSPORT_OK, "no such place");
  // The network takes some hundred at a time.
  for (int tries = 0; host_.send_one(known->second, envelope) == 0; ++tries) {
    must(tries < 1000, "the network takes nothing");
    world_.run_for(5);
  }
}

void HostilePeer::listen() {
  for (const Received& one : host_.received_since(listened_)) {
    ++listened_;
    host_.ack(one.inbox, one.receipt);
    if (!open(one.envelope)) ++unopened_;
  }
}

bool HostilePeer::open(const Bytes& envelope) {
  for (auto at = sessions_.rbegin(); at != sessions_.rend(); ++at) {
    Result<session::OpenStep> step = session::open(at->ratchet, {}, envelope, at->keys);
    if (!step) continue;
    if (step->outcome != session::Outcome::kOpened) return true;
    at->ratchet = step->next->clone();
    at->keys.commit(*step);
    if (const auto payload = message::decode_payload(step->payload)) take(*payload);
    return true;
  }
  Result<session::FirstEnvelope> first = session::peek_first(fetch, envelope);
  if (!first) return false;
  Result<session::Accepted> accepted =
      session::accept(*first, identity.public_key(), device, prekey);
  if (!accepted) return false;
  HostileSession& made = sessions_.emplace_back();
  made.ratchet = accepted->step.next->clone();
  made.keys.commit(accepted->step);
  made.hash = accepted->hash;
  if (const auto payload = message::decode_payload(accepted->step.payload)) take(*payload);
  return true;
}

void HostilePeer::take(const message::Payload& payload) {
  heard_.push_back(payload);
  if (payload.endpoints && !payload.endpoints->list.empty()) their_endpoints_ = payload.endpoints;
  if (payload.reset) offer_ = payload.reset;
  for (const message::Record& record : payload.records) {
    victim_incarnation_ = record.incarnation;
    clock_ = std::max(clock_, record.clock);
  }
}

std::vector<std::string> HostilePeer::texts() {
  std::vector<std::string> texts;
  std::set<Id128> ids;
  for (const message::Payload& payload : heard()) {
    for (const message::Record& record : payload.records) {
      if (ids.insert(record.id).second) texts.emplace_back(as_text(record.body));
    }
  }
  return texts;
}

}  // namespace wherry::test
