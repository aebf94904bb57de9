// One instance: calls into the plug-in's table, and the host table that it calls back.
#include "plugin/instance.h"

#include <algorithm>

#include "base/limits.h"
#include "plugin/address.h"
#include "plugin/open_struct.h"
#include "policy/reveals.h"

// The host's end of an instance, opaque to the plug-in.
struct wherry_transport_host {
  wherry::plugin::HostEvents* events;
};

namespace wherry::plugin {
namespace {

// What plug-ins are told is what the host, and every peer, takes.
static_assert(WHERRY_ENDPOINT_SIZE_MAX == limits::kEndpointTextMax);
static_assert(WHERRY_ENVELOPE_SIZE_MAX == limits::kEnvelopeSizeMax);

Bytes copy(wherry_bytes bytes) {
  return bytes.size == 0 ? Bytes() : Bytes(bytes.data, bytes.data + bytes.size);
}

// None of these lets an exception into the plug-in. Out of memory ends the process: a report that
// is dropped would leave an envelope unaccounted for, and a crash loses nothing.
void on_state(wherry_transport_host* host, int32_t state, int32_t percent, int32_t reason,
              const char* phase) noexcept {
  host->events->on_state(state, percent, reason, phase == nullptr ? "" : phase);
}

void on_inbox(wherry_transport_host* host, uint64_t inbox, const char* endpoint,
              int32_t reason) noexcept {
  host->events->on_inbox(inbox, endpoint == nullptr ? "" : endpoint, reason);
}

void on_peer(wherry_transport_host* host, uint64_t peer, int32_t state, int32_t reason) noexcept {
  host->events->on_peer(peer, state, reason);
}

void on_writable(wherry_transport_host* host, uint64_t) noexcept {
  host->events->on_writable();
}

size_t on_receive(wherry_transport_host* host, uint64_t inbox, const wherry_incoming* envelopes,
                  size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) {
    const wherry_bytes& bytes = envelopes[i].envelope;
    if (!host->events->on_receive(inbox, envelopes[i].receipt, {bytes.data, bytes.size})) return i;
  }
  return count;
}

void on_sent(wherry_transport_host* host, const wherry_sent* sent, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) {
    host->events->on_sent(sent[i].send_id, sent[i].outcome, sent[i].reason);
  }
}

void on_bundle(wherry_transport_host* host, uint64_t request, wherry_bytes bundle,
               int32_t reason) noexcept {
  std::optional<Bytes> found;
  if (bundle.data != nullptr) found = copy(bundle);
  host->events->on_bundle(request, std::move(found), reason);
}

void on_look_up(wherry_transport_host* host, uint64_t, const char*, int32_t) noexcept {
  host->events->log(WHERRY_LOG_WARNING, "a transport answered a look-up that nobody asked for");
}

void on_stopped(wherry_transport_host* host) noexcept {
  host->events->on_stopped();
}

int64_t state_get(wherry_transport_host* host, const char* key, uint8_t* out,
                  size_t capacity) noexcept {
  const std::optional<Bytes> value = host->events->state_get(key);
  if (!value) return -1;
  std::memcpy(out, value->data(), std::min(capacity, value->size()));
  return static_cast<int64_t>(value->size());
}

int32_t state_set(wherry_transport_host* host, const char* key, wherry_bytes value) noexcept {
  return host->events->state_set(key, {value.data, value.size}) ? WHERRY_TRANSPORT_OK
                                                                : WHERRY_TRANSPORT_E_ARGUMENT;
}

void write_log(wherry_transport_host* host, int32_t level, const char* text) noexcept {
  host->events->log(level, text == nullptr ? "" : text);
}

constexpr wherry_transport_host_api kHostApi = {sizeof(wherry_transport_host_api),
                                                on_state,
                                                on_inbox,
                                                on_peer,
                                                on_writable,
                                                on_receive,
                                                on_sent,
                                                on_bundle,
                                                on_look_up,
                                                on_stopped,
                                                state_get,
                                                state_set,
                                                write_log};

bool all_present(const wherry_transport_plugin& table, uint32_t abilities) {
  if (!table.create || !table.start || !table.stop || !table.destroy || !table.open_inbox ||
      !table.close_inbox || !table.add_peer || !table.remove_peer || !table.connect_peer ||
      !table.send || !table.ack || !table.resume_receive) {
    return false;
  }
  return (abilities & WHERRY_ABILITY_BUNDLES) == 0 || (table.put_bundle && table.get_bundle);
}

