// Open structs of the public headers: they begin with `size_t size` and grow at the end only, so
// that a caller built with an older or a newer header than this version is understood.
#ifndef WHERRY_PLUGIN_OPEN_STRUCT_H
#define WHERRY_PLUGIN_OPEN_STRUCT_H

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "wherry/transport.h"
#include "wherry/wherry.h"

namespace wherry {

// How large each struct was in the first version that had it, up to the end of its last member
// then. Never raised: what was added later is absent from a smaller one.
inline constexpr size_t kErrorSizeFirst = offsetof(wherry_error, text) + sizeof(wherry_error::text);
inline constexpr size_t kOptionsSizeFirst =
    offsetof(wherry_profile_options, log_context) + sizeof(wherry_profile_options::log_context);
inline constexpr size_t kPluginSizeFirst =
    offsetof(wherry_transport_plugin, diagnose) + sizeof(wherry_transport_plugin::diagnose);
inline constexpr size_t kDescriptionSizeFirst =
    offsetof(wherry_transport_description, setting_count) +
    sizeof(wherry_transport_description::setting_count);

// More than any version will need: a `size` above it is memory that nobody has set.
inline constexpr size_t kOpenStructSizeMax = 4096;

// The `size` that the other side wrote. Only that many bytes are there, so that nothing may touch
// `given` as a whole.
template <typename Struct>
size_t size_given(const Struct* given) {
  static_assert(std::is_trivially_copyable_v<Struct> && std::is_standard_layout_v<Struct>);
  static_assert(offsetof(Struct, size) == 0);
  size_t size = 0;
  std::memcpy(&size, given, sizeof size);
  return size;
}

// Whether a struct is from any version, older or newer.
template <typename Struct>
bool size_fits(const Struct* given, size_t size_first) {
  const size_t size = size_given(given);
  return size >= size_first && size <= kOpenStructSizeMax;
}

// What both sides know of a struct whose size fits; the members that only this side knows are those
// of `absent`.
template <typename Struct>
Struct known_part(const Struct* given, const Struct& absent = {}) {
  Struct known = absent;
  std::memcpy(&known, given, std::min(size_given(given), sizeof known));
  known.size = sizeof known;
  return known;
}

}  // namespace wherry

#endif  // WHERRY_PLUGIN_OPEN_STRUCT_H
