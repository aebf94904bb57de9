// The C table of the centralized transport: checks, converts, and stops exceptions.
#include "plugin.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "transports/common/guarded.h"
#include "transports/common/tor/settings.h"

using wherry::transports::guarded;
using wherry::transports::Locator;
using wherry::transports::centralized::Client;

// The plug-in's handle owns the client; links may keep it a little longer, silent.
struct wherry_transport {
  std::shared_ptr<Client> client;
};

namespace {

namespace centralized = wherry::transports::centralized;
namespace tor = wherry::transports::tor;

constexpr wherry_setting_description kSettings[] = {
    {"relay", WHERRY_SETTING_TEXT, nullptr,
     "The relay's address, as wherry-relay prints it: wr1:HOST:PORT/KEY, or wr1:ADDRESS of an "
     "onion "
     "service"},
    {"proxy", WHERRY_SETTING_ADDRESS, "",
     "A SOCKS5 proxy to reach the relay through, HOST:PORT; empty: none, or a tor of Wherry's own "
     "for an onion service"},
};

const wherry_transport_description* describe() {
  static const wherry_transport_description description = [] {
    wherry_transport_description it{};
    it.size = sizeof(it);
    it.name = "centralized";
    it.version = WHERRY_CENTRALIZED_VERSION;
    it.help = "One relay that everybody uses, self-hosted: wherry-relay";
    it.architecture = WHERRY_ARCHITECTURE_CENTRALIZED;
    it.abilities = WHERRY_ABILITY_OFFLINE | WHERRY_ABILITY_PROXY | WHERRY_ABILITY_BUNDLES |
                   WHERRY_ABILITY_DIAGNOSE | WHERRY_ABILITY_CHEAP_INBOXES;
    it.latency = WHERRY_LATENCY_MILLISECONDS;
    it.envelope_size_max = WHERRY_ENVELOPE_SIZE_MAX;
    it.reveals_worst = centralized::reveals_at_worst();
    static const std::vector<wherry_setting_description> settings =
        tor::joined(kSettings, tor::setting_descriptions());
    it.settings = settings.data();
    it.setting_count = settings.size();
    return it;
  }();
  return &description;
}

std::int32_t start(wherry_transport* transport) {
  return guarded([&] { return transport->client->start(); });
}

void stop(wherry_transport* transport) {
  guarded([&] { transport->client->stop(); });
}

void destroy(wherry_transport* transport) {
  guarded([&] { transport->client->join(); });
  delete transport;
}

void update(wherry_transport* transport, std::uint32_t flags) {
  guarded([&] { transport->client->update(flags); });
}

std::int32_t open_inbox(wherry_transport* transport, std::uint64_t inbox,
                        const std::uint8_t* secret, std::int32_t) {
  return guarded([&] {
    return transport->client->open_inbox(inbox, std::span<const std::uint8_t, 32>(secret, 32));
  });
}

std::int32_t close_inbox(wherry_transport* transport, std::uint64_t inbox) {
  return guarded([&] { return transport->client->close_inbox(inbox); });
}

// The rendezvous secret is for networks without a fixed place to meet; here the relay is that.
std::int32_t add_peer(wherry_transport* transport, std::uint64_t peer, const char* endpoint,
                      const std::uint8_t*, wherry_reveals* reveals) {
  return guarded([&] { return transport->client->add_peer(peer, endpoint, reveals); });
}

std::int32_t remove_peer(wherry_transport* transport, std::uint64_t peer) {
  return guarded([&] { return transport->client->remove_peer(peer); });
}

std::int32_t connect_peer(wherry_transport* transport, std::uint64_t peer) {
  return guarded([&] { return transport->client->connect_peer(peer); });
}

std::int32_t send(wherry_transport* transport, const wherry_outgoing* envelopes, std::size_t count,
                  std::size_t* accepted) {
  return guarded([&] { return transport->client->send(envelopes, count, *accepted); });
}

std::int32_t ack(wherry_transport* transport, const wherry_receipt* receipts, std::size_t count) {
  return guarded([&] { return transport->client->ack(receipts, count); });
}

void resume_receive(wherry_transport* transport) {
  guarded([&] { transport->client->resume_receive(); });
}

Locator to_locator(const std::uint8_t* bytes) {
  Locator locator{};
  std::memcpy(locator.data(), bytes, locator.size());
  return locator;
}

std::int32_t put_bundle(wherry_transport* transport, std::uint64_t request,
                        const std::uint8_t* locator, const std::uint8_t* owner, wherry_bytes bundle,
                        std::uint32_t time_to_live_s) {
  return guarded([&]() -> std::int32_t {
    if (bundle.size > WHERRY_BUNDLE_SIZE_MAX) return WHERRY_TRANSPORT_E_ARGUMENT;
    return transport->client->put_bundle(
        request, to_locator(locator), std::span<const std::uint8_t, 32>(owner, 32),
        std::string(reinterpret_cast<const char*>(bundle.data), bundle.size), time_to_live_s);
  });
}

std::int32_t get_bundle(wherry_transport* transport, std::uint64_t request, const char* endpoint,
                        const std::uint8_t* locator) {
  return guarded(
      [&] { return transport->client->get_bundle(request, endpoint, to_locator(locator)); });
}

std::int32_t listening(const wherry_setting* settings, std::size_t setting_count,
                       wherry_reveals* reveals) {
  return guarded([&]() -> std::int32_t {
    std::string error;
    const auto parsed = centralized::parse_settings(settings, setting_count, error);
    if (!parsed) return WHERRY_TRANSPORT_E_SETTING;
    *reveals = centralized::reveals_of(*parsed);
    return WHERRY_TRANSPORT_OK;
  });
}

void diagnose(wherry_transport* transport) {
  guarded([&] { transport->client->diagnose(); });
}

}  // namespace

namespace wherry::transports::centralized {

std::int32_t create_client(wherry_transport** transport, const wherry_transport_host_api* api,
                           wherry_transport_host* host, const wherry_setting* settings,
                           std::size_t setting_count, LinkFactory make_link,
                           DiallerFactory make_dialler) {
  return guarded([&]() -> std::int32_t {
    std::string error;
    auto parsed = parse_settings(settings, setting_count, error);
    if (!parsed) {
      api->log(host, WHERRY_LOG_WARNING, error.c_str());
      return WHERRY_TRANSPORT_E_SETTING;
    }
    auto made = std::make_unique<wherry_transport>();
    made->client = std::make_shared<Client>(*api, host, std::move(*parsed), std::move(make_link),
                                            std::move(make_dialler));
    *transport = made.release();
    return WHERRY_TRANSPORT_OK;
  });
}

wherry_transport_plugin table_of(CreateFunction create) {
  return {
      .size = sizeof(wherry_transport_plugin),
      .abi = WHERRY_TRANSPORT_ABI,
      .describe = describe,
      .create = create,
      .start = start,
      .stop = stop,
      .destroy = destroy,
      .update = update,
      .open_inbox = open_inbox,
      .close_inbox = close_inbox,
      .add_peer = add_peer,
      .remove_peer = remove_peer,
      .connect_peer = connect_peer,
      .send = send,
      .ack = ack,
      .resume_receive = resume_receive,
      .put_bundle = put_bundle,
      .get_bundle = get_bundle,
      .look_up = nullptr,
      .recall = nullptr,
      .diagnose = diagnose,
      .listening = listening,
  };
}

}  // namespace wherry::transports::centralized
