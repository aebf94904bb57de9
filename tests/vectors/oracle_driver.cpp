// A test-only program that lets other implementations talk to this one: JSON objects, one a line,
// on standard input and output. Bytes are hexadecimal. Each request has "do" and its parameters;
// each answer has the results, or "error".
//
//   ratchet_new   {role: initiator|responder, secrets[96], ad[32], prekey[32]: public|secret} -> {}
//   ratchet_seal  {floor, payload} -> {envelope, g}
//   ratchet_open  {envelope} -> {outcome, payload, g}
//   ratchet_state {} -> {received, skipped, next_g}
//   keypair       {secret[32]} -> {public}                                   (X25519)
//   agree         {secret[32], public[32]} -> {shared}
//   secrets       {dh1, dh2, dh3, kem} -> {session[96], identity[32]}
//   sign          {seed[32], label, data} -> {public, signature}
//   verify        {public, signature, label, data} -> {ok}
//   aead_seal     {key, nonce, ad, plain} -> {sealed}
//   kem_keypair   {seed[64]} -> {public}                                     (ML-KEM-768)
//   kem_encap     {public, message[32]} -> {ciphertext, shared}
//   kem_decap     {seed[64], ciphertext} -> {shared}
//   xwing_keypair {seed[32]} -> {public}
//   xwing_encap   {public, randomness[64]} -> {ciphertext, shared}
//   xwing_decap   {seed[32], ciphertext} -> {shared}
//   password      {passphrase, salt[16], ops, memory_kib} -> {key}
//   cbor_check    {data} -> {ok}
#include <sodium/crypto_kem_xwing.h>

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "codec/cbor.h"
#include "crypto/agreement.h"
#include "crypto/init.h"
#include "crypto/kem.h"
#include "crypto/password.h"
#include "crypto/signing.h"
#include "crypto/system_random.h"
#include "hex.h"
#include "session/end.h"
#include "session/secrets.h"

namespace wherry::test {
namespace {

using nlohmann::json;

// Takes the parameters out of a request.
class Request {
 public:
  explicit Request(const json& object) : object_(object) {}

  Bytes bytes(const char* name) const { return from_hex(object_.at(name).get<std::string>()); }
  template <size_t N>
  Secret<N> secret(const char* name) const {
    const Bytes value = bytes(name);
    if (value.size() != N) throw std::invalid_argument(std::string(name) + " has a wrong length");
    return Secret<N>(value);
  }
  template <typename Value>
  Value value(const char* name) const {
    const Bytes got = bytes(name);
    if (got.size() != Value::kSize) {
      throw std::invalid_argument(std::string(name) + " has a wrong length");
    }
    return Value::from(got);
  }
  std::string text(const char* name) const { return object_.at(name).get<std::string>(); }
  uint64_t number(const char* name) const { return object_.at(name).get<uint64_t>(); }

 private:
  const json& object_;
};

const char* name_of(session::Outcome outcome) {
  switch (outcome) {
    case session::Outcome::kOpened:
      return "opened";
    case session::Outcome::kDuplicate:
      return "duplicate";
    case session::Outcome::kBelowFloor:
      return "below_floor";
    case session::Outcome::kPeerRolledBack:
      return "peer_rolled_back";
  }
  return "";
}

class Driver {
 public:
  json answer(const json& request) {
    const auto found = kActions.find(request.at("do").get<std::string>());
    if (found == kActions.end()) throw std::invalid_argument("there is no such action");
    return (this->*found->second)(Request(request));
  }

 private:
  using Action = json (Driver::*)(const Request&);

  End& end() {
    if (!end_) throw std::invalid_argument("ratchet_new comes first");
    return *end_;
  }

