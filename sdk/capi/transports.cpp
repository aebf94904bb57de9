// Transports: configured, started, stopped, listed, described.
#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/json.h"
#include "capi/page.h"

namespace wherry::capi {
namespace {

std::string describe(const wherry_transport_description& about) {
  Json out;
  out["name"] = about.name;
  out["version"] = about.version;
  out["help"] = about.help;
  out["architecture"] = about.architecture;
  out["abilities"] = about.abilities;
  out["latency"] = about.latency;
  out["envelope_size_max"] = about.envelope_size_max;
  out["reveals"] = facts_of(about.reveals_worst);
  out["settings"] = Json::array();
  for (size_t i = 0; i < about.setting_count; ++i) {
    const wherry_setting_description& known = about.settings[i];
    Json setting;
    setting["name"] = known.name;
    setting["type"] = known.type;
    setting["default"] = known.default_value == nullptr ? Json() : Json(known.default_value);
    setting["help"] = known.help;
    out["settings"].push_back(std::move(setting));
  }
  return dump(out);
}

}  // namespace
}  // namespace wherry::capi

using wherry::Result;
using wherry::Status;

extern "C" {

int32_t wherry_transport_add(wherry_profile profile, uint64_t* transport, const char* name,
                             const wherry_option* settings, size_t setting_count,
                             wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (transport == nullptr) return wherry::capi::argument("transport is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    Result<std::string> plugin = wherry::capi::plugin_name_in(name);
    if (!plugin) return plugin.error();
    auto given = wherry::capi::settings_in(settings, setting_count);
    if (!given) return given.error();
    Result<uint64_t> added = (*engine)->transport_add(*plugin, *given);
    if (!added) return added.error();
    *transport = *added;
    return {};
  });
}

int32_t wherry_transport_set(wherry_profile profile, uint64_t transport,
                             const wherry_option* settings, size_t setting_count,
                             wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto given = wherry::capi::settings_in(settings, setting_count);
    if (!given) return given.error();
    return (*engine)->transport_set(transport, *given);
  });
}

int32_t wherry_transport_start(wherry_profile profile, uint64_t transport, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    return (*engine)->transport_start(transport);
  });
}

int32_t wherry_transport_stop(wherry_profile profile, uint64_t transport, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    return (*engine)->transport_stop(transport);
  });
}

int32_t wherry_update(wherry_profile profile, uint32_t changes, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    constexpr uint32_t kKnown = WHERRY_CHANGE_NETWORK | WHERRY_CHANGE_BACKGROUND |
                                WHERRY_CHANGE_FOREGROUND | WHERRY_CHANGE_LOW_POWER;
    if (changes == 0 || (changes & ~kKnown) != 0) {
      return wherry::capi::argument("changes are not bits of WHERRY_CHANGE_*");
    }
    return (*engine)->update(changes);
  });
}

int32_t wherry_transport_list(wherry_profile profile, wherry_page** page, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (page == nullptr) return wherry::capi::argument("page is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto views = (*engine)->transports();
    if (!views) return views.error();
    auto made = std::make_unique<wherry_page>();
    std::vector<wherry_transport_info> items;
    for (const wherry::engine::TransportView& view : *views) {
      items.push_back({sizeof(wherry_transport_info), view.row.id, made->keep(view.row.name),
                       view.row.started ? 1 : 0, view.state, view.percent, view.reason});
    }
    made->items = std::move(items);
    *page = made.release();
    return {};
  });
}

int32_t wherry_transport_describe(wherry_profile profile, wherry_page** page, const char* name,
                                  wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (page == nullptr) return wherry::capi::argument("page is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    Result<std::string> plugin = wherry::capi::plugin_name_in(name);
    if (!plugin) return plugin.error();
    const wherry_transport_plugin* table = (*engine)->plugins().find(*plugin);
    if (table == nullptr) {
      return wherry::fail(WHERRY_E_NOT_FOUND, "there is no plug-in of this name");
    }
    auto made = std::make_unique<wherry_page>();
    made->json = wherry::capi::describe(wherry::plugin::describe(*table));
    *page = made.release();
    return {};
  });
}

}  // extern "C"
