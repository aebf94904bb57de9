// What every function of a plug-in's table stands behind.
#pragma once

#include <cstdint>
#include <type_traits>

#include "include/wherry/transport.h"

namespace wherry::transports {

// Calls it, and gives its status; OK for one that has none. No exception may cross the interface:
// what can be thrown in a plug-in is a lack of memory, threads or descriptors.
template <typename Function>
std::int32_t guarded(Function&& function) noexcept {
  try {
    if constexpr (std::is_void_v<decltype(function())>) {
      function();
      return WHERRY_TRANSPORT_OK;
    } else {
      return function();
    }
  } catch (...) {
    return WHERRY_TRANSPORT_E_RESOURCE;
  }
}

}  // namespace wherry::transports
