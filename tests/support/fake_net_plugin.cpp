// The fake transport's tables: one for each FakeKind.
#include <cstring>
#include <iterator>

#include "tests/support/fake_net.h"
#include "tests/support/fake_net_instance.h"

namespace wherry::test {
namespace {

FakeInstance& instance(wherry_transport* transport) {
  return *reinterpret_cast<FakeInstance*>(transport);
}

template <FakeKind kKind>
std::int32_t create(wherry_transport** transport, const wherry_transport_host_api* api,
                    wherry_transport_host* host, const wherry_setting* settings,
                    std::size_t setting_count) {
  FakeNet* net = nullptr;
  std::string node;
  for (std::size_t i = 0; i < setting_count; ++i) {
    if (std::strcmp(settings[i].name, "net") == 0) net = FakeNet::find(settings[i].value);
    if (std::strcmp(settings[i].name, "node") == 0) node = settings[i].value;
  }
  if (net == nullptr || net->kind() != kKind || node.empty()) return WHERRY_TRANSPORT_E_SETTING;
  *transport =
      reinterpret_cast<wherry_transport*>(new FakeInstance(*net, *api, host, std::move(node)));
  return WHERRY_TRANSPORT_OK;
}

constexpr wherry_setting_description kSettings[] = {
    {"net", WHERRY_SETTING_TEXT, nullptr, "The name of a FakeNet of this kind"},
    {"node", WHERRY_SETTING_TEXT, nullptr, "Which node of it this is"}};

constexpr wherry_transport_description describe_stored() {
  wherry_transport_description about{};
  about.size = sizeof(about);
  about.name = "fake-stored";
  about.version = "1";
  about.help = "A virtual network with a relay, for tests";
  about.architecture = WHERRY_ARCHITECTURE_CENTRALIZED;
  about.abilities = WHERRY_ABILITY_OFFLINE | WHERRY_ABILITY_BUNDLES | WHERRY_ABILITY_CHEAP_INBOXES;
  about.latency = WHERRY_LATENCY_MILLISECONDS;
  about.envelope_size_max = WHERRY_ENVELOPE_SIZE_MAX;
  about.reveals_worst.facts[WHERRY_OBSERVER_OTHER_PERSON] =
      WHERRY_FACT_USE | WHERRY_FACT_TIMING | WHERRY_FACT_SIZE;
  about.reveals_worst.facts[WHERRY_OBSERVER_HOME_OPERATOR] =
      WHERRY_FACT_USE | WHERRY_FACT_MY_IP | WHERRY_FACT_WHO_TALKS | WHERRY_FACT_INBOXES_TOGETHER |
      WHERRY_FACT_TIMING | WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
  about.settings = kSettings;
  about.setting_count = std::size(kSettings);
  return about;
}

constexpr wherry_transport_description describe_direct() {
  wherry_transport_description about = describe_stored();
  about.name = "fake-direct";
  about.help = "Virtual direct links, for tests";
  about.architecture = WHERRY_ARCHITECTURE_PEER_TO_PEER;
  about.abilities = WHERRY_ABILITY_CHEAP_INBOXES;
  about.reveals_worst = {};
  about.reveals_worst.facts[WHERRY_OBSERVER_OTHER_PERSON] =
      WHERRY_FACT_USE | WHERRY_FACT_MY_IP | WHERRY_FACT_OTHER_IP | WHERRY_FACT_TIMING |
      WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
  about.reveals_worst.facts[WHERRY_OBSERVER_NETWORK] =
      WHERRY_FACT_USE | WHERRY_FACT_MY_IP | WHERRY_FACT_OTHER_IP | WHERRY_FACT_WHO_TALKS |
      WHERRY_FACT_TIMING | WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
  return about;
}

constexpr wherry_transport_description describe_hidden() {
  wherry_transport_description about = describe_stored();
  about.name = "fake-hidden";
  about.help = "Virtual links that show nobody's address, for tests";
  about.architecture = WHERRY_ARCHITECTURE_ONION;
  about.abilities = WHERRY_ABILITY_BUNDLES;
  about.latency = WHERRY_LATENCY_SECONDS;
  about.reveals_worst = {};
  about.reveals_worst.facts[WHERRY_OBSERVER_OTHER_PERSON] =
      WHERRY_FACT_USE | WHERRY_FACT_TIMING | WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
  return about;
}

template <FakeKind kKind>
const wherry_transport_description* describe() {
  static constexpr wherry_transport_description kDescription =
      kKind == FakeKind::kStored   ? describe_stored()
      : kKind == FakeKind::kHidden ? describe_hidden()
                                   : describe_direct();
  return &kDescription;
}

template <FakeKind kKind>
constexpr wherry_transport_plugin table() {
  constexpr bool kBundles = kKind != FakeKind::kDirect;
  wherry_transport_plugin plugin{};
  plugin.size = sizeof(plugin);
  plugin.abi = WHERRY_TRANSPORT_ABI;
  plugin.describe = describe<kKind>;
  plugin.create = create<kKind>;
  plugin.start = [](auto* self) { return instance(self).start(); };
  plugin.stop = [](auto* self) { instance(self).stop(); };
  plugin.destroy = [](auto* self) { delete &instance(self); };
  plugin.update = [](auto*, std::uint32_t) {};
  plugin.open_inbox = [](auto* self, std::uint64_t inbox, const std::uint8_t* secret,
                         std::int32_t) { return instance(self).open_inbox(inbox, secret); };
  plugin.close_inbox = [](auto* self, std::uint64_t inbox) {
    return instance(self).close_inbox(inbox);
  };
  plugin.add_peer = [](auto* self, std::uint64_t peer, const char* endpoint, const std::uint8_t*,
                       wherry_reveals* reveals) {
    return instance(self).add_peer(peer, endpoint, reveals);
  };
  plugin.remove_peer = [](auto* self, std::uint64_t peer) {
    return instance(self).remove_peer(peer);
  };
  plugin.connect_peer = [](auto* self, std::uint64_t peer) {
    return instance(self).connect_peer(peer);
  };
  plugin.send = [](auto* self, const wherry_outgoing* envelopes, std::size_t count,
                   std::size_t* accepted) {
    return instance(self).send({envelopes, count}, accepted);
  };
  plugin.ack = [](auto* self, const wherry_receipt* receipts, std::size_t count) {
    return instance(self).ack({receipts, count});
  };
  plugin.resume_receive = [](auto* self) { instance(self).resume_receive(); };
  if constexpr (kBundles) {
    plugin.put_bundle = [](auto* self, std::uint64_t request, const std::uint8_t* locator,
                           const std::uint8_t* owner, wherry_bytes bundle, std::uint32_t ttl_s) {
      return instance(self).put_bundle(request, locator, owner, bundle, ttl_s);
    };
    plugin.get_bundle = [](auto* self, std::uint64_t request, const char* endpoint,
                           const std::uint8_t* locator) {
      return instance(self).get_bundle(request, endpoint, locator);
    };
  }
  return plugin;
}

constexpr wherry_transport_plugin kStoredPlugin = table<FakeKind::kStored>();
constexpr wherry_transport_plugin kDirectPlugin = table<FakeKind::kDirect>();
constexpr wherry_transport_plugin kHiddenPlugin = table<FakeKind::kHidden>();

}  // namespace

const wherry_transport_plugin* FakeNet::plugin(FakeKind kind) {
  if (kind == FakeKind::kHidden) return &kHiddenPlugin;
  return kind == FakeKind::kStored ? &kStoredPlugin : &kDirectPlugin;
}

}  // namespace wherry::test