  json ratchet_new(const Request& in) {
    const Secret<96> secrets = in.secret<96>("secrets");
    const auto ad = to_array<32>(in.bytes("ad"));
    if (in.text("role") == "initiator") {
      auto state = session::initiator_ratchet(secrets, ad, in.value<crypto::AgreementKey>("prekey"),
                                              random_);
      if (!state) throw std::invalid_argument(state.error().text);
      end_ = std::make_unique<End>(state.take());
    } else {
      const auto prekey = crypto::AgreementPair::from_secret(in.secret<32>("prekey").view());
      end_ = std::make_unique<End>(session::responder_ratchet(secrets, ad, prekey));
    }
    return json::object();
  }

  json ratchet_seal(const Request& in) {
    const session::SealStep step = end().seal(in.bytes("payload"), in.number("floor"), random_);
    return {{"envelope", to_hex(step.envelope)}, {"g", step.g}};
  }

  json ratchet_open(const Request& in) {
    Result<session::OpenStep> step = end().open(in.bytes("envelope"));
    if (!step) return {{"outcome", "refused"}, {"reason", step.error().reason}};
    return {
        {"outcome", name_of(step->outcome)}, {"payload", to_hex(step->payload)}, {"g", step->g}};
  }

  json ratchet_state(const Request&) {
    const session::Ratchet& state = end().state();
    return {{"received", state.received}, {"skipped", state.skipped}, {"next_g", state.next_g()}};
  }

  json keypair(const Request& in) {
    const auto pair = crypto::AgreementPair::from_secret(in.secret<32>("secret").view());
    return {{"public", to_hex(pair.public_key.view())}};
  }

  json agree(const Request& in) {
    const auto shared =
        crypto::agree(in.secret<32>("secret"), in.value<crypto::AgreementKey>("public"));
    if (!shared) throw std::invalid_argument("the result is zero");
    return {{"shared", to_hex(shared->view())}};
  }

  json secrets(const Request& in) {
    const auto dh1 = in.secret<32>("dh1");
    const auto dh2 = in.secret<32>("dh2");
    const auto dh3 = in.secret<32>("dh3");
    const auto kem = in.secret<32>("kem");
    return {{"session", to_hex(session::session_secrets(dh1, dh2, dh3, kem).view())},
            {"identity", to_hex(session::identity_secret(dh2, dh3, kem).view())}};
  }

  json sign(const Request& in) {
    const auto pair = crypto::SigningPair::from_seed(in.secret<32>("seed").view());
    return {{"public", to_hex(pair.public_key().view())},
            {"signature", to_hex(pair.sign(in.text("label"), in.bytes("data")).view())}};
  }

  json verify(const Request& in) {
    return {{"ok", crypto::verify(in.value<crypto::VerifyKey>("public"),
                                  in.value<crypto::Signature>("signature"), in.text("label"),
                                  in.bytes("data"))}};
  }

  json aead_seal(const Request& in) {
    return {{"sealed",
             to_hex(crypto::aead_seal(in.secret<32>("key").view(), to_array<24>(in.bytes("nonce")),
                                      in.bytes("ad"), in.bytes("plain")))}};
  }

  json kem_keypair(const Request& in) {
    return {
        {"public", to_hex(crypto::KemPair::from_seed(in.secret<64>("seed")).public_key.view())}};
  }

  json kem_encap(const Request& in) {
    const auto sent =
        crypto::encapsulate_with(in.value<crypto::KemKey>("public"), in.secret<32>("message"));
    if (!sent) throw std::invalid_argument("the key is invalid");
    return {{"ciphertext", to_hex(sent->ciphertext.view())},
            {"shared", to_hex(sent->shared.view())}};
  }

  json kem_decap(const Request& in) {
    const auto pair = crypto::KemPair::from_seed(in.secret<64>("seed"));
    const auto shared = crypto::decapsulate(pair, in.value<crypto::KemCiphertext>("ciphertext"));
    if (!shared) throw std::invalid_argument("the pair is damaged");
    return {{"shared", to_hex(shared->view())}};
  }

