// The C table of the onion transport: checks, converts, and stops exceptions.
#include <algorithm>
#include <string>
#include <vector>

#include "node.h"
#include "onion.h"
#include "settings.h"
#include "transports/common/guarded.h"
#include "transports/common/tor/settings.h"

using wherry::transports::guarded;
using wherry::transports::onion::Node;

struct wherry_transport {
  Node node;
};

namespace {

namespace onion = wherry::transports::onion;
namespace tor = wherry::transports::tor;

constexpr wherry_setting_description kSettings[] = {
    {"services", WHERRY_SETTING_INTEGER, "24",
     "How many contacts have an onion address of their own"},
    {"share", WHERRY_SETTING_BOOLEAN, "false",
     "Whether those beyond share one, by which two who compare see that it is one person; "
     "otherwise they can not reach this person by onion"},
};

const wherry_transport_description* describe() {
  static const wherry_transport_description description = [] {
    wherry_transport_description it{};
    it.size = sizeof(it);
    it.name = "onion";
    it.version = WHERRY_ONION_VERSION;
    it.help = "Links over the Tor network, which hide where both people are";
    it.architecture = WHERRY_ARCHITECTURE_ONION;
    it.abilities = WHERRY_ABILITY_BUNDLES;
    it.latency = WHERRY_LATENCY_SECONDS;
    it.envelope_size_max = WHERRY_ENVELOPE_SIZE_MAX;
    it.reveals_worst = onion::reveals_at_worst();
    static const std::vector<wherry_setting_description> settings =
        tor::joined(tor::setting_descriptions(), kSettings);
    it.settings = settings.data();
    it.setting_count = settings.size();
    return it;
  }();
  return &description;
}

std::int32_t create(wherry_transport** transport, const wherry_transport_host_api* api,
                    wherry_transport_host* host, const wherry_setting* settings,
                    std::size_t setting_count) {
  return guarded([&]() -> std::int32_t {
    std::string error;
    auto parsed = onion::parse_settings(settings, setting_count, error);
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
    const auto parsed = onion::parse_settings(settings, setting_count, error);
    if (!parsed) return WHERRY_TRANSPORT_E_SETTING;
    *reveals = onion::reveals_of(*parsed);
    return WHERRY_TRANSPORT_OK;
  });
}

onion::Locator locator_of(const std::uint8_t* bytes) {
  onion::Locator locator{};
  std::copy_n(bytes, locator.size(), locator.begin());
  return locator;
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
    .put_bundle =
        [](auto* self, std::uint64_t request, const std::uint8_t* locator, const std::uint8_t*,
           wherry_bytes bundle, std::uint32_t time_to_live_s) {
          return guarded([&] {
            return self->node.put_bundle(request, locator_of(locator),
                                         {bundle.data, bundle.data + bundle.size}, time_to_live_s);
          });
        },
    .get_bundle =
        [](auto* self, std::uint64_t request, const char* endpoint, const std::uint8_t* locator) {
          return guarded(
              [&] { return self->node.get_bundle(request, endpoint, locator_of(locator)); });
        },
    .look_up = nullptr,  // what the description does not name, the host never calls
    .recall = nullptr,
    .diagnose = nullptr,
    .listening = listening,
};

}  // namespace

const wherry_transport_plugin* wherry_transport_onion() {
  return &kPlugin;
}
