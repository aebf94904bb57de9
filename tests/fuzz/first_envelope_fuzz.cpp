// First envelopes: any bytes, and any inner bytes under a good wrap.
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "fuzz.h"
#include "seeded_random.h"
#include "session/handshake.h"

namespace {

using wherry::ByteView;
using namespace wherry::identity;
using namespace wherry::session;

struct Receiver {
  wherry::test::SeededRandom random{1};
  Identity identity = Identity::make(random);
  Device device = Device::make(random);
  Prekey prekey = Prekey::make(1, 2'000'000'000, random);
  wherry::Secret<32> fetch_secret{random.bytes(32)};
};

const Receiver& receiver() {
  static const Receiver instance;
  return instance;
}

void receive(ByteView bytes) {
  const Receiver& me = receiver();
  const wherry::Result<FirstEnvelope> first = peek_first(me.fetch_secret, bytes);
  if (!first) return;
  (void)accept(*first, me.identity.public_key(), me.device, me.prekey);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  receive(input);

  const wherry::crypto::Nonce nonce{};
  const auto key = wherry::crypto::derive_key(receiver().fetch_secret.view(), "first");
  wherry::Bytes wrapped(nonce.begin(), nonce.end());
  wherry::append(wrapped, wherry::crypto::aead_seal(key.view(), nonce, {}, input));
  receive(wrapped);
  return 0;
}