bool described_well(const wherry_transport_description& description) {
  if (description.name == nullptr || description.version == nullptr ||
      description.help == nullptr || (description.setting_count != 0 && !description.settings)) {
    return false;
  }
  const std::string_view name = description.name;
  if (name.empty() || name.size() > limits::kTransportNameMax || name[0] < 'a' || name[0] > 'z') {
    return false;
  }
  for (char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  for (size_t i = 0; i < description.setting_count; ++i) {
    if (!description.settings[i].name || !description.settings[i].help) return false;
  }
  return description.envelope_size_max >= 4096;
}

// A table as this version knows it.
Result<wherry_transport_plugin> read_table(const wherry_transport_plugin* given) {
  if (given == nullptr) return fail(WHERRY_E_ARGUMENT, "a plug-in's table is NULL");
  if (!size_fits(given, kPluginSizeFirst)) {
    return fail(WHERRY_E_SIZE, "a plug-in's table has an unknown size: set it to its sizeof");
  }
  const wherry_transport_plugin table = known_part(given);
  if (table.abi != WHERRY_TRANSPORT_ABI) {
    return fail(WHERRY_E_ARGUMENT, "a plug-in is made for another version of transport.h");
  }
  const wherry_transport_description* told = table.describe ? table.describe() : nullptr;
  if (told == nullptr) return fail(WHERRY_E_ARGUMENT, "a plug-in does not describe itself");
  if (!size_fits(told, kDescriptionSizeFirst)) {
    return fail(WHERRY_E_SIZE, "a plug-in's description has an unknown size: set it to its sizeof");
  }
  const wherry_transport_description description = known_part(told);
  if (!described_well(description) || !all_present(table, description.abilities)) {
    return fail(WHERRY_E_ARGUMENT, "a plug-in describes itself wrongly or lacks a function");
  }
  return table;
}

bool is_whole_number(std::string_view value) {
  const std::string_view digits = value.substr(value.starts_with('-') ? 1 : 0);
  return !digits.empty() && value.size() <= 18 &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

// What a value of this setting must be, when it is not; else null.
const char* wanted_instead(const wherry_setting_description& known, const std::string& value) {
  switch (known.type) {
    case WHERRY_SETTING_BOOLEAN:
      return value == "true" || value == "false" ? nullptr : "'true' or 'false'";
    case WHERRY_SETTING_INTEGER:
      return is_whole_number(value) ? nullptr : "a whole number";
    case WHERRY_SETTING_ADDRESS: {
      const bool may_be_empty = known.default_value != nullptr && *known.default_value == 0;
      if (is_address(value) || (value.empty() && may_be_empty)) return nullptr;
      return "HOST:PORT, [IPV6]:PORT or unix:/PATH";
    }
    default:
      return nullptr;
  }
}

// As a plug-in gets them; they point into `settings`.
std::vector<wherry_setting> list_of(const Settings& settings) {
  std::vector<wherry_setting> list;
  for (const auto& [name, value] : settings) list.push_back({name.c_str(), value.c_str()});
  return list;
}

}  // namespace

Result<PluginSet> PluginSet::make(std::span<const wherry_transport_plugin* const> tables) {
  PluginSet set;
  for (const wherry_transport_plugin* given : tables) {
    const Result<wherry_transport_plugin> table = read_table(given);
    if (!table) return table.error();
    const std::string name = describe(*table).name;
    if (!set.tables_.emplace(name, *table).second) {
      return fail(WHERRY_E_ARGUMENT, "two plug-ins have the name " + name);
    }
  }
  return set;
}

const wherry_transport_plugin* PluginSet::find(const std::string& name) const {
  const auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : &found->second;
}

wherry_transport_description describe(const wherry_transport_plugin& table) {
  return known_part(table.describe());
}

Result<Settings> complete(const wherry_transport_description& description, Settings given) {
  Settings full;
  for (size_t i = 0; i < description.setting_count; ++i) {
    const wherry_setting_description& known = description.settings[i];
    const auto found = given.find(known.name);
    if (found == given.end()) {
      if (known.default_value == nullptr) {
        return fail(WHERRY_E_SETTING,
                    std::string("the setting '") + known.name + "' is missing: " + known.help);
      }
      full.emplace(known.name, known.default_value);
      continue;
    }
    if (const char* wanted = wanted_instead(known, found->second)) {
      return fail(WHERRY_E_SETTING,
                  std::string("the setting '") + known.name + "' must be " + wanted);
    }
    full.insert(given.extract(found));
  }
  if (!given.empty()) {
    std::string names;
    for (size_t i = 0; i < description.setting_count; ++i) {
      names += (names.empty() ? "" : ", ") + std::string(description.settings[i].name);
    }
    return fail(WHERRY_E_SETTING,
                "there is no setting '" + given.begin()->first +
                    "'; those that there are: " + (names.empty() ? "none" : names));
  }
  return full;
}

wherry_reveals listening(const wherry_transport_plugin& table, const Settings& settings) {
  const wherry_reveals worst = describe(table).reveals_worst;
  if (table.listening == nullptr) return worst;
  const std::vector<wherry_setting> list = list_of(settings);
  wherry_reveals reveals = worst;
  if (table.listening(list.data(), list.size(), &reveals) != WHERRY_TRANSPORT_OK) return worst;
  return policy::within(reveals, worst) ? reveals : policy::everything();
}

Instance::Instance(const wherry_transport_plugin& table)
    : table_(table), description_(describe(table)) {}

Result<std::unique_ptr<Instance>> Instance::create(const wherry_transport_plugin& table,
                                                   HostEvents& events, const Settings& settings) {
  std::unique_ptr<Instance> instance(new Instance(table));
  instance->host_ = std::make_unique<wherry_transport_host>(wherry_transport_host{&events});
  const std::vector<wherry_setting> list = list_of(settings);
  const int32_t status = table.create(&instance->transport_, &kHostApi, instance->host_.get(),
                                      list.data(), list.size());
  if (status == WHERRY_TRANSPORT_OK && instance->transport_ != nullptr) return instance;
  instance->transport_ = nullptr;
  if (status == WHERRY_TRANSPORT_E_SETTING) {
    return fail(WHERRY_E_SETTING, "the transport refuses its settings: see the log");
  }
  return fail(WHERRY_E_MEMORY, "the transport could not be made");
}

Instance::~Instance() {
  if (transport_ != nullptr) table_.destroy(transport_);
}

bool Instance::start() {
  return table_.start(transport_) == WHERRY_TRANSPORT_OK;
}

void Instance::stop() {
  table_.stop(transport_);
}

bool Instance::open_inbox(uint64_t inbox, const Secret<32>& secret, int32_t audience) {
  return table_.open_inbox(transport_, inbox, secret.data(), audience) == WHERRY_TRANSPORT_OK;
}

void Instance::close_inbox(uint64_t inbox) {
  table_.close_inbox(transport_, inbox);
}

std::optional<wherry_reveals> Instance::add_peer(uint64_t peer, const std::string& endpoint) {
  wherry_reveals reveals = policy::everything();
  if (table_.add_peer(transport_, peer, endpoint.c_str(), nullptr, &reveals) !=
      WHERRY_TRANSPORT_OK) {
    return std::nullopt;
  }
  if (policy::within(reveals, description().reveals_worst)) return reveals;
  table_.remove_peer(transport_, peer);
  return std::nullopt;
}

void Instance::remove_peer(uint64_t peer) {
  table_.remove_peer(transport_, peer);
}

void Instance::connect_peer(uint64_t peer) {
  table_.connect_peer(transport_, peer);
}

Instance::Sent Instance::send(std::span<const wherry_outgoing> envelopes) {
  Sent sent;
  const int32_t status =
      table_.send(transport_, envelopes.data(), envelopes.size(), &sent.accepted);
  sent.refused = status == WHERRY_TRANSPORT_E_ARGUMENT;
  sent.accepted = sent.refused ? 0 : std::min(sent.accepted, envelopes.size());
  return sent;
}

void Instance::ack(std::span<const wherry_receipt> receipts) {
  table_.ack(transport_, receipts.data(), receipts.size());
}

void Instance::update(uint32_t changes) {
  if (table_.update != nullptr) table_.update(transport_, changes);
}

void Instance::resume_receive() {
  table_.resume_receive(transport_);
}

bool Instance::put_bundle(uint64_t request, const Bytes32& locator, const Secret<32>& owner,
                          ByteView bundle, uint32_t time_to_live_s) {
  return can(WHERRY_ABILITY_BUNDLES) &&
         table_.put_bundle(transport_, request, locator.data(), owner.data(),
                           {bundle.data(), bundle.size()}, time_to_live_s) == WHERRY_TRANSPORT_OK;
}

bool Instance::get_bundle(uint64_t request, const std::string& endpoint, const Bytes32& locator) {
  return can(WHERRY_ABILITY_BUNDLES) && table_.get_bundle(transport_, request, endpoint.c_str(),
                                                          locator.data()) == WHERRY_TRANSPORT_OK;
}

}  // namespace wherry::plugin
