// Everything that leaves an engine goes through here: the fake network's table, with a look at
// each call on its way.
#include <algorithm>

#include "crypto/hash.h"
#include "tests/support/world_person.h"

namespace wherry::test {
namespace {

constexpr size_t kNonceSize = 24;
constexpr size_t kTagSize = 16;

// A plug-in has no pointer to the world that it is in, and there is one at a time.
World* current_world = nullptr;

template <FakeKind kKind>
int32_t add_peer(wherry_transport* transport, uint64_t peer, const char* endpoint,
                 const uint8_t* rendezvous, wherry_reveals* reveals) {
  current_world->see_peer(transport, peer, endpoint);
  const int32_t status =
      FakeNet::plugin(kKind)->add_peer(transport, peer, endpoint, rendezvous, reveals);
  if (current_world->on_reveals) current_world->on_reveals(*reveals);
  return status;
}

template <FakeKind kKind>
const wherry_transport_description* describe() {
  static wherry_transport_description about = *FakeNet::plugin(kKind)->describe();
  if (current_world != nullptr) about.envelope_size_max = current_world->envelope_size_max;
  return &about;
}

template <FakeKind kKind>
int32_t send(wherry_transport* transport, const wherry_outgoing* envelopes, size_t count,
             size_t* accepted) {
  const auto refused = [](const wherry_outgoing& one) {
    return current_world->refuses_envelope &&
           current_world->refuses_envelope({one.envelope.data, one.envelope.size});
  };
  if (std::any_of(envelopes, envelopes + count, refused)) return WHERRY_TRANSPORT_E_ARGUMENT;
  current_world->see_call("an envelope");
  std::vector<Bytes> bytes;
  std::vector<wherry_outgoing> shown(envelopes, envelopes + count);
  bytes.reserve(count);
  for (wherry_outgoing& one : shown) {
    Bytes& copy = bytes.emplace_back(one.envelope.data, one.envelope.data + one.envelope.size);
    current_world->see_envelope(transport, one.peer, copy);
    one.envelope = {copy.data(), copy.size()};
  }
  return FakeNet::plugin(kKind)->send(transport, shown.data(), count, accepted);
}

template <FakeKind kKind>
int32_t ack(wherry_transport* transport, const wherry_receipt* receipts, size_t count) {
  current_world->see_call("a receipt");
  return FakeNet::plugin(kKind)->ack(transport, receipts, count);
}

template <FakeKind kKind>
int32_t connect_peer(wherry_transport* transport, uint64_t peer) {
  current_world->see_call("a connection");
  return FakeNet::plugin(kKind)->connect_peer(transport, peer);
}

template <FakeKind kKind>
int32_t put_bundle(wherry_transport* transport, uint64_t request, const uint8_t* locator,
                   const uint8_t* owner, wherry_bytes bundle, uint32_t time_to_live_s) {
  current_world->see_call("a bundle");
  return FakeNet::plugin(kKind)->put_bundle(transport, request, locator, owner, bundle,
                                            time_to_live_s);
}

template <FakeKind kKind>
int32_t get_bundle(wherry_transport* transport, uint64_t request, const char* endpoint,
                   const uint8_t* locator) {
  current_world->see_call("a look-up");
  return FakeNet::plugin(kKind)->get_bundle(transport, request, endpoint, locator);
}

template <FakeKind kKind>
int32_t close_inbox(wherry_transport* transport, uint64_t inbox) {
  current_world->see_call("the end of an inbox");
  current_world->see_close(inbox);
  return FakeNet::plugin(kKind)->close_inbox(transport, inbox);
}

template <FakeKind kKind>
wherry_transport_plugin watched() {
  wherry_transport_plugin plugin = *FakeNet::plugin(kKind);
  plugin.describe = describe<kKind>;
  plugin.add_peer = add_peer<kKind>;
  plugin.send = send<kKind>;
  plugin.ack = ack<kKind>;
  plugin.connect_peer = connect_peer<kKind>;
  plugin.close_inbox = close_inbox<kKind>;
  if (plugin.put_bundle != nullptr) {
    plugin.put_bundle = put_bundle<kKind>;
    plugin.get_bundle = get_bundle<kKind>;
  }
  return plugin;
}

}  // namespace

const wherry_transport_plugin* World::watched_plugin(FakeKind kind) {
  static const wherry_transport_plugin stored = watched<FakeKind::kStored>();
  static const wherry_transport_plugin direct = watched<FakeKind::kDirect>();
  static const wherry_transport_plugin hidden = watched<FakeKind::kHidden>();
  if (kind == FakeKind::kHidden) return &hidden;
  return kind == FakeKind::kStored ? &stored : &direct;
}

void World::set_current(World* world) {
  current_world = world;
}

int World::who_turns() const {
  for (size_t i = 0; i < people_.size(); ++i) {
    if (people_[i]->in_turn) return static_cast<int>(i);
  }
  return -1;
}

void World::see_call(const char* what) {
  const int who = who_turns();
  if (who < 0) return;
  Person& person = *people_[static_cast<size_t>(who)];
  if (person.disk == nullptr) return;
  if (person.disk->in_transaction()) {
    violation("commit", person.name + " let out " + what + " before its commit");
  }
  person.unsynced = person.unsynced && !person.disk->logs_synced();
  if (person.unsynced) {
    violation("commit", person.name + " let out " + what + " that a loss of power could take back");
  }
}

void World::see_close(uint64_t inbox) {
  if (on_close && who_turns() >= 0) on_close(who_turns(), inbox);
}

void World::see_peer(const wherry_transport* transport, uint64_t peer, const char* endpoint) {
  endpoints_[{transport, peer}] = endpoint;
}

void World::see_envelope(const wherry_transport* transport, uint64_t peer, Bytes& envelope) {
  const int who = who_turns();
  ++envelopes_;
  if (envelope.size() >= kNonceSize) {
    const Bytes32 hash = crypto::plain_hash<32>(envelope);
    const std::string& endpoint = endpoints_[{transport, peer}];
    const Seen seen{hash, endpoint};
    const Bytes nonce(envelope.begin(), envelope.begin() + kNonceSize);
    const auto [known, fresh] = nonces_.emplace(nonce, seen);
    if (!fresh && known->second.hash != hash) {
      violation("nonce", "a nonce was used for two envelopes");
    } else if (!fresh && known->second.endpoint != endpoint) {
      violation("linkable", "the same bytes went to two endpoints");
    }
    // A tag stands for one message key; first envelopes have random bytes in its place.
    const Bytes tag(envelope.begin(), envelope.begin() + kTagSize);
    const auto [used, first_use] = tags_.emplace(tag, hash);
    const bool forgiven = who >= 0 && person(who).reuses_keys;
    if (!first_use && used->second != hash && !forgiven) {
      violation("message-key", "a message key was used for two envelopes");
    }
  }
  if (on_sent_to) on_sent_to(who, endpoints_[{transport, peer}], envelope);
  if (on_envelope) on_envelope(who, envelope);
}

}  // namespace wherry::test