  // X-Wing is the library's own; the protocol does not use it (yet), so it has no wrapper in sdk/.
  struct XWingPair {
    std::array<uint8_t, crypto_kem_xwing_PUBLICKEYBYTES> public_key;
    std::array<uint8_t, crypto_kem_xwing_SECRETKEYBYTES> secret;
  };
  static XWingPair xwing_pair(const Request& in) {
    XWingPair pair;
    crypto_kem_xwing_seed_keypair(pair.public_key.data(), pair.secret.data(),
                                  in.secret<32>("seed").data());
    return pair;
  }

  json xwing_keypair(const Request& in) { return {{"public", to_hex(xwing_pair(in).public_key)}}; }

  json xwing_encap(const Request& in) {
    const auto key =
        in.value<crypto::PublicValue<XWingPair, crypto_kem_xwing_PUBLICKEYBYTES>>("public");
    const Secret<64> randomness = in.secret<64>("randomness");
    std::array<uint8_t, crypto_kem_xwing_CIPHERTEXTBYTES> ciphertext;
    std::array<uint8_t, crypto_kem_xwing_SHAREDSECRETBYTES> shared;
    if (crypto_kem_xwing_enc_deterministic(ciphertext.data(), shared.data(), key.bytes.data(),
                                           randomness.data()) != 0) {
      throw std::invalid_argument("the key is invalid");
    }
    return {{"ciphertext", to_hex(ciphertext)}, {"shared", to_hex(shared)}};
  }

  json xwing_decap(const Request& in) {
    const auto ciphertext =
        in.value<crypto::PublicValue<XWingPair, crypto_kem_xwing_CIPHERTEXTBYTES>>("ciphertext");
    std::array<uint8_t, crypto_kem_xwing_SHAREDSECRETBYTES> shared;
    if (crypto_kem_xwing_dec(shared.data(), ciphertext.bytes.data(),
                             xwing_pair(in).secret.data()) != 0) {
      throw std::invalid_argument("the ciphertext is invalid");
    }
    return {{"shared", to_hex(shared)}};
  }

  json password(const Request& in) {
    const auto key = crypto::key_from_password(
        in.text("passphrase"), to_array<16>(in.bytes("salt")),
        {static_cast<uint32_t>(in.number("ops")), static_cast<uint32_t>(in.number("memory_kib"))});
    if (!key) throw std::invalid_argument(key.error().text);
    return {{"key", to_hex(key->view())}};
  }

  json cbor_check(const Request& in) {
    const Bytes data = in.bytes("data");
    codec::CborReader reader(data);
    reader.skip();
    return {{"ok", reader.done()}};
  }

  static const std::map<std::string, Action> kActions;

  crypto::SystemRandom random_;
  std::unique_ptr<End> end_;
};

const std::map<std::string, Driver::Action> Driver::kActions = {
    {"ratchet_new", &Driver::ratchet_new},
    {"ratchet_seal", &Driver::ratchet_seal},
    {"ratchet_open", &Driver::ratchet_open},
    {"ratchet_state", &Driver::ratchet_state},
    {"keypair", &Driver::keypair},
    {"agree", &Driver::agree},
    {"secrets", &Driver::secrets},
    {"sign", &Driver::sign},
    {"verify", &Driver::verify},
    {"aead_seal", &Driver::aead_seal},
    {"kem_keypair", &Driver::kem_keypair},
    {"kem_encap", &Driver::kem_encap},
    {"kem_decap", &Driver::kem_decap},
    {"xwing_keypair", &Driver::xwing_keypair},
    {"xwing_encap", &Driver::xwing_encap},
    {"xwing_decap", &Driver::xwing_decap},
    {"password", &Driver::password},
    {"cbor_check", &Driver::cbor_check},
};

}  // namespace
}  // namespace wherry::test

int main() {
  if (!wherry::crypto::init()) return 1;
  wherry::test::Driver driver;
  for (std::string line; std::getline(std::cin, line);) {
    nlohmann::json answer;
    try {
      answer = driver.answer(nlohmann::json::parse(line));
    } catch (const std::exception& failure) {
      answer = {{"error", failure.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}
