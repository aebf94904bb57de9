// Profiles: created, opened, closed, identified.
#include <chrono>
#include <cstring>

#include "base/limits.h"
#include "capi/convert.h"
#include "capi/guard.h"

namespace wherry::capi {
namespace {

using Opener = Result<std::unique_ptr<engine::Engine>> (*)(const std::string&, const store::Key&,
                                                           engine::Options);

Status open_with(Opener opener, wherry_profile* profile, const char* path, const uint8_t* key,
                 size_t key_size, int32_t key_kind, const wherry_profile_options* options) {
  if (profile == nullptr) return argument("profile is NULL");
  Result<std::string> directory = text_in(path, "path", 4096, WHERRY_E_ARGUMENT);
  if (!directory) return directory.error();
  if (directory->empty()) return argument("path is empty");
  Result<store::Key> with = key_in(key, key_size, key_kind);
  if (!with) return with.error();
  Result<engine::Options> converted = options_in(options);
  if (!converted) return converted.error();
  Result<std::unique_ptr<engine::Engine>> opened = opener(*directory, *with, converted.take());
  if (!opened) return opened.error();
  *profile = add_handle(opened.take());
  return {};
}

}  // namespace
}  // namespace wherry::capi

using wherry::Status;

extern "C" {

int32_t wherry_profile_create(wherry_profile* profile, const char* path, const uint8_t* key,
                              size_t key_size, int32_t key_kind,
                              const wherry_profile_options* options, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    return wherry::capi::open_with(wherry::engine::Engine::create, profile, path, key, key_size,
                                   key_kind, options);
  });
}

int32_t wherry_profile_open(wherry_profile* profile, const char* path, const uint8_t* key,
                            size_t key_size, int32_t key_kind,
                            const wherry_profile_options* options, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    return wherry::capi::open_with(wherry::engine::Engine::open, profile, path, key, key_size,
                                   key_kind, options);
  });
}

int32_t wherry_close(wherry_profile profile) {
  return wherry::capi::guard(nullptr, [&]() -> Status {
    auto removed = wherry::capi::remove_handle(profile);
    if (!removed) return removed.error();
    removed->engine->close();
    removed->engine.reset();
    // The files are unlocked by the last owner: the calls that were told E_CLOSED are about to go.
    removed->gone.wait_for(std::chrono::milliseconds(wherry::limits::kCloseLastCalls_ms));
    return {};
  });
}

int32_t wherry_identity(wherry_profile profile, uint8_t* identity, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (identity == nullptr) return wherry::capi::argument("identity is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    const wherry::Bytes32& key = (*engine)->identity();
    std::memcpy(identity, key.data(), key.size());
    return {};
  });
}

}  // extern "C"
