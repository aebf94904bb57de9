// The C table of the peer-to-peer transport: checks, converts, and stops exceptions.
#include <string>

#include "node.h"
#include "p2p.h"
#include "settings.h"
#include "transports/common/guarded.h"

using wherry::transports::guarded;
using wherry::transports::p2p::Node;

struct wherry_transport {
  Node node;
};

namespace {

namespace p2p = wherry::transports::p2p;

constexpr wherry_setting_description kSettings[] = {
    {"listen", WHERRY_SETTING_TEXT, "[::]:0",
     "Where contacts come in, ADDRESS:PORT in numbers; port 0: a free one, and the same from then "
     "on; empty: nowhere"},
    {"advertise", WHERRY_SETTING_TEXT, "",
     "What contacts are told to dial, ADDRESS:PORT with commas between; empty: this machine's own "
     "addresses, of the Internet or in `allow`"},
    {"meet", WHERRY_SETTING_TEXT, "",
     "The outside of a router that forwards nothing and keeps port numbers, ADDRESS:PORT: links "
     "are opened there from both ends at once, where the contact has such an address too; empty: "
     "not"},
    {"allow", WHERRY_SETTING_TEXT, "",
     "Ranges with commas between, as 192.168.0.0/16, that are dialled, at any port, although they "
     "are not of the Internet, or are this machine's own networks"},
    {"lan", WHERRY_SETTING_TEXT, "off",
     "`on`: contacts find each other on the networks that this machine is in, with no server. "
     "Everybody there sees that this kind of program is used"},
    {"proxy", WHERRY_SETTING_ADDRESS, "",
     "A SOCKS5 proxy to dial through, ADDRESS:PORT in numbers; empty: none. It does not hide where "
     "this machine listens"},
};

const wherry_transport_description* describe() {
  static const wherry_transport_description description = [] {
    wherry_transport_description it{};
    it.size = sizeof(it);
    it.name = "p2p";
    it.version = WHERRY_P2P_VERSION;
    it.help = "Direct links between the devices of two people, without a server";
    it.architecture = WHERRY_ARCHITECTURE_PEER_TO_PEER;
    it.abilities = WHERRY_ABILITY_PROXY | WHERRY_ABILITY_CHEAP_INBOXES;
    it.latency = WHERRY_LATENCY_MILLISECONDS;
    it.envelope_size_max = WHERRY_ENVELOPE_SIZE_MAX;
    it.reveals_worst = p2p::reveals_at_worst();
    it.settings = kSettings;
    it.setting_count = std::size(kSettings);
    return it;
  }();
  return &description;
}

std::int32_t create(wherry_transport** transport, const wherry_transport_host_api* api,
                    wherry_transport_host* host, const wherry_setting* settings,
                    std::size_t setting_count) {
  return guarded([&]() -> std::int32_t {
    std::string error;
    auto parsed = p2p::parse_settings(settings, setting_count, error);
    if (!parsed) {
      api->log(host, WHERRY_LOG_WARNING, error.c_str());
      return WHERRY_TRANSPORT_E_SETTING;
    }
    *transport = new wherry_transport{{*api, host, std::move(*parsed)}};
    return WHERRY_TRANSPORT_OK;
  });
}

std::int32_t listening(const wherry_setting* settings, std::size_t setting_count,
                       wherry_reveals* reveals) {
  return guarded([&]() -> std::int32_t {
    std::string error;
    const auto parsed = p2p::parse_settings(settings, setting_count, error);
    if (!parsed) return WHERRY_TRANSPORT_E_SETTING;
    *reveals = p2p::reveals_of_listening(*parsed);
    return WHERRY_TRANSPORT_OK;
  });
}

constexpr wherry_transport_plugin kPlugin = {
    .size = sizeof(wherry_transport_plugin),
    .abi = WHERRY_TRANSPORT_ABI,
    .describe = describe,
    .create = create,
    .start = [](auto* self) { return guarded([&] { return self->node.start(); }); },
    .stop = [](auto* self) { self->node.stop(); },
    .destroy = [](auto* self) { delete self; },
    .update = [](auto* self, std::uint32_t flags) { guarded([&] { self->node.update(flags); }); },
    .open_inbox =
        [](auto* self, std::uint64_t inbox, const std::uint8_t* secret, std::int32_t audience) {
          return guarded([&] {
            return self->node.open_inbox(inbox, std::span<const std::uint8_t, 32>(secret, 32),
                                         audience);
          });
        },
    .close_inbox =
        [](auto* self, std::uint64_t inbox) {
          return guarded([&] { return self->node.close_inbox(inbox); });
        },
    .add_peer =
        [](auto* self, std::uint64_t peer, const char* endpoint, const std::uint8_t*,
           wherry_reveals* reveals) {
          return guarded([&] { return self->node.add_peer(peer, endpoint, reveals); });
        },
    .remove_peer =
        [](auto* self, std::uint64_t peer) {
          return guarded([&] { return self->node.remove_peer(peer); });
        },
    .connect_peer =
        [](auto* self, std::uint64_t peer) {
          return guarded([&] { return self->node.connect_peer(peer); });
        },
    .send =
        [](auto* self, const wherry_outgoing* envelopes, std::size_t count, std::size_t* accepted) {
          return guarded([&] { return self->node.send({envelopes, count}, accepted); });
        },
    .ack =
        [](auto* self, const wherry_receipt* receipts, std::size_t count) {
          return guarded([&] { return self->node.ack({receipts, count}); });
        },
    .resume_receive = [](auto* self) { guarded([&] { self->node.resume_receive(); }); },
    .put_bundle = nullptr,  // what the description does not name,
    .get_bundle = nullptr,  // the host never calls
    .look_up = nullptr,
    .recall = nullptr,
    .diagnose = nullptr,
    .listening = listening,
};

}  // namespace

const wherry_transport_plugin* wherry_transport_p2p() {
  return &kPlugin;
}
